-- Every door: who a mail is from and what proves it, feeds that are downloaded, how senders lay things out, advice.

-- Name of the feed that a submission is a download of; empty for anything else.
ALTER TABLE submissions ADD COLUMN feed TEXT NOT NULL DEFAULT '';

-- Who a mail is from, and what proves it. What the door saw is kept with it until the bytes go.
CREATE TABLE senders (
    submission BIGINT PRIMARY KEY,
    -- The one address in its one From, in lower case; empty when there is not exactly one.
    address    TEXT COLLATE "C" NOT NULL,
    -- model::sender::Proof, the domain name that is proven, and what was found, for people.
    proof      BIGINT NOT NULL,
    domain     TEXT COLLATE "C" NOT NULL,
    detail     TEXT COLLATE "C" NOT NULL,
    -- model::sender::Silence.
    silence    BIGINT NOT NULL,
    -- The envelope.
    mail_from  TEXT COLLATE "C",
    peer       BYTEA,
    helo       TEXT COLLATE "C" NOT NULL,
    -- When it was asked about first; when it is to be asked about, NULL once it is known.
    asked      BIGINT,
    next_try   BIGINT
);
