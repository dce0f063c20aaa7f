-- Every door: who a mail is from and what proves it, feeds that are downloaded, how senders lay things out, advice.

-- Name of the feed that a submission is a download of; empty for anything else.
ALTER TABLE submissions ADD COLUMN feed TEXT NOT NULL DEFAULT '';

-- Who a mail is from, and what proves it. What the door saw is kept with it until the bytes go.
CREATE TABLE senders (
    submission INTEGER PRIMARY KEY,
    -- The one address in its one From, in lower case; empty when there is not exactly one.
    address    TEXT NOT NULL,
    -- model::sender::Proof, the domain name that is proven, and what was found, for people.
    proof      INTEGER NOT NULL,
    domain     TEXT NOT NULL,
    detail     TEXT NOT NULL,
    -- model::sender::Silence.
    silence    INTEGER NOT NULL,
    -- The envelope.
    mail_from  TEXT,
    peer       BLOB,
    helo       TEXT NOT NULL,
    -- When it was asked about first; when it is to be asked about, NULL once it is known.
    asked      INTEGER,
    next_try   INTEGER
);
