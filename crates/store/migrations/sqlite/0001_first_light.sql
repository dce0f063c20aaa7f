-- First light: administration, submissions, reports, cases.
-- Times are UTC milliseconds since 1970; addresses are sixteen bytes, IPv4 mapped; "still" and "unknown" are NULL.

CREATE TABLE sources (
    id      INTEGER PRIMARY KEY,
    name    TEXT    NOT NULL UNIQUE,
    kind    TEXT    NOT NULL,
    checked INTEGER NOT NULL
) STRICT;

CREATE TABLE parties (
    id                INTEGER PRIMARY KEY,
    public            BLOB    NOT NULL UNIQUE,
    source            INTEGER NOT NULL REFERENCES sources (id),
    reference         TEXT    NOT NULL,
    roles             INTEGER NOT NULL,
    name              TEXT    NOT NULL,
    legal_name        TEXT    NOT NULL,
    trade_names       TEXT    NOT NULL,
    registry_number   TEXT    NOT NULL,
    vat_number        TEXT    NOT NULL,
    mails             TEXT    NOT NULL,
    phones            TEXT    NOT NULL,
    domains           TEXT    NOT NULL,
    handles           TEXT    NOT NULL,
    country           TEXT    NOT NULL,
    language          TEXT    NOT NULL,
    aup_version       TEXT    NOT NULL,
    aup_accepted      INTEGER,
    kyc_checked       INTEGER,
    kyc_method        TEXT    NOT NULL,
    kyc_result        TEXT    NOT NULL,
    traceable_payment INTEGER,
    resells           INTEGER,
    recorded          INTEGER NOT NULL,
    gone              INTEGER,
    UNIQUE (source, reference)
) STRICT;

CREATE TABLE contacts (
    party    INTEGER NOT NULL REFERENCES parties (id),
    position INTEGER NOT NULL,
    channel  INTEGER NOT NULL,
    target   TEXT    NOT NULL,
    hours    TEXT    NOT NULL,
    notify   INTEGER NOT NULL,
    fallback INTEGER NOT NULL,
    PRIMARY KEY (party, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE memberships (
    id         INTEGER PRIMARY KEY,
    party      INTEGER NOT NULL REFERENCES parties (id),
    parent     INTEGER NOT NULL REFERENCES parties (id),
    valid_from INTEGER,
    valid_to   INTEGER,
    recorded   INTEGER NOT NULL
) STRICT;
CREATE INDEX memberships_party ON memberships (party);

CREATE TABLE assignments (
    id         INTEGER PRIMARY KEY,
    source     INTEGER NOT NULL REFERENCES sources (id),
    first      BLOB,
    last       BLOB,
    name       TEXT,
    party      INTEGER NOT NULL REFERENCES parties (id),
    level      INTEGER NOT NULL,
    valid_from INTEGER,
    valid_to   INTEGER,
    service    TEXT    NOT NULL,
    product    TEXT    NOT NULL,
    panel      TEXT    NOT NULL,
    account    TEXT    NOT NULL,
    reference  TEXT    NOT NULL,
    recorded   INTEGER NOT NULL,
    superseded INTEGER,
    reason     TEXT    NOT NULL
) STRICT;
CREATE INDEX assignments_source ON assignments (source);
CREATE INDEX assignments_party ON assignments (party);

CREATE TABLE submissions (
    id       INTEGER PRIMARY KEY,
    public   BLOB    NOT NULL UNIQUE,
    door     INTEGER NOT NULL,
    digest   BLOB    NOT NULL,
    received INTEGER NOT NULL,
    name     TEXT    NOT NULL,
    size     INTEGER NOT NULL,
    place    INTEGER NOT NULL,
    format   TEXT    NOT NULL,
    progress INTEGER NOT NULL,
    cursor   INTEGER NOT NULL,
    reports  INTEGER NOT NULL,
    rejects  INTEGER NOT NULL,
    times    INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    reason   TEXT    NOT NULL,
    UNIQUE (door, digest)
) STRICT;
CREATE INDEX submissions_unread ON submissions (id) WHERE progress = 0;
CREATE INDEX submissions_unreadable ON submissions (id) WHERE progress = 2;

-- Frames of submissions that are small enough to live here; larger ones are files.
CREATE TABLE raw (
    submission INTEGER PRIMARY KEY REFERENCES submissions (id),
    frames     BLOB NOT NULL
) STRICT;

CREATE TABLE batches (
    id         INTEGER PRIMARY KEY,
    submission INTEGER NOT NULL REFERENCES submissions (id),
    format     TEXT    NOT NULL,
    received   INTEGER NOT NULL,
    count      INTEGER NOT NULL
) STRICT;
CREATE INDEX batches_submission ON batches (submission);

-- Number = batch * 2^20 + place in the batch. A batch is sorted by case; the first report of a case's run links to the
-- run before it (prev), and cases.tail to the last. No secondary index: addresses are searched through cases.
CREATE TABLE reports (
    id         INTEGER PRIMARY KEY,
    case_id    INTEGER NOT NULL,
    prev       INTEGER,
    ordinal    INTEGER NOT NULL,
    observed   INTEGER,
    address    BLOB,
    port       INTEGER NOT NULL,
    kind       INTEGER NOT NULL,
    confidence INTEGER,
    labels     INTEGER NOT NULL
) STRICT;

-- The other fields of 1,024 reports each, compressed. Number = first report / 1,024.
CREATE TABLE fields (
    id   INTEGER PRIMARY KEY,
    data BLOB NOT NULL
) STRICT;

CREATE TABLE chains (
    id     INTEGER PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE
) STRICT;

CREATE TABLE chain_links (
    chain      INTEGER NOT NULL REFERENCES chains (id),
    position   INTEGER NOT NULL,
    party      INTEGER NOT NULL,
    assignment INTEGER,
    level      INTEGER NOT NULL,
    source     INTEGER NOT NULL,
    recorded   INTEGER NOT NULL,
    since      INTEGER,
    PRIMARY KEY (chain, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX chain_links_party ON chain_links (party, chain);

CREATE TABLE cases (
    id           INTEGER PRIMARY KEY,
    public       BLOB    NOT NULL UNIQUE,
    key          BLOB    NOT NULL,
    kind         INTEGER NOT NULL,
    state        INTEGER NOT NULL,
    holder       INTEGER NOT NULL,
    chain        INTEGER,
    address      BLOB,
    opened       INTEGER NOT NULL,
    first_seen   INTEGER NOT NULL,
    last_seen    INTEGER NOT NULL,
    first_notice INTEGER,
    reports      INTEGER NOT NULL,
    tail         INTEGER NOT NULL,
    history      INTEGER NOT NULL
) STRICT;
-- One open case for one problem.
CREATE UNIQUE INDEX cases_open ON cases (key) WHERE state = 0;
CREATE INDEX cases_holder ON cases (holder, id);
CREATE INDEX cases_address ON cases (address, id) WHERE address IS NOT NULL;

CREATE TABLE steps (
    case_id INTEGER NOT NULL REFERENCES cases (id),
    ordinal INTEGER NOT NULL,
    what    INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    text    TEXT    NOT NULL,
    PRIMARY KEY (case_id, ordinal)
) STRICT, WITHOUT ROWID;

-- Statements that a person has to look at: rejects (1) and reports without a credible time (2).
CREATE TABLE set_aside (
    submission INTEGER NOT NULL REFERENCES submissions (id),
    ordinal    INTEGER NOT NULL,
    queue      INTEGER NOT NULL,
    place      TEXT    NOT NULL,
    text       TEXT    NOT NULL,
    reason     TEXT    NOT NULL,
    at         INTEGER NOT NULL,
    PRIMARY KEY (submission, ordinal)
) STRICT, WITHOUT ROWID;
CREATE INDEX set_aside_queue ON set_aside (queue, at);

-- Remarks of readers, for people who wonder.
CREATE TABLE notes (
    submission INTEGER NOT NULL REFERENCES submissions (id),
    place      TEXT    NOT NULL,
    text       TEXT    NOT NULL,
    PRIMARY KEY (submission, place, text)
) STRICT, WITHOUT ROWID;

-- Roll-up: what dashboards ask, kept in the transaction that adds the reports.
CREATE TABLE daily (
    day     INTEGER NOT NULL,
    holder  INTEGER NOT NULL,
    kind    INTEGER NOT NULL,
    reports INTEGER NOT NULL,
    cases   INTEGER NOT NULL,
    PRIMARY KEY (day, holder, kind)
) STRICT, WITHOUT ROWID;

-- Locations of child abuse material: encrypted, found again by a keyed hash, never in any other column.
CREATE TABLE locations (
    submission INTEGER NOT NULL REFERENCES submissions (id),
    ordinal    INTEGER NOT NULL,
    hash       BLOB    NOT NULL,
    sealed     BLOB    NOT NULL,
    PRIMARY KEY (submission, ordinal)
) STRICT, WITHOUT ROWID;

-- Counters that must not move unseen: 'generation' rises whenever assignments change.
CREATE TABLE counters (
    name  TEXT    PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO counters (name, value) VALUES ('generation', 0);
