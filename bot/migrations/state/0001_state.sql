-- What cannot be made again. One text for SQLite and PostgreSQL: BIGINT for integers and for time (ms UTC), TEXT.

-- What came in, stored before it is acknowledged. A question ends in exactly one of answered, refused, failed, cancelled.
CREATE TABLE inbox (
  id TEXT PRIMARY KEY,          -- UUIDv5 of what makes it one: the channel and the message, or the event's own id
  kind TEXT NOT NULL,           -- question, or what was done
  platform TEXT NOT NULL, channel TEXT NOT NULL, message TEXT NOT NULL, person TEXT NOT NULL,
  body TEXT NOT NULL,           -- the event as JSON
  state TEXT NOT NULL,          -- open, answered, refused, failed, cancelled; done for what is no question
  attempts BIGINT NOT NULL,     -- how often work on it was begun
  received_ms BIGINT NOT NULL, ended_ms BIGINT, reference TEXT
);
CREATE INDEX inbox_state ON inbox (state, received_ms);
CREATE INDEX inbox_message ON inbox (platform, channel, message);

-- What is to be seen, stored before it is posted: one row a message, which is posted once and then brought up to its last version.
CREATE TABLE outbox (
  id TEXT PRIMARY KEY,          -- opaque; travels with the message, so that it can be found again
  question TEXT NOT NULL, part BIGINT NOT NULL,
  platform TEXT NOT NULL, channel TEXT NOT NULL, person TEXT NOT NULL,
  body TEXT NOT NULL,           -- the post as JSON
  state TEXT NOT NULL,          -- waiting, unsure (a send was begun), posted, dropped, removed
  version BIGINT NOT NULL, posted_version BIGINT NOT NULL,
  remote TEXT,                  -- the message's id on the platform
  attempts BIGINT NOT NULL, due_ms BIGINT NOT NULL, created_ms BIGINT NOT NULL, failure TEXT,
  UNIQUE (question, part)
);
CREATE INDEX outbox_due ON outbox (state, due_ms);

-- One row an answered question: who saw what.
CREATE TABLE answers (
  question TEXT PRIMARY KEY, at_ms BIGINT NOT NULL, audience TEXT NOT NULL, person TEXT NOT NULL, scope TEXT NOT NULL,
  records TEXT NOT NULL, reply TEXT NOT NULL, details TEXT NOT NULL, facts_ms BIGINT NOT NULL, answer_ms BIGINT NOT NULL
);

CREATE INDEX answers_at ON answers (at_ms);

-- What a thread is about, and who talks in it.
CREATE TABLE threads (
  platform TEXT NOT NULL, channel TEXT NOT NULL, thread TEXT NOT NULL,
  subject TEXT NOT NULL, people TEXT NOT NULL, last_message TEXT NOT NULL, updated_ms BIGINT NOT NULL,
  PRIMARY KEY (platform, channel, thread)
);

CREATE TABLE feedback (
  question TEXT NOT NULL, person TEXT NOT NULL, verdict TEXT NOT NULL, reason TEXT, note TEXT, at_ms BIGINT NOT NULL,
  PRIMARY KEY (question, person)
);

-- The last message that was seen of each channel, so that what was asked while away can be found.
CREATE TABLE channels (platform TEXT NOT NULL, channel TEXT NOT NULL, seen TEXT NOT NULL, PRIMARY KEY (platform, channel));
