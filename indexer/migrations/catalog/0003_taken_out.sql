-- What was taken out of a record as its source showed it.
ALTER TABLE sightings ADD COLUMN n_secrets BIGINT NOT NULL DEFAULT 0;
ALTER TABLE sightings ADD COLUMN n_hidden BIGINT NOT NULL DEFAULT 0;
