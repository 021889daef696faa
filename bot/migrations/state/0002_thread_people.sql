-- Who talks in a thread, a row a person: several may be added at once.
CREATE TABLE thread_people (
  platform TEXT NOT NULL, channel TEXT NOT NULL, thread TEXT NOT NULL, person TEXT NOT NULL,
  PRIMARY KEY (platform, channel, thread, person)
);
ALTER TABLE threads DROP COLUMN people;

-- A reply to a message of the bot is told by that message's id.
CREATE INDEX outbox_remote ON outbox (remote);
