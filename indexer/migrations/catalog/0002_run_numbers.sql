-- A run's number is counted among the runs of its project that stand in the same space, so that what a channel may not read moves no
-- number that it reads. Numbers of projects that stand in one space stay.
ALTER TABLE run_numbers RENAME TO run_numbers_before;
CREATE TABLE run_numbers (
  record TEXT NOT NULL, project TEXT NOT NULL, space TEXT NOT NULL, number BIGINT NOT NULL, PRIMARY KEY (record, project, space)
);
INSERT INTO run_numbers (record, project, space, number)
SELECT n.record, n.project, REPLACE(r.space, '.withheld:', ''), CASE
  WHEN (SELECT COUNT(DISTINCT s.space) FROM run_numbers_before b JOIN records s ON s.id = b.record WHERE b.project = n.project) = 1
  THEN n.number
  ELSE ROW_NUMBER() OVER (PARTITION BY n.project, r.space ORDER BY n.number) END
FROM run_numbers_before n JOIN records r ON r.id = n.record;
DROP TABLE run_numbers_before;
