-- What an answer was made of, as JSON: it is forgotten once that does not stand any more. Empty of answers from before, which are forgotten
-- at the first loss.
ALTER TABLE answers ADD COLUMN basis TEXT NOT NULL DEFAULT '';
