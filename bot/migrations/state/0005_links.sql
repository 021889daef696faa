-- Accounts of the two platforms that are one person's, by that person's word on both; a link is two rows, one from each side. What the
-- settings give the account that asked for the code holds for the one that typed it (typed = 1), and not the other way round: who is
-- talked into typing somebody's code gives nothing away.
CREATE TABLE links (
  platform TEXT NOT NULL, workspace TEXT NOT NULL, person TEXT NOT NULL,
  other_platform TEXT NOT NULL, other_workspace TEXT NOT NULL, other_person TEXT NOT NULL,
  typed BIGINT NOT NULL, since_ms BIGINT NOT NULL,
  PRIMARY KEY (platform, workspace, person)
);

-- Codes that link: what each says, without what signs it.
CREATE TABLE link_codes (
  id TEXT PRIMARY KEY,          -- random; begins the code
  platform TEXT NOT NULL, workspace TEXT NOT NULL, person TEXT NOT NULL,  -- who asked for it
  question TEXT NOT NULL,       -- with which question of the inbox
  until_ms BIGINT NOT NULL,
  spent_by TEXT NOT NULL        -- the question that typed it; empty while nobody did
);

-- What they are signed with.
CREATE TABLE link_key (one BIGINT PRIMARY KEY, secret TEXT NOT NULL);
