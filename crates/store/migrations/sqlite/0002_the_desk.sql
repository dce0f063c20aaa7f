-- The desk: policy, clocks, outbox, alerts, corrections, what people do, and how long things are kept.
-- Only additions: the program that knew 0001 could have run on it.

-- What rules may ask for, one to a line.
CREATE TABLE traits (
    id   INTEGER PRIMARY KEY,
    text TEXT    NOT NULL UNIQUE
) STRICT;

-- Versions of the policy that were in force. The file is the truth; these say what held when.
CREATE TABLE policies (
    id     INTEGER PRIMARY KEY,
    digest BLOB    NOT NULL,
    text   TEXT    NOT NULL,
    file   TEXT    NOT NULL,
    since  INTEGER NOT NULL
) STRICT;

-- How old a source of administration may be before letters about its ranges wait, in milliseconds; 0 for ever.
ALTER TABLE sources ADD COLUMN fresh INTEGER NOT NULL DEFAULT 0;

ALTER TABLE cases ADD COLUMN severity INTEGER NOT NULL DEFAULT 3;
ALTER TABLE cases ADD COLUMN policy INTEGER NOT NULL DEFAULT 0;
ALTER TABLE cases ADD COLUMN rule TEXT NOT NULL DEFAULT '';
-- What rules may ask for (model::policy::traits_of), by its number: most cases share theirs with thousands of others, and
-- what is written with every case has to be small. 0 for nothing.
ALTER TABLE cases ADD COLUMN traits INTEGER NOT NULL DEFAULT 0;
ALTER TABLE cases ADD COLUMN confidence INTEGER NOT NULL DEFAULT 0;
-- Hash of the first reporter, to see that another says the same.
ALTER TABLE cases ADD COLUMN reporter INTEGER NOT NULL DEFAULT 0;
-- Bits: 1 authenticated, 2 corroborated, 4 decided about, 8 observed, 16 holder changed, 32 others than one feed report it,
-- 64 the sender of packets may be another than it seems.
ALTER TABLE cases ADD COLUMN marks INTEGER NOT NULL DEFAULT 0;
ALTER TABLE cases ADD COLUMN acknowledge_due INTEGER;
ALTER TABLE cases ADD COLUMN customer_due INTEGER;
ALTER TABLE cases ADD COLUMN fix_due INTEGER;
ALTER TABLE cases ADD COLUMN force_due INTEGER;
ALTER TABLE cases ADD COLUMN told INTEGER;
ALTER TABLE cases ADD COLUMN rung INTEGER NOT NULL DEFAULT 0;
ALTER TABLE cases ADD COLUMN handler TEXT NOT NULL DEFAULT '';
ALTER TABLE cases ADD COLUMN snoozed INTEGER;
ALTER TABLE cases ADD COLUMN disputed INTEGER;
-- End of the shortest term that an order or notice sets.
ALTER TABLE cases ADD COLUMN ordered INTEGER;
-- Arrival of the first report that is no history, and of the last.
ALTER TABLE cases ADD COLUMN received INTEGER NOT NULL DEFAULT 0;
ALTER TABLE cases ADD COLUMN last_received INTEGER NOT NULL DEFAULT 0;
ALTER TABLE cases ADD COLUMN feed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE cases ADD COLUMN feed_run INTEGER NOT NULL DEFAULT 0;
ALTER TABLE cases ADD COLUMN closed INTEGER;
ALTER TABLE cases ADD COLUMN closure INTEGER;
-- When it is to be looked at again; the desk works these off in order.
ALTER TABLE cases ADD COLUMN next_due INTEGER;
-- What was closed and is seen again is opened again.
CREATE INDEX cases_ended ON cases (key, closed) WHERE state = 1;
CREATE INDEX cases_due ON cases (next_due, id) WHERE next_due IS NOT NULL;
-- What people list: what is to be mended first, what is theirs, and what is worst.
CREATE INDEX cases_fix ON cases (severity, fix_due, id) WHERE state = 0 AND fix_due IS NOT NULL;
CREATE INDEX cases_handler ON cases (handler, id) WHERE handler <> '';
CREATE INDEX cases_urgent ON cases (severity, id) WHERE severity < 2;
-- Open cases of before get their rule and clocks at the first look; history has none.
UPDATE cases SET received = opened, last_received = opened;
UPDATE cases SET next_due = 0 WHERE state = 0 AND history = 0;

ALTER TABLE steps ADD COLUMN person TEXT NOT NULL DEFAULT '';
ALTER TABLE steps ADD COLUMN rule TEXT NOT NULL DEFAULT '';
ALTER TABLE steps ADD COLUMN due INTEGER;

-- What decide saw beside the case itself: reports that joined it, by day of arrival. What is of no other day is of the day
-- on which it was opened, which has no row.
CREATE TABLE case_days (
    case_id INTEGER NOT NULL,
    day     INTEGER NOT NULL,
    reports INTEGER NOT NULL,
    PRIMARY KEY (case_id, day)
) STRICT, WITHOUT ROWID;

-- What is to be sent or done. Entries to one party for one purpose that become ready together are one letter.
CREATE TABLE outbox (
    id       INTEGER PRIMARY KEY,
    public   BLOB    NOT NULL UNIQUE,
    purpose  INTEGER NOT NULL,
    party    INTEGER NOT NULL,
    -- Who is meant when it is no party (a reporter), or what is meant (a service); empty else.
    subject  TEXT    NOT NULL,
    severity INTEGER NOT NULL,
    hold     INTEGER NOT NULL,
    delivery INTEGER NOT NULL,
    created  INTEGER NOT NULL,
    ready    INTEGER NOT NULL,
    cases    INTEGER NOT NULL,
    ended    INTEGER,
    reason   TEXT    NOT NULL,
    -- Who said that it may go, or threw it away; of two, the first.
    person   TEXT    NOT NULL
) STRICT;
CREATE UNIQUE INDEX outbox_gather ON outbox (party, purpose, subject, severity, ready, hold) WHERE delivery = 0;
CREATE INDEX outbox_ready ON outbox (ready, id) WHERE delivery = 0;
CREATE INDEX outbox_held ON outbox (hold, id) WHERE delivery = 0;
CREATE TABLE outbox_cases (
    case_id INTEGER NOT NULL,
    entry   INTEGER NOT NULL REFERENCES outbox (id),
    PRIMARY KEY (case_id, entry)
) STRICT, WITHOUT ROWID;
CREATE INDEX outbox_cases_entry ON outbox_cases (entry, case_id);
-- How much the outbox took in, by hour: what the brake compares with. Receipts to senders who proved nothing are counted
-- beyond what was written, so that forged ones cannot fill the disk.
CREATE TABLE outbox_hours (
    hour         INTEGER NOT NULL PRIMARY KEY,
    letters      INTEGER NOT NULL,
    restrictions INTEGER NOT NULL,
    receipts     INTEGER NOT NULL
) STRICT;

-- Feeds, and how often each came: a case that its feed names no more is closed.
CREATE TABLE feeds (
    id    INTEGER PRIMARY KEY,
    name  TEXT    NOT NULL UNIQUE,
    runs  INTEGER NOT NULL,
    first INTEGER NOT NULL,
    last  INTEGER NOT NULL,
    -- Usual time between two runs, in milliseconds; 0 when not yet known.
    every INTEGER NOT NULL,
    -- The latest times between two runs, in milliseconds, a space between them.
    gaps  TEXT    NOT NULL,
    -- Submission of the last run.
    submission INTEGER NOT NULL
) STRICT;

-- Corrections of the administration that a person has to look at (0), and what was decided: moved (1), left (2).
CREATE TABLE holder_changes (
    case_id   INTEGER NOT NULL REFERENCES cases (id),
    found     INTEGER NOT NULL,
    old_party INTEGER NOT NULL,
    new_party INTEGER NOT NULL,
    reports   INTEGER NOT NULL,
    of_all    INTEGER NOT NULL,
    outcome   INTEGER NOT NULL,
    decided   INTEGER,
    person    TEXT    NOT NULL,
    reason    TEXT    NOT NULL,
    PRIMARY KEY (case_id, found)
) STRICT, WITHOUT ROWID;
CREATE INDEX holder_changes_open ON holder_changes (found, case_id) WHERE outcome = 0;

-- Where and when the administration of the past was changed: cases about it are traced once more, and the row goes when all
-- of them have been. 'name' is a name, or '*' for any; a row with a party is about that party's cases.
CREATE TABLE rechecks (
    id     INTEGER PRIMARY KEY,
    first  BLOB,
    last   BLOB,
    name   TEXT,
    party  INTEGER,
    since  INTEGER NOT NULL,
    until  INTEGER NOT NULL,
    -- How far the look through the cases has come.
    case_id INTEGER NOT NULL
) STRICT;

-- What counts against a party: confirmed cases (1) and letters ignored (2). Withdrawn ones count no more.
CREATE TABLE strikes (
    party     INTEGER NOT NULL REFERENCES parties (id),
    case_id   INTEGER NOT NULL REFERENCES cases (id),
    cause     INTEGER NOT NULL,
    severity  INTEGER NOT NULL,
    at        INTEGER NOT NULL,
    withdrawn INTEGER,
    reason    TEXT    NOT NULL,
    PRIMARY KEY (party, case_id, cause)
) STRICT, WITHOUT ROWID;
CREATE INDEX strikes_case ON strikes (case_id);

-- Cases that became part of another.
CREATE TABLE merges (
    case_id INTEGER NOT NULL PRIMARY KEY REFERENCES cases (id),
    into_case INTEGER NOT NULL REFERENCES cases (id),
    at      INTEGER NOT NULL
) STRICT;
CREATE INDEX merges_into ON merges (into_case);

-- What a person did to one or many cases at once, and how those were before, so that it can be undone.
CREATE TABLE acts (
    id     INTEGER PRIMARY KEY,
    public BLOB    NOT NULL UNIQUE,
    verb   TEXT    NOT NULL,
    person TEXT    NOT NULL,
    reason TEXT    NOT NULL,
    at     INTEGER NOT NULL,
    cases  INTEGER NOT NULL,
    undone INTEGER
) STRICT;
CREATE TABLE act_cases (
    act     INTEGER NOT NULL REFERENCES acts (id),
    case_id INTEGER NOT NULL REFERENCES cases (id),
    before  TEXT    NOT NULL,
    PRIMARY KEY (act, case_id)
) STRICT, WITHOUT ROWID;

-- What wakes a person. One open row a key: until its cause is gone, or a person has acknowledged what has no end of its own.
CREATE TABLE alerts (
    id           INTEGER PRIMARY KEY,
    public       BLOB    NOT NULL UNIQUE,
    kind         INTEGER NOT NULL,
    key          TEXT    NOT NULL,
    severity     INTEGER NOT NULL,
    -- For people; names cases and sources, never persons, addresses or locations.
    text         TEXT    NOT NULL,
    raised       INTEGER NOT NULL,
    last         INTEGER NOT NULL,
    count        INTEGER NOT NULL,
    due          INTEGER,
    acknowledged INTEGER,
    person       TEXT    NOT NULL,
    ended        INTEGER
) STRICT;
CREATE UNIQUE INDEX alerts_open ON alerts (key) WHERE ended IS NULL;
CREATE INDEX alerts_kind ON alerts (kind, severity) WHERE ended IS NULL;

-- When which receiver was last told of an alert, and how often. Known when it is told again, after a restart too.
CREATE TABLE alert_told (
    alert    INTEGER NOT NULL REFERENCES alerts (id),
    receiver TEXT    NOT NULL,
    at       INTEGER NOT NULL,
    times    INTEGER NOT NULL,
    PRIMARY KEY (alert, receiver)
) STRICT, WITHOUT ROWID;

-- How it goes with each receiver of alerts: messages of its present hour, and whether its channel works.
CREATE TABLE alert_receivers (
    name     TEXT    NOT NULL PRIMARY KEY,
    hour     INTEGER NOT NULL,
    sent     INTEGER NOT NULL,
    urgent   INTEGER NOT NULL,
    messages INTEGER NOT NULL,
    failures INTEGER NOT NULL,
    failing  INTEGER NOT NULL,
    next_try INTEGER,
    last_ok  INTEGER,
    trouble  TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

-- Submissions that are perhaps the order of an authority: a person says whether (0 not yet, 1 it is, 2 it is not).
CREATE TABLE orders (
    submission INTEGER NOT NULL PRIMARY KEY REFERENCES submissions (id),
    found      INTEGER NOT NULL,
    due        INTEGER NOT NULL,
    -- Why it looks like one, in words of ours.
    why        TEXT    NOT NULL,
    outcome    INTEGER NOT NULL,
    -- End of the term that it sets.
    ends       INTEGER,
    decided    INTEGER,
    person     TEXT    NOT NULL,
    reason     TEXT    NOT NULL
) STRICT;
CREATE INDEX orders_waiting ON orders (due, submission) WHERE outcome = 0;

-- What retention and 'forget' did: proof that it was done, without what it was done to.
CREATE TABLE erasures (
    id     INTEGER PRIMARY KEY,
    at     INTEGER NOT NULL,
    what   TEXT    NOT NULL,
    why    TEXT    NOT NULL,
    person TEXT    NOT NULL,
    count  INTEGER NOT NULL,
    bytes  INTEGER NOT NULL
) STRICT;
CREATE INDEX submissions_received ON submissions (received);
CREATE INDEX cases_closed ON cases (closed) WHERE closed IS NOT NULL;

-- What nothing may be erased of, by a person's word: a case (0) or a party (1) and everything of it.
CREATE TABLE holds (
    id     INTEGER PRIMARY KEY,
    what   INTEGER NOT NULL,
    target INTEGER NOT NULL,
    reason TEXT NOT NULL,
    person TEXT NOT NULL,
    since  INTEGER NOT NULL,
    ended  INTEGER,
    ended_by TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX holds_open ON holds (what, target) WHERE ended IS NULL;

-- Who has one resource at one level: what a change of it is compared with.
CREATE INDEX assignments_range ON assignments (first, last) WHERE superseded IS NULL AND first IS NOT NULL;
CREATE INDEX assignments_name ON assignments (name) WHERE superseded IS NULL AND name IS NOT NULL;
