-- Every door: who a mail is from and what proves it, feeds that are downloaded, how senders lay things out, advice.

-- Name of the feed that a submission is a download of; empty for anything else.
ALTER TABLE submissions ADD COLUMN feed TEXT NOT NULL DEFAULT '';

-- Mailboxes that are watched, from when they were first looked into: what lay there before is left or taken as it is configured.
CREATE TABLE mailboxes (
    account    TEXT COLLATE "C" NOT NULL,
    folder     TEXT COLLATE "C" NOT NULL,
    -- UIDVALIDITY and UIDNEXT as they were then, or when the server numbered its mails anew (RFC 3501, 2.3.1.1).
    validity   BIGINT NOT NULL,
    first_uid  BIGINT NOT NULL,
    since      BIGINT NOT NULL,
    -- 1 when they were numbered anew since.
    renumbered BIGINT NOT NULL,
    PRIMARY KEY (account, folder)
);
