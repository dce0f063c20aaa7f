-- The seal: what waits to be sealed, sealed records, the entries of the log, its checkpoints, time-stamps and witnesses.

-- Steps of cases (1), batches of reports (0), evidence (2), erasures (3) and bundles given out (4) that are not sealed yet. A row
-- stands for all of a case's steps up to its ordinal; party, chain and severity are those of the case when they were written.
CREATE TABLE unsealed (
    what    BIGINT NOT NULL,
    target  BIGINT NOT NULL,
    ordinal BIGINT NOT NULL,
    party   BIGINT NOT NULL,
    -- Number of the chain, 0 for none; -1 is no severity.
    chain   BIGINT NOT NULL,
    severity BIGINT NOT NULL,
    urgent  BIGINT NOT NULL,
    PRIMARY KEY (what, target, ordinal)
);
CREATE INDEX unsealed_urgent ON unsealed (what, target) WHERE urgent = 1;
-- What happened before there was a log is sealed late, and says so.
INSERT INTO unsealed (what, target, ordinal, party, chain, severity, urgent)
    SELECT 1, s.case_id, max(s.ordinal), c.holder, coalesce(c.chain, 0), c.severity, 0
    FROM steps s JOIN cases c ON c.id = s.case_id GROUP BY s.case_id, c.holder, c.chain, c.severity;

-- SHA-256 of the bytes of a submission, for whoever sent it to find it again; NULL when it is not known or was erased.
ALTER TABLE submissions ADD COLUMN sha256 BYTEA;

-- Streams: of a case (1, its number), of a submission's batches (0, its number), of the node (2, 0).
CREATE TABLE heads (
    what    BIGINT NOT NULL,
    target  BIGINT NOT NULL,
    -- Sequence number and commitment of the last record, and the ordinal of the last step that is sealed.
    seq     BIGINT NOT NULL,
    commitment BYTEA NOT NULL,
    ordinal BIGINT NOT NULL,
    -- Number of its first record: the secret of the stream follows from that one's key.
    first   BIGINT NOT NULL,
    -- Number of the chain that held when it was written; 0 for none.
    chain   BIGINT NOT NULL,
    PRIMARY KEY (what, target)
);
CREATE TABLE party_heads (
    party      BIGINT NOT NULL PRIMARY KEY,
    seq        BIGINT NOT NULL,
    commitment BYTEA    NOT NULL
);

-- Sealed records, numbered over all shards. Values are encrypted, each field under a key of its own that is in keys.db only.
CREATE TABLE records (
    number  BIGINT PRIMARY KEY,
    what    BIGINT NOT NULL,
    target  BIGINT NOT NULL,
    seq     BIGINT NOT NULL,
    kind    BIGINT NOT NULL,
    shard   BIGINT NOT NULL,
    idx     BIGINT NOT NULL,
    -- The step, batch or row that it is of.
    ordinal BIGINT NOT NULL,
    -- The party whose letters it is counted among; 0 for none.
    party   BIGINT NOT NULL,
    party_seq BIGINT NOT NULL,
    nonce   BYTEA    NOT NULL,
    sealed  BYTEA    NOT NULL
);
CREATE UNIQUE INDEX records_stream ON records (what, target, seq);
CREATE UNIQUE INDEX records_letters ON records (party, party_seq) WHERE party <> 0;
-- Commitments to the reports of a batch that is sealed, 32 bytes each, under the numbers of their fields: so that the proof of one
-- report stays, whatever becomes of the others.
CREATE TABLE leaves (
    id   BIGINT PRIMARY KEY,
    data BYTEA NOT NULL
);
-- Fields of records (1: number and ordinal), and reports of batches (0: the batch's number, the report's place), whose keys were
-- cut out, and the number of the record that says so.
CREATE TABLE erased (
    what    BIGINT NOT NULL,
    number  BIGINT NOT NULL,
    ordinal BIGINT NOT NULL,
    record  BIGINT NOT NULL,
    -- The salted digest of the field, or the commitment to the report: bundles still need it.
    digest  BYTEA NOT NULL,
    PRIMARY KEY (what, number, ordinal)
);
CREATE INDEX erased_record ON erased (record);
-- Erasures: to be announced (0), to be done (1), to be confirmed (2), over (3). Until then `erased.record` is the number here, negative.
CREATE TABLE erasing (
    id         BIGINT PRIMARY KEY,
    stage      BIGINT NOT NULL,
    ground     TEXT NOT NULL,
    authority  TEXT NOT NULL,
    keys_until BIGINT NOT NULL
);
CREATE INDEX erasing_stage ON erasing (stage);

-- The log. Entries are what the tree is made of; tiles on disk follow from them.
CREATE TABLE shards (
    id     BIGINT PRIMARY KEY,
    origin TEXT COLLATE "C"    NOT NULL UNIQUE,
    began  BIGINT NOT NULL,
    ended  BIGINT
);
CREATE TABLE entries (
    shard BIGINT NOT NULL,
    idx   BIGINT NOT NULL,
    entry BYTEA    NOT NULL,
    PRIMARY KEY (shard, idx)
);
-- Checkpoints that were published, and the last that was signed (published is NULL).
CREATE TABLE checkpoints (
    shard     BIGINT NOT NULL,
    size      BIGINT NOT NULL,
    root      BYTEA    NOT NULL,
    note      TEXT COLLATE "C"    NOT NULL,
    signed    BIGINT NOT NULL,
    published BIGINT,
    PRIMARY KEY (shard, size)
);
CREATE TABLE cosignatures (
    shard   BIGINT NOT NULL,
    size    BIGINT NOT NULL,
    witness TEXT COLLATE "C"    NOT NULL,
    line    TEXT COLLATE "C"    NOT NULL,
    at      BIGINT NOT NULL,
    PRIMARY KEY (shard, size, witness)
);
CREATE INDEX cosignatures_newest ON cosignatures (witness, at);
-- Time-stamps over published checkpoints, in the order in which they came, and the entry that says so, once there is one.
CREATE TABLE anchors (
    id       BIGINT PRIMARY KEY,
    shard    BIGINT NOT NULL,
    size     BIGINT NOT NULL,
    tsa      TEXT COLLATE "C"    NOT NULL,
    stamped  BIGINT NOT NULL,
    idx      BIGINT,
    -- Whether it is a renewal, over all before it too.
    archive  BIGINT NOT NULL,
    response BYTEA    NOT NULL
);
CREATE UNIQUE INDEX anchors_tsa ON anchors (shard, tsa, archive, size);
CREATE INDEX anchors_entry ON anchors (shard, idx);
CREATE INDEX anchors_archive ON anchors (id) WHERE archive = 1;

-- Logs of others that this node is a witness of: the largest checkpoint it has cosigned of each.
CREATE TABLE witnessed (
    origin TEXT COLLATE "C"    NOT NULL PRIMARY KEY,
    size   BIGINT NOT NULL,
    root   BYTEA    NOT NULL,
    note   TEXT COLLATE "C"    NOT NULL,
    at     BIGINT NOT NULL
);
-- Logs of others that this node looks at: the largest checkpoint it has seen of each.
CREATE TABLE watched (
    origin TEXT COLLATE "C"    NOT NULL PRIMARY KEY,
    size   BIGINT NOT NULL,
    root   BYTEA    NOT NULL,
    note   TEXT COLLATE "C"    NOT NULL,
    at     BIGINT NOT NULL
);
-- Checkpoints of one log that do not fit together: kept, with the proof if there is one.
CREATE TABLE forks (
    id     BIGINT PRIMARY KEY,
    origin TEXT COLLATE "C"    NOT NULL,
    found  BIGINT NOT NULL,
    proven BIGINT NOT NULL,
    proof  TEXT COLLATE "C"    NOT NULL
);

-- What others wrote or answered, on its way into a record: encrypted, under a key in keys.db that goes when it is sealed.
CREATE TABLE evidence (
    id         BIGINT PRIMARY KEY,
    public     BYTEA    NOT NULL UNIQUE,
    case_id    BIGINT NOT NULL,
    kind       TEXT COLLATE "C"    NOT NULL,
    media      TEXT COLLATE "C"    NOT NULL,
    -- Number of the record that it belongs to; -1 for none.
    about      BIGINT NOT NULL,
    recipient  TEXT COLLATE "C"    NOT NULL,
    message_id TEXT COLLATE "C"    NOT NULL,
    at         BIGINT NOT NULL,
    person     TEXT COLLATE "C"    NOT NULL,
    content    BYTEA    NOT NULL
);

-- Bundles and receipts that were given to somebody, on their way into a record of their case.
CREATE TABLE issued (
    id        BIGINT PRIMARY KEY,
    case_id   BIGINT NOT NULL,
    recipient TEXT COLLATE "C"    NOT NULL,
    -- SHA-256 of the file, and how many records are in it.
    bundle    BYTEA    NOT NULL,
    records   BIGINT NOT NULL,
    at        BIGINT NOT NULL,
    person    TEXT COLLATE "C"    NOT NULL
);
