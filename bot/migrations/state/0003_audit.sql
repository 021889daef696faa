-- What was shown to whom, a row each and without its words. Rows are added, and neither changed nor forgotten.
CREATE TABLE audit (
  number BIGINT PRIMARY KEY,    -- from 1, without a gap
  at_ms BIGINT NOT NULL,
  surface TEXT NOT NULL,        -- which kind of thing it was
  platform TEXT NOT NULL,       -- slack, discord, terminal
  channel TEXT NOT NULL,        -- the platform's id; empty for the terminal
  audience TEXT NOT NULL,       -- who could see it; empty where nobody was admitted
  person TEXT NOT NULL,         -- the platform's id; empty for the terminal
  question TEXT NOT NULL,       -- its id in the inbox; empty where there is none
  outcome TEXT NOT NULL,        -- shown, answered, abstained, refused, failed
  scope TEXT NOT NULL,          -- the scope's id; empty where nothing was read
  records TEXT NOT NULL,        -- their names as JSON, in order
  prompts TEXT NOT NULL,        -- the hashes of the prompts as JSON, as the model was given them
  chain TEXT NOT NULL           -- hash of the row before and of all of this one
);
CREATE INDEX audit_at ON audit (at_ms);

-- The last row's number and hash: whoever adds one holds this row until it is added, and a row that is missing at the end is missed.
CREATE TABLE audit_head (one BIGINT PRIMARY KEY, number BIGINT NOT NULL, chain TEXT NOT NULL);
INSERT INTO audit_head (one, number, chain) VALUES (1, 0, '');
