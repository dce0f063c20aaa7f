-- First light: administration, submissions, reports, cases.
-- The same tables as of SQLite, without references, as there. Text is compared byte by byte.
-- Times are UTC milliseconds since 1970; addresses are sixteen bytes, IPv4 mapped; "still" and "unknown" are NULL.

CREATE TABLE sources (
    id      BIGINT PRIMARY KEY,
    name    TEXT COLLATE "C" NOT NULL UNIQUE,
    kind    TEXT COLLATE "C" NOT NULL,
    checked BIGINT NOT NULL
);

CREATE TABLE parties (
    id                BIGINT PRIMARY KEY,
    public            BYTEA NOT NULL UNIQUE,
    source            BIGINT NOT NULL,
    reference         TEXT COLLATE "C" NOT NULL,
    roles             BIGINT NOT NULL,
    name              TEXT COLLATE "C" NOT NULL,
    legal_name        TEXT COLLATE "C" NOT NULL,
    trade_names       TEXT COLLATE "C" NOT NULL,
    registry_number   TEXT COLLATE "C" NOT NULL,
    vat_number        TEXT COLLATE "C" NOT NULL,
    mails             TEXT COLLATE "C" NOT NULL,
    phones            TEXT COLLATE "C" NOT NULL,
    domains           TEXT COLLATE "C" NOT NULL,
    handles           TEXT COLLATE "C" NOT NULL,
    country           TEXT COLLATE "C" NOT NULL,
    language          TEXT COLLATE "C" NOT NULL,
    aup_version       TEXT COLLATE "C" NOT NULL,
    aup_accepted      BIGINT,
    kyc_checked       BIGINT,
    kyc_method        TEXT COLLATE "C" NOT NULL,
    kyc_result        TEXT COLLATE "C" NOT NULL,
    traceable_payment BIGINT,
    resells           BIGINT,
    recorded          BIGINT NOT NULL,
    gone              BIGINT,
    UNIQUE (source, reference)
);

CREATE TABLE contacts (
    party    BIGINT NOT NULL,
    position BIGINT NOT NULL,
    channel  BIGINT NOT NULL,
    target   TEXT COLLATE "C" NOT NULL,
    hours    TEXT COLLATE "C" NOT NULL,
    notify   BIGINT NOT NULL,
    fallback BIGINT NOT NULL,
    PRIMARY KEY (party, position)
);

CREATE TABLE memberships (
    id         BIGINT PRIMARY KEY,
    party      BIGINT NOT NULL,
    parent     BIGINT NOT NULL,
    valid_from BIGINT,
    valid_to   BIGINT,
    recorded   BIGINT NOT NULL
);
CREATE INDEX memberships_party ON memberships (party);

CREATE TABLE assignments (
    id         BIGINT PRIMARY KEY,
    source     BIGINT NOT NULL,
    first      BYTEA,
    last       BYTEA,
    name       TEXT COLLATE "C",
    party      BIGINT NOT NULL,
    level      BIGINT NOT NULL,
    valid_from BIGINT,
    valid_to   BIGINT,
    service    TEXT COLLATE "C" NOT NULL,
    product    TEXT COLLATE "C" NOT NULL,
    panel      TEXT COLLATE "C" NOT NULL,
    account    TEXT COLLATE "C" NOT NULL,
    reference  TEXT COLLATE "C" NOT NULL,
    recorded   BIGINT NOT NULL,
    superseded BIGINT,
    reason     TEXT COLLATE "C" NOT NULL
);
CREATE INDEX assignments_source ON assignments (source);
CREATE INDEX assignments_party ON assignments (party);

CREATE TABLE submissions (
    id       BIGINT PRIMARY KEY,
    public   BYTEA NOT NULL UNIQUE,
    door     BIGINT NOT NULL,
    digest   BYTEA NOT NULL,
    received BIGINT NOT NULL,
    name     TEXT COLLATE "C" NOT NULL,
    size     BIGINT NOT NULL,
    place    BIGINT NOT NULL,
    format   TEXT COLLATE "C" NOT NULL,
    progress BIGINT NOT NULL,
    cursor   BIGINT NOT NULL,
    reports  BIGINT NOT NULL,
    rejects  BIGINT NOT NULL,
    times    BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    reason   TEXT COLLATE "C" NOT NULL,
    UNIQUE (door, digest)
);
CREATE INDEX submissions_unread ON submissions (id) WHERE progress = 0;
CREATE INDEX submissions_unreadable ON submissions (id) WHERE progress = 2;

-- Frames of submissions that are small enough to live here; larger ones are files.
CREATE TABLE raw (
    submission BIGINT PRIMARY KEY,
    frames     BYTEA NOT NULL
);

CREATE TABLE batches (
    id         BIGINT PRIMARY KEY,
    submission BIGINT NOT NULL,
    format     TEXT COLLATE "C" NOT NULL,
    received   BIGINT NOT NULL,
    count      BIGINT NOT NULL
);
CREATE INDEX batches_submission ON batches (submission);

-- Number = batch * 2^20 + place in the batch. A batch is sorted by case; the first report of a case's run links to the
-- run before it (prev), and cases.tail to the last. No secondary index: addresses are searched through cases.
CREATE TABLE reports (
    id         BIGINT PRIMARY KEY,
    case_id    BIGINT NOT NULL,
    prev       BIGINT,
    ordinal    BIGINT NOT NULL,
    observed   BIGINT,
    address    BYTEA,
    port       BIGINT NOT NULL,
    kind       BIGINT NOT NULL,
    confidence BIGINT,
    labels     BIGINT NOT NULL
) PARTITION BY RANGE (id);

-- The other fields of 1,024 reports each, compressed. Number = first report / 1,024.
CREATE TABLE fields (
    id   BIGINT PRIMARY KEY,
    data BYTEA NOT NULL
) PARTITION BY RANGE (id);
-- They are compressed already.
ALTER TABLE fields ALTER COLUMN data SET STORAGE EXTERNAL;

CREATE TABLE chains (
    id     BIGINT PRIMARY KEY,
    digest BYTEA NOT NULL UNIQUE
);

CREATE TABLE chain_links (
    chain      BIGINT NOT NULL,
    position   BIGINT NOT NULL,
    party      BIGINT NOT NULL,
    assignment BIGINT,
    level      BIGINT NOT NULL,
    source     BIGINT NOT NULL,
    recorded   BIGINT NOT NULL,
    since      BIGINT,
    PRIMARY KEY (chain, position)
);
CREATE INDEX chain_links_party ON chain_links (party, chain);

CREATE TABLE cases (
    id           BIGINT PRIMARY KEY,
    public       BYTEA NOT NULL UNIQUE,
    key          BYTEA NOT NULL,
    kind         BIGINT NOT NULL,
    state        BIGINT NOT NULL,
    holder       BIGINT NOT NULL,
    chain        BIGINT,
    address      BYTEA,
    opened       BIGINT NOT NULL,
    first_seen   BIGINT NOT NULL,
    last_seen    BIGINT NOT NULL,
    first_notice BIGINT,
    reports      BIGINT NOT NULL,
    tail         BIGINT NOT NULL,
    history      BIGINT NOT NULL
) WITH (fillfactor = 80);
-- One open case for one problem.
CREATE UNIQUE INDEX cases_open ON cases (key) WHERE state = 0;
CREATE INDEX cases_holder ON cases (holder, id);
CREATE INDEX cases_address ON cases (address, id) WHERE address IS NOT NULL;

CREATE TABLE steps (
    case_id BIGINT NOT NULL,
    ordinal BIGINT NOT NULL,
    what    BIGINT NOT NULL,
    at      BIGINT NOT NULL,
    text    TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (case_id, ordinal)
);

-- Statements that a person has to look at: rejects (1) and reports without a credible time (2).
CREATE TABLE set_aside (
    submission BIGINT NOT NULL,
    ordinal    BIGINT NOT NULL,
    queue      BIGINT NOT NULL,
    place      TEXT COLLATE "C" NOT NULL,
    text       TEXT COLLATE "C" NOT NULL,
    reason     TEXT COLLATE "C" NOT NULL,
    at         BIGINT NOT NULL,
    PRIMARY KEY (submission, ordinal)
);
CREATE INDEX set_aside_queue ON set_aside (queue, at);

-- Remarks of readers, for people who wonder.
CREATE TABLE notes (
    submission BIGINT NOT NULL,
    place      TEXT COLLATE "C" NOT NULL,
    text       TEXT COLLATE "C" NOT NULL
);
-- Remarks may be longer than what an index takes.
CREATE UNIQUE INDEX notes_once ON notes (submission, md5(place), md5(text));

-- Roll-up: what dashboards ask, kept in the transaction that adds the reports.
CREATE TABLE daily (
    day     BIGINT NOT NULL,
    holder  BIGINT NOT NULL,
    kind    BIGINT NOT NULL,
    reports BIGINT NOT NULL,
    cases   BIGINT NOT NULL,
    PRIMARY KEY (day, holder, kind)
);

-- Locations of child abuse material: encrypted, found again by a keyed hash, never in any other column.
CREATE TABLE locations (
    submission BIGINT NOT NULL,
    ordinal    BIGINT NOT NULL,
    hash       BYTEA NOT NULL,
    sealed     BYTEA NOT NULL,
    PRIMARY KEY (submission, ordinal)
);

-- Counters that must not move unseen: 'generation' rises whenever assignments change.
CREATE TABLE counters (
    name  TEXT COLLATE "C" PRIMARY KEY,
    value BIGINT NOT NULL
);
INSERT INTO counters (name, value) VALUES ('generation', 0);
