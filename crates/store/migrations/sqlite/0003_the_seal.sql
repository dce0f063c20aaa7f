-- The seal: what waits to be sealed, sealed records, the entries of the log, its checkpoints, time-stamps and witnesses.

-- Steps of cases (1), batches of reports (0), evidence (2), erasures (3) and bundles given out (4) that are not sealed yet. A row
-- stands for all of a case's steps up to its ordinal; party, chain and severity are those of the case when they were written.
CREATE TABLE unsealed (
    what    INTEGER NOT NULL,
    target  INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    party   INTEGER NOT NULL,
    -- Number of the chain, 0 for none; -1 is no severity.
    chain   INTEGER NOT NULL,
    severity INTEGER NOT NULL,
    urgent  INTEGER NOT NULL,
    PRIMARY KEY (what, target, ordinal)
) STRICT, WITHOUT ROWID;
CREATE INDEX unsealed_urgent ON unsealed (what, target) WHERE urgent = 1;
-- What happened before there was a log is sealed late, and says so.
INSERT INTO unsealed (what, target, ordinal, party, chain, severity, urgent)
    SELECT 1, s.case_id, max(s.ordinal), c.holder, coalesce(c.chain, 0), c.severity, 0
    FROM steps s JOIN cases c ON c.id = s.case_id GROUP BY s.case_id, c.holder, c.chain, c.severity;

-- SHA-256 of the bytes of a submission, for whoever sent it to find it again; NULL when it is not known or was erased.
ALTER TABLE submissions ADD COLUMN sha256 BLOB;

-- Streams: of a case (1, its number), of a submission's batches (0, its number), of the node (2, 0).
CREATE TABLE heads (
    what    INTEGER NOT NULL,
    target  INTEGER NOT NULL,
    -- Sequence number and commitment of the last record, and the ordinal of the last step that is sealed.
    seq     INTEGER NOT NULL,
    commitment BLOB NOT NULL,
    ordinal INTEGER NOT NULL,
    -- Number of its first record: the secret of the stream follows from that one's key.
    first   INTEGER NOT NULL,
    -- Number of the chain that held when it was written; 0 for none.
    chain   INTEGER NOT NULL,
    PRIMARY KEY (what, target)
) STRICT, WITHOUT ROWID;
CREATE TABLE party_heads (
    party      INTEGER NOT NULL PRIMARY KEY,
    seq        INTEGER NOT NULL,
    commitment BLOB    NOT NULL
) STRICT;

-- Sealed records, numbered over all shards. Values are encrypted, each field under a key of its own that is in keys.db only.
CREATE TABLE records (
    number  INTEGER PRIMARY KEY,
    what    INTEGER NOT NULL,
    target  INTEGER NOT NULL,
    seq     INTEGER NOT NULL,
    kind    INTEGER NOT NULL,
    shard   INTEGER NOT NULL,
    idx     INTEGER NOT NULL,
    -- The step, batch or row that it is of.
    ordinal INTEGER NOT NULL,
    -- The party whose letters it is counted among; 0 for none.
    party   INTEGER NOT NULL,
    party_seq INTEGER NOT NULL,
    nonce   BLOB    NOT NULL,
    sealed  BLOB    NOT NULL
) STRICT;
CREATE UNIQUE INDEX records_stream ON records (what, target, seq);
CREATE UNIQUE INDEX records_letters ON records (party, party_seq) WHERE party <> 0;
-- Commitments to the reports of a batch that is sealed, 32 bytes each, under the numbers of their fields: so that the proof of one
-- report stays, whatever becomes of the others.
CREATE TABLE leaves (
    id   INTEGER PRIMARY KEY,
    data BLOB NOT NULL
) STRICT;
-- Fields of records (1: number and ordinal), and reports of batches (0: the batch's number, the report's place), whose keys were
-- cut out, and the number of the record that says so.
CREATE TABLE erased (
    what    INTEGER NOT NULL,
    number  INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    record  INTEGER NOT NULL,
    -- The salted digest of the field, or the commitment to the report: bundles still need it.
    digest  BLOB NOT NULL,
    PRIMARY KEY (what, number, ordinal)
) STRICT, WITHOUT ROWID;
CREATE INDEX erased_record ON erased (record);
-- Erasures: to be announced (0), to be done (1), to be confirmed (2), over (3). Until then `erased.record` is the number here, negative.
CREATE TABLE erasing (
    id         INTEGER PRIMARY KEY,
    stage      INTEGER NOT NULL,
    ground     TEXT NOT NULL,
    authority  TEXT NOT NULL,
    keys_until INTEGER NOT NULL
) STRICT;
CREATE INDEX erasing_stage ON erasing (stage);

-- The log. Entries are what the tree is made of; tiles on disk follow from them.
CREATE TABLE shards (
    id     INTEGER PRIMARY KEY,
    origin TEXT    NOT NULL UNIQUE,
    began  INTEGER NOT NULL,
    ended  INTEGER
) STRICT;
CREATE TABLE entries (
    shard INTEGER NOT NULL,
    idx   INTEGER NOT NULL,
    entry BLOB    NOT NULL,
    PRIMARY KEY (shard, idx)
) STRICT, WITHOUT ROWID;
-- Checkpoints that were published, and the last that was signed (published is NULL).
CREATE TABLE checkpoints (
    shard     INTEGER NOT NULL,
    size      INTEGER NOT NULL,
    root      BLOB    NOT NULL,
    note      TEXT    NOT NULL,
    signed    INTEGER NOT NULL,
    published INTEGER,
    PRIMARY KEY (shard, size)
) STRICT, WITHOUT ROWID;
CREATE TABLE cosignatures (
    shard   INTEGER NOT NULL,
    size    INTEGER NOT NULL,
    witness TEXT    NOT NULL,
    line    TEXT    NOT NULL,
    at      INTEGER NOT NULL,
    PRIMARY KEY (shard, size, witness)
) STRICT, WITHOUT ROWID;
CREATE INDEX cosignatures_newest ON cosignatures (witness, at);
-- Time-stamps over published checkpoints, in the order in which they came, and the entry that says so, once there is one.
CREATE TABLE anchors (
    id       INTEGER PRIMARY KEY,
    shard    INTEGER NOT NULL,
    size     INTEGER NOT NULL,
    tsa      TEXT    NOT NULL,
    stamped  INTEGER NOT NULL,
    idx      INTEGER,
    -- Whether it is a renewal, over all before it too.
    archive  INTEGER NOT NULL,
    response BLOB    NOT NULL
) STRICT;
CREATE UNIQUE INDEX anchors_tsa ON anchors (shard, tsa, archive, size);
CREATE INDEX anchors_entry ON anchors (shard, idx);
CREATE INDEX anchors_archive ON anchors (id) WHERE archive = 1;

-- Logs of others that this node is a witness of: the largest checkpoint it has cosigned of each.
CREATE TABLE witnessed (
    origin TEXT    NOT NULL PRIMARY KEY,
    size   INTEGER NOT NULL,
    root   BLOB    NOT NULL,
    note   TEXT    NOT NULL,
    at     INTEGER NOT NULL
) STRICT;
-- Logs of others that this node looks at: the largest checkpoint it has seen of each.
CREATE TABLE watched (
    origin TEXT    NOT NULL PRIMARY KEY,
    size   INTEGER NOT NULL,
    root   BLOB    NOT NULL,
    note   TEXT    NOT NULL,
    at     INTEGER NOT NULL
) STRICT;
-- Checkpoints of one log that do not fit together: kept, with the proof if there is one.
CREATE TABLE forks (
    id     INTEGER PRIMARY KEY,
    origin TEXT    NOT NULL,
    found  INTEGER NOT NULL,
    proven INTEGER NOT NULL,
    proof  TEXT    NOT NULL
) STRICT;

-- What others wrote or answered, on its way into a record: encrypted, under a key in keys.db that goes when it is sealed.
CREATE TABLE evidence (
    id         INTEGER PRIMARY KEY,
    public     BLOB    NOT NULL UNIQUE,
    case_id    INTEGER NOT NULL,
    kind       TEXT    NOT NULL,
    media      TEXT    NOT NULL,
    -- Number of the record that it belongs to; -1 for none.
    about      INTEGER NOT NULL,
    recipient  TEXT    NOT NULL,
    message_id TEXT    NOT NULL,
    at         INTEGER NOT NULL,
    person     TEXT    NOT NULL,
    content    BLOB    NOT NULL
) STRICT;

-- Bundles and receipts that were given to somebody, on their way into a record of their case.
CREATE TABLE issued (
    id        INTEGER PRIMARY KEY,
    case_id   INTEGER NOT NULL,
    recipient TEXT    NOT NULL,
    -- SHA-256 of the file, and how many records are in it.
    bundle    BLOB    NOT NULL,
    records   INTEGER NOT NULL,
    at        INTEGER NOT NULL,
    person    TEXT    NOT NULL
) STRICT;
