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

-- A download is compared with the last of its feed and name only: what a list says again after it said otherwise is new.
CREATE INDEX submissions_feed ON submissions (feed, id) WHERE feed <> '';

-- Rows that the latest runs of a feed came with, a space between them; and since when it comes with far fewer than usual.
-- Such a run does not count: what it does not name may well be there.
ALTER TABLE feeds ADD COLUMN counts TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE feeds ADD COLUMN fallen BIGINT;

-- How it goes with each feed that is downloaded.
CREATE TABLE fetches (
    feed     TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    -- SHA-256 of what is asked; under another address nothing of the rest holds.
    asked    BYTEA   NOT NULL,
    -- What its server calls what came last (RFC 9110 sections 8.8.2 and 8.8.3); empty when it does not.
    etag     TEXT COLLATE "C" NOT NULL,
    modified TEXT COLLATE "C" NOT NULL,
    -- SHA-256 of the bytes that came last, to know whether others come.
    digest   BYTEA   NOT NULL,
    -- When it was last looked at well, and when it last brought anything new.
    checked  BIGINT,
    changed  BIGINT,
    -- How often it failed since then, since when, and why the last time.
    failures BIGINT NOT NULL,
    since    BIGINT,
    trouble  TEXT COLLATE "C" NOT NULL,
    -- Not to be asked before.
    next     BIGINT NOT NULL
);

-- What was taken of feeds that consist of many files, so that none is taken twice.
CREATE TABLE fetched (
    feed TEXT COLLATE "C" NOT NULL,
    item TEXT COLLATE "C" NOT NULL,
    at   BIGINT NOT NULL,
    PRIMARY KEY (feed, item)
);

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

-- Advice about weak points: of each document and CVE number the newest version, and, if somebody sent one for whom nobody
-- vouches, what a person has yet to accept (accepted = 0). Nothing follows from that.
CREATE TABLE advisories (
    id         BIGINT PRIMARY KEY,
    publisher  TEXT COLLATE "C" NOT NULL,
    document   TEXT COLLATE "C" NOT NULL,
    -- Empty when it is about no CVE number.
    cve        TEXT COLLATE "C" NOT NULL,
    accepted   BIGINT NOT NULL,
    -- The submission that it stands in, and when that was received.
    submission BIGINT NOT NULL,
    received   BIGINT NOT NULL,
    released   BIGINT,
    title      TEXT COLLATE "C" NOT NULL,
    -- Names of products, one to a line.
    products   TEXT COLLATE "C" NOT NULL,
    affects    BIGINT NOT NULL,
    severity   TEXT COLLATE "C" NOT NULL,
    score      BIGINT,
    remedy     TEXT COLLATE "C" NOT NULL,
    reference  TEXT COLLATE "C" NOT NULL,
    exploited  BIGINT NOT NULL,
    ransomware BIGINT NOT NULL,
    due        BIGINT,
    tlp        BIGINT NOT NULL,
    -- When it was taken off its catalogue, or by a person, and by whom.
    withdrawn  BIGINT,
    person     TEXT COLLATE "C" NOT NULL,
    UNIQUE (publisher, document, cve, accepted)
);
CREATE INDEX advisories_cve ON advisories (cve);
CREATE INDEX advisories_submission ON advisories (submission);

-- What people did with submissions that no format understood.
CREATE TABLE taken (
    submission BIGINT PRIMARY KEY,
    -- The submission that was made of what they picked; NULL when there was nothing to take.
    outcome    BIGINT,
    at         BIGINT NOT NULL,
    person     TEXT COLLATE "C" NOT NULL,
    reason     TEXT COLLATE "C" NOT NULL
);

-- How what senders send is laid out, to know when that changes.
CREATE TABLE shapes (
    id      BIGINT PRIMARY KEY,
    format  TEXT COLLATE "C" NOT NULL,
    -- The domain name that is proven, after '?' one that is only said, after 'feed:' a name in the settings.
    sender  TEXT COLLATE "C" NOT NULL,
    -- What the sender calls this one.
    feed    TEXT COLLATE "C" NOT NULL,
    -- Names of columns, one to a line.
    columns TEXT COLLATE "C" NOT NULL,
    since   BIGINT NOT NULL,
    -- When it last came, to the day; when it was last told that it changed.
    seen    BIGINT NOT NULL,
    told    BIGINT,
    UNIQUE (format, sender, feed)
);
