-- The last change that took something away from what a record said in its space, 0 where none did: what was made of it before is out of
-- date, and its old bytes are to be cleared away.
ALTER TABLE changes ADD COLUMN edited BIGINT NOT NULL DEFAULT 0;
UPDATE changes SET edited = number WHERE operation = 'remove';

-- A run is numbered among those of its project and space: a gap must not tell of runs that a reader may not see.
ALTER TABLE run_numbers RENAME TO run_numbers_before;
CREATE TABLE run_numbers (
  record TEXT NOT NULL, project TEXT NOT NULL, space TEXT NOT NULL, number BIGINT NOT NULL, PRIMARY KEY (record, project, space)
);
INSERT INTO run_numbers (record, project, space, number)
  SELECT n.record, n.project, REPLACE(COALESCE(r.space, ''), '.withheld:', ''), n.number
  FROM run_numbers_before n LEFT JOIN records r ON r.id = n.record;
DROP TABLE run_numbers_before;
