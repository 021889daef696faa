-- The weekly briefs, one row a channel and week, so that whatever is killed or runs twice there is one of each. No words: those lie in the
-- outbox, and among the answers, until they are forgotten there.
CREATE TABLE briefs (
  channel TEXT NOT NULL,        -- its name in the settings
  period TEXT NOT NULL,         -- the week that it covers, such as 2025-W11
  slot_ms BIGINT NOT NULL,      -- when it was due
  week_ms BIGINT NOT NULL,      -- a moment of the week in which it was due
  state TEXT NOT NULL,          -- due, claimed, stored (in the outbox), posted; missed, mentioned (in another one)
  attempts BIGINT NOT NULL,     -- how often it was claimed, which tells a claim from the next one
  lease_ms BIGINT NOT NULL,     -- until then nobody else claims it
  mentioned_in TEXT NOT NULL,   -- the week of the brief that says that this one was missed
  PRIMARY KEY (channel, period)
);

-- The receipt of each message of a brief: one a platform.
CREATE TABLE brief_posts (
  question TEXT PRIMARY KEY,    -- its id in the outbox
  channel TEXT NOT NULL, period TEXT NOT NULL, platform TEXT NOT NULL,
  state TEXT NOT NULL,          -- stored, posted, dropped
  message TEXT NOT NULL,        -- its id on the platform
  at_ms BIGINT NOT NULL         -- since when it is so
);
CREATE INDEX brief_posts_of ON brief_posts (channel, period);

-- Up to when the slots of a channel were handled, and of which schedule.
CREATE TABLE brief_marks (channel TEXT PRIMARY KEY, schedule TEXT NOT NULL, upto_ms BIGINT NOT NULL);
