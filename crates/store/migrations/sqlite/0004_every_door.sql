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
) STRICT;

-- A download is compared with the last of its feed and name only: what a list says again after it said otherwise is new.
CREATE INDEX submissions_feed ON submissions (feed, id) WHERE feed <> '';

-- Rows that the latest runs of a feed came with, a space between them; and since when it comes with far fewer than usual.
-- Such a run does not count: what it does not name may well be there.
ALTER TABLE feeds ADD COLUMN counts TEXT NOT NULL DEFAULT '';
ALTER TABLE feeds ADD COLUMN fallen INTEGER;

-- How it goes with each feed that is downloaded.
CREATE TABLE fetches (
    feed     TEXT    NOT NULL PRIMARY KEY,
    -- SHA-256 of what is asked; under another address nothing of the rest holds.
    asked    BLOB    NOT NULL,
    -- What its server calls what came last (RFC 9110 sections 8.8.2 and 8.8.3); empty when it does not.
    etag     TEXT    NOT NULL,
    modified TEXT    NOT NULL,
    -- SHA-256 of the bytes that came last, to know whether others come.
    digest   BLOB    NOT NULL,
    -- When it was last looked at well, and when it last brought anything new.
    checked  INTEGER,
    changed  INTEGER,
    -- How often it failed since then, since when, and why the last time.
    failures INTEGER NOT NULL,
    since    INTEGER,
    trouble  TEXT    NOT NULL,
    -- Not to be asked before.
    next     INTEGER NOT NULL
) STRICT;

-- What was taken of feeds that consist of many files, so that none is taken twice.
CREATE TABLE fetched (
    feed TEXT    NOT NULL,
    item TEXT    NOT NULL,
    at   INTEGER NOT NULL,
    PRIMARY KEY (feed, item)
) STRICT, WITHOUT ROWID;

-- Mailboxes that are watched, from when they were first looked into: what lay there before is left or taken as it is configured.
CREATE TABLE mailboxes (
    account    TEXT    NOT NULL,
    folder     TEXT    NOT NULL,
    -- UIDVALIDITY and UIDNEXT as they were then, or when the server numbered its mails anew (RFC 3501, 2.3.1.1).
    validity   INTEGER NOT NULL,
    first_uid  INTEGER NOT NULL,
    since      INTEGER NOT NULL,
    -- 1 when they were numbered anew since.
    renumbered INTEGER NOT NULL,
    PRIMARY KEY (account, folder)
) STRICT;

-- Advice about weak points: of each document and CVE number the newest version, and, if somebody sent one for whom nobody
-- vouches, what a person has yet to accept (accepted = 0). Nothing follows from that.
CREATE TABLE advisories (
    id         INTEGER PRIMARY KEY,
    publisher  TEXT NOT NULL,
    document   TEXT NOT NULL,
    -- Empty when it is about no CVE number.
    cve        TEXT NOT NULL,
    accepted   INTEGER NOT NULL,
    -- The submission that it stands in, and when that was received.
    submission INTEGER NOT NULL,
    received   INTEGER NOT NULL,
    released   INTEGER,
    title      TEXT NOT NULL,
    -- Names of products, one to a line.
    products   TEXT NOT NULL,
    affects    INTEGER NOT NULL,
    severity   TEXT NOT NULL,
    score      INTEGER,
    remedy     TEXT NOT NULL,
    reference  TEXT NOT NULL,
    exploited  INTEGER NOT NULL,
    ransomware INTEGER NOT NULL,
    due        INTEGER,
    tlp        INTEGER NOT NULL,
    -- When it was taken off its catalogue, or by a person, and by whom.
    withdrawn  INTEGER,
    person     TEXT NOT NULL,
    UNIQUE (publisher, document, cve, accepted)
) STRICT;
CREATE INDEX advisories_cve ON advisories (cve);
CREATE INDEX advisories_submission ON advisories (submission);

-- What people did with submissions that no format understood.
CREATE TABLE taken (
    submission INTEGER PRIMARY KEY,
    -- The submission that was made of what they picked; NULL when there was nothing to take.
    outcome    INTEGER,
    at         INTEGER NOT NULL,
    person     TEXT    NOT NULL,
    reason     TEXT    NOT NULL
) STRICT;

-- How what senders send is laid out, to know when that changes.
CREATE TABLE shapes (
    id      INTEGER PRIMARY KEY,
    format  TEXT    NOT NULL,
    -- The domain name that is proven, after '?' one that is only said, after 'feed:' a name in the settings.
    sender  TEXT    NOT NULL,
    -- What the sender calls this one.
    feed    TEXT    NOT NULL,
    -- Names of columns, one to a line.
    columns TEXT    NOT NULL,
    since   INTEGER NOT NULL,
    -- When it last came, to the day; when it was last told that it changed.
    seen    INTEGER NOT NULL,
    told    INTEGER,
    UNIQUE (format, sender, feed)
) STRICT;
