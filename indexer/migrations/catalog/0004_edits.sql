-- The last change that took something away from what a record said in its space, 0 where none did: what was made of it before is out of
-- date, and its old bytes are to be cleared away.
ALTER TABLE changes ADD COLUMN edited BIGINT NOT NULL DEFAULT 0;
UPDATE changes SET edited = number WHERE operation = 'remove';
