-- Records and their content. One text for SQLite and PostgreSQL: BIGINT for integers and for time (ms UTC), DOUBLE PRECISION, TEXT.
-- Curves and vectors are base64 text, so that no type differs between the two.
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);

CREATE TABLE sources (
  name TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  placement TEXT NOT NULL,      -- hash of the settings that decide how its records look; another one: everything is read again
  cursor_text TEXT,
  tried_ms BIGINT,
  read_ms BIGINT,               -- last reading without a failure
  failure TEXT
);

-- What a source showed at its last good reading. Several sources may show one record (a pull).
CREATE TABLE sightings (
  source TEXT NOT NULL, native_id TEXT NOT NULL, fingerprint TEXT NOT NULL, record TEXT NOT NULL,
  PRIMARY KEY (source, native_id)
);
CREATE INDEX sightings_record ON sightings (record);

CREATE TABLE complaints (source TEXT NOT NULL, place TEXT NOT NULL, message TEXT NOT NULL);

CREATE TABLE records (
  id TEXT PRIMARY KEY, source TEXT NOT NULL, native_id TEXT NOT NULL, kind TEXT NOT NULL, space TEXT NOT NULL,
  label TEXT NOT NULL, title TEXT NOT NULL, project TEXT, author TEXT, url TEXT, created_ms BIGINT, updated_ms BIGINT, hash TEXT NOT NULL
);
CREATE INDEX records_space_kind ON records (space, kind);
CREATE INDEX records_label ON records (label);
CREATE INDEX records_project ON records (project);

CREATE TABLE runs (
  record TEXT PRIMARY KEY, name TEXT NOT NULL, status TEXT NOT NULL, status_raw TEXT NOT NULL, started_ms BIGINT, ended_ms BIGINT,
  user_name TEXT, notes TEXT, commit_hash TEXT, parent TEXT
);
-- Outlives its run: a number once given is not given again.
CREATE TABLE run_numbers (record TEXT NOT NULL, project TEXT NOT NULL, number BIGINT NOT NULL, PRIMARY KEY (record, project));
CREATE TABLE params (record TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (record, name));
CREATE INDEX params_name ON params (name);
CREATE TABLE tags (record TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (record, name));
CREATE TABLE datasets (record TEXT NOT NULL, name TEXT NOT NULL, digest TEXT NOT NULL, context TEXT);
CREATE TABLE directions (record TEXT NOT NULL, metric TEXT NOT NULL, direction TEXT NOT NULL);

-- A value that is no number is NULL (SQLite) or NaN (PostgreSQL) beside a step that is there.
CREATE TABLE series (
  record TEXT NOT NULL, metric TEXT NOT NULL, n BIGINT NOT NULL,
  first_step BIGINT, first_value DOUBLE PRECISION, last_step BIGINT, last_value DOUBLE PRECISION,
  last_finite_step BIGINT, last_finite_value DOUBLE PRECISION,
  min_step BIGINT, min_value DOUBLE PRECISION, max_step BIGINT, max_value DOUBLE PRECISION, mean DOUBLE PRECISION,
  n_nan BIGINT NOT NULL, n_pos_inf BIGINT NOT NULL, n_neg_inf BIGINT NOT NULL, first_non_finite BIGINT,
  PRIMARY KEY (record, metric)
);
CREATE INDEX series_metric ON series (metric);
CREATE TABLE curves (record TEXT NOT NULL, metric TEXT NOT NULL, points TEXT NOT NULL, PRIMARY KEY (record, metric));
CREATE TABLE run_texts (record TEXT NOT NULL, path TEXT NOT NULL, body TEXT NOT NULL, cut BIGINT NOT NULL, PRIMARY KEY (record, path));

CREATE TABLE texts (record TEXT PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE config_values (record TEXT NOT NULL, ordinal BIGINT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (record, ordinal));
CREATE TABLE pulls (
  record TEXT PRIMARY KEY, repository TEXT NOT NULL, number BIGINT NOT NULL, head TEXT, merge_commit TEXT, merged_ms BIGINT,
  commits TEXT NOT NULL, files TEXT NOT NULL
);
CREATE INDEX pulls_number ON pulls (number);
CREATE INDEX pulls_merge_commit ON pulls (merge_commit);
CREATE TABLE commits (record TEXT PRIMARY KEY, repository TEXT NOT NULL, hash TEXT NOT NULL, pull BIGINT);
CREATE INDEX commits_hash ON commits (hash);

CREATE TABLE chunks (
  record TEXT NOT NULL, ordinal BIGINT NOT NULL, heading TEXT NOT NULL, body TEXT NOT NULL, embed TEXT, hash TEXT NOT NULL,
  PRIMARY KEY (record, ordinal)
);

-- The change feed, one row a record and space: the last thing that happened to it there.
CREATE TABLE changes (number BIGINT PRIMARY KEY, record TEXT NOT NULL, space TEXT NOT NULL, operation TEXT NOT NULL, UNIQUE (record, space));
CREATE INDEX changes_space ON changes (space, number);

-- Vectors by model and text, so that nothing is embedded twice.
CREATE TABLE vectors (hash TEXT PRIMARY KEY, numbers TEXT NOT NULL);
