-- The desk: policy, clocks, outbox, alerts, corrections, what people do, and how long things are kept.
-- Only additions: the program that knew 0001 could have run on it.

-- What rules may ask for, one to a line.
CREATE TABLE traits (
    id   BIGINT PRIMARY KEY,
    text TEXT COLLATE "C" NOT NULL UNIQUE
);

-- Versions of the policy that were in force. The file is the truth; these say what held when.
CREATE TABLE policies (
    id     BIGINT PRIMARY KEY,
    digest BYTEA NOT NULL,
    text   TEXT COLLATE "C" NOT NULL,
    file   TEXT COLLATE "C" NOT NULL,
    since  BIGINT NOT NULL
);

-- How old a source of administration may be before letters about its ranges wait, in milliseconds; 0 for ever.
ALTER TABLE sources ADD COLUMN fresh BIGINT NOT NULL DEFAULT 0;

ALTER TABLE cases ADD COLUMN severity BIGINT NOT NULL DEFAULT 3;
ALTER TABLE cases ADD COLUMN policy BIGINT NOT NULL DEFAULT 0;
ALTER TABLE cases ADD COLUMN rule TEXT COLLATE "C" NOT NULL DEFAULT '';
-- What rules may ask for (model::policy::traits_of), by its number: most cases share theirs with thousands of others, and
-- what is written with every case has to be small. 0 for nothing.
ALTER TABLE cases ADD COLUMN traits BIGINT NOT NULL DEFAULT 0;
ALTER TABLE cases ADD COLUMN confidence BIGINT NOT NULL DEFAULT 0;
-- Hash of the first reporter, to see that another says the same.
ALTER TABLE cases ADD COLUMN reporter BIGINT NOT NULL DEFAULT 0;
-- Bits: 1 authenticated, 2 corroborated, 4 decided about, 8 observed, 16 holder changed, 32 others than one feed report it,
-- 64 the sender of packets may be another than it seems.
ALTER TABLE cases ADD COLUMN marks BIGINT NOT NULL DEFAULT 0;
ALTER TABLE cases ADD COLUMN acknowledge_due BIGINT;
ALTER TABLE cases ADD COLUMN customer_due BIGINT;
ALTER TABLE cases ADD COLUMN fix_due BIGINT;
ALTER TABLE cases ADD COLUMN force_due BIGINT;
ALTER TABLE cases ADD COLUMN told BIGINT;
ALTER TABLE cases ADD COLUMN rung BIGINT NOT NULL DEFAULT 0;
ALTER TABLE cases ADD COLUMN handler TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE cases ADD COLUMN snoozed BIGINT;
ALTER TABLE cases ADD COLUMN disputed BIGINT;
-- End of the shortest term that an order or notice sets.
ALTER TABLE cases ADD COLUMN ordered BIGINT;
-- Arrival of the first report that is no history, and of the last.
ALTER TABLE cases ADD COLUMN received BIGINT NOT NULL DEFAULT 0;
ALTER TABLE cases ADD COLUMN last_received BIGINT NOT NULL DEFAULT 0;
ALTER TABLE cases ADD COLUMN feed BIGINT NOT NULL DEFAULT 0;
ALTER TABLE cases ADD COLUMN feed_run BIGINT NOT NULL DEFAULT 0;
ALTER TABLE cases ADD COLUMN closed BIGINT;
ALTER TABLE cases ADD COLUMN closure BIGINT;
-- When it is to be looked at again; the desk works these off in order.
ALTER TABLE cases ADD COLUMN next_due BIGINT;
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

ALTER TABLE steps ADD COLUMN person TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE steps ADD COLUMN rule TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE steps ADD COLUMN due BIGINT;

-- What decide saw beside the case itself: reports that joined it, by day of arrival. What is of no other day is of the day
-- on which it was opened, which has no row.
CREATE TABLE case_days (
    case_id BIGINT NOT NULL,
    day     BIGINT NOT NULL,
    reports BIGINT NOT NULL,
    PRIMARY KEY (case_id, day)
);

-- What is to be sent or done. Entries to one party for one purpose that become ready together are one letter.
-- Half of each page is left free: most letters are added to by every batch, which then touches no index.
CREATE TABLE outbox (
    id       BIGINT PRIMARY KEY,
    public   BYTEA NOT NULL UNIQUE,
    purpose  BIGINT NOT NULL,
    party    BIGINT NOT NULL,
    -- Who is meant when it is no party (a reporter), or what is meant (a service); empty else.
    subject  TEXT COLLATE "C" NOT NULL,
    severity BIGINT NOT NULL,
    hold     BIGINT NOT NULL,
    delivery BIGINT NOT NULL,
    created  BIGINT NOT NULL,
    ready    BIGINT NOT NULL,
    cases    BIGINT NOT NULL,
    ended    BIGINT,
    reason   TEXT COLLATE "C" NOT NULL,
    -- Who said that it may go, or threw it away; of two, the first.
    person   TEXT COLLATE "C" NOT NULL
) WITH (fillfactor = 50);
CREATE UNIQUE INDEX outbox_gather ON outbox (party, purpose, subject, severity, ready, hold) WHERE delivery = 0;
CREATE INDEX outbox_ready ON outbox (ready, id) WHERE delivery = 0;
CREATE INDEX outbox_held ON outbox (hold, id) WHERE delivery = 0;
CREATE TABLE outbox_cases (
    case_id BIGINT NOT NULL,
    entry   BIGINT NOT NULL,
    PRIMARY KEY (case_id, entry)
);
CREATE INDEX outbox_cases_entry ON outbox_cases (entry, case_id);
-- How much the outbox took in, by hour: what the brake compares with. Receipts to senders who proved nothing are counted
-- beyond what was written, so that forged ones cannot fill the disk.
CREATE TABLE outbox_hours (
    hour         BIGINT NOT NULL PRIMARY KEY,
    letters      BIGINT NOT NULL,
    restrictions BIGINT NOT NULL,
    receipts     BIGINT NOT NULL
);

-- Feeds, and how often each came: a case that its feed names no more is closed.
CREATE TABLE feeds (
    id    BIGINT PRIMARY KEY,
    name  TEXT COLLATE "C" NOT NULL UNIQUE,
    runs  BIGINT NOT NULL,
    first BIGINT NOT NULL,
    last  BIGINT NOT NULL,
    -- Usual time between two runs, in milliseconds; 0 when not yet known.
    every BIGINT NOT NULL,
    -- The latest times between two runs, in milliseconds, a space between them.
    gaps  TEXT COLLATE "C" NOT NULL,
    -- Submission of the last run.
    submission BIGINT NOT NULL
);

-- Corrections of the administration that a person has to look at (0), and what was decided: moved (1), left (2).
CREATE TABLE holder_changes (
    case_id   BIGINT NOT NULL,
    found     BIGINT NOT NULL,
    old_party BIGINT NOT NULL,
    new_party BIGINT NOT NULL,
    reports   BIGINT NOT NULL,
    of_all    BIGINT NOT NULL,
    outcome   BIGINT NOT NULL,
    decided   BIGINT,
    person    TEXT COLLATE "C" NOT NULL,
    reason    TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (case_id, found)
);
CREATE INDEX holder_changes_open ON holder_changes (found, case_id) WHERE outcome = 0;

-- Where and when the administration of the past was changed: cases about it are traced once more, and the row goes when all
-- of them have been. 'name' is a name, or '*' for any; a row with a party is about that party's cases.
CREATE TABLE rechecks (
    id     BIGINT PRIMARY KEY,
    first  BYTEA,
    last   BYTEA,
    name   TEXT COLLATE "C",
    party  BIGINT,
    since  BIGINT NOT NULL,
    until  BIGINT NOT NULL,
    -- How far the look through the cases has come.
    case_id BIGINT NOT NULL
);

-- What counts against a party: confirmed cases (1) and letters ignored (2). Withdrawn ones count no more.
CREATE TABLE strikes (
    party     BIGINT NOT NULL,
    case_id   BIGINT NOT NULL,
    cause     BIGINT NOT NULL,
    severity  BIGINT NOT NULL,
    at        BIGINT NOT NULL,
    withdrawn BIGINT,
    reason    TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (party, case_id, cause)
);
CREATE INDEX strikes_case ON strikes (case_id);

-- Cases that became part of another.
CREATE TABLE merges (
    case_id BIGINT NOT NULL PRIMARY KEY,
    into_case BIGINT NOT NULL,
    at      BIGINT NOT NULL
);
CREATE INDEX merges_into ON merges (into_case);

-- What a person did to one or many cases at once, and how those were before, so that it can be undone.
CREATE TABLE acts (
    id     BIGINT PRIMARY KEY,
    public BYTEA NOT NULL UNIQUE,
    verb   TEXT COLLATE "C" NOT NULL,
    person TEXT COLLATE "C" NOT NULL,
    reason TEXT COLLATE "C" NOT NULL,
    at     BIGINT NOT NULL,
    cases  BIGINT NOT NULL,
    undone BIGINT
);
CREATE TABLE act_cases (
    act     BIGINT NOT NULL,
    case_id BIGINT NOT NULL,
    before  TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (act, case_id)
);

-- What wakes a person. One open row a key: until its cause is gone, or a person has acknowledged what has no end of its own.
CREATE TABLE alerts (
    id           BIGINT PRIMARY KEY,
    public       BYTEA NOT NULL UNIQUE,
    kind         BIGINT NOT NULL,
    key          TEXT COLLATE "C" NOT NULL,
    severity     BIGINT NOT NULL,
    -- For people; names cases and sources, never persons, addresses or locations.
    text         TEXT COLLATE "C" NOT NULL,
    raised       BIGINT NOT NULL,
    last         BIGINT NOT NULL,
    count        BIGINT NOT NULL,
    due          BIGINT,
    acknowledged BIGINT,
    person       TEXT COLLATE "C" NOT NULL,
    ended        BIGINT
);
CREATE UNIQUE INDEX alerts_open ON alerts (key) WHERE ended IS NULL;
CREATE INDEX alerts_kind ON alerts (kind, severity) WHERE ended IS NULL;

-- When which receiver was last told of an alert, and how often. Known when it is told again, after a restart too.
CREATE TABLE alert_told (
    alert    BIGINT NOT NULL,
    receiver TEXT COLLATE "C" NOT NULL,
    at       BIGINT NOT NULL,
    times    BIGINT NOT NULL,
    PRIMARY KEY (alert, receiver)
);

-- How it goes with each receiver of alerts: messages of its present hour, and whether its channel works.
CREATE TABLE alert_receivers (
    name     TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    hour     BIGINT NOT NULL,
    sent     BIGINT NOT NULL,
    urgent   BIGINT NOT NULL,
    messages BIGINT NOT NULL,
    failures BIGINT NOT NULL,
    failing  BIGINT NOT NULL,
    next_try BIGINT,
    last_ok  BIGINT,
    trouble  TEXT COLLATE "C" NOT NULL
);

-- Submissions that are perhaps the order of an authority: a person says whether (0 not yet, 1 it is, 2 it is not).
CREATE TABLE orders (
    submission BIGINT NOT NULL PRIMARY KEY,
    found      BIGINT NOT NULL,
    due        BIGINT NOT NULL,
    -- Why it looks like one, in words of ours.
    why        TEXT COLLATE "C" NOT NULL,
    outcome    BIGINT NOT NULL,
    -- End of the term that it sets.
    ends       BIGINT,
    decided    BIGINT,
    person     TEXT COLLATE "C" NOT NULL,
    reason     TEXT COLLATE "C" NOT NULL
);
CREATE INDEX orders_waiting ON orders (due, submission) WHERE outcome = 0;

-- What retention and 'forget' did: proof that it was done, without what it was done to.
CREATE TABLE erasures (
    id     BIGINT PRIMARY KEY,
    at     BIGINT NOT NULL,
    what   TEXT COLLATE "C" NOT NULL,
    why    TEXT COLLATE "C" NOT NULL,
    person TEXT COLLATE "C" NOT NULL,
    count  BIGINT NOT NULL,
    bytes  BIGINT NOT NULL
);
CREATE INDEX submissions_received ON submissions (received);
CREATE INDEX cases_closed ON cases (closed) WHERE closed IS NOT NULL;

-- What nothing may be erased of, by a person's word: a case (0) or a party (1) and everything of it.
CREATE TABLE holds (
    id     BIGINT PRIMARY KEY,
    what   BIGINT NOT NULL,
    target BIGINT NOT NULL,
    reason TEXT COLLATE "C" NOT NULL,
    person TEXT COLLATE "C" NOT NULL,
    since  BIGINT NOT NULL,
    ended  BIGINT,
    ended_by TEXT COLLATE "C" NOT NULL
);
CREATE UNIQUE INDEX holds_open ON holds (what, target) WHERE ended IS NULL;

-- Who has one resource at one level: what a change of it is compared with.
CREATE INDEX assignments_range ON assignments (first, last) WHERE superseded IS NULL AND first IS NOT NULL;
CREATE INDEX assignments_name ON assignments (name) WHERE superseded IS NULL AND name IS NOT NULL;
