-- Received events that were processed: SHA-256 of Page and dedupe key.
CREATE TABLE inbox (
    key     bytea       PRIMARY KEY,
    -- Where in the ledger it was counted.
    receipt text,
    at      timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (autovacuum_vacuum_insert_scale_factor = 0.1);
CREATE INDEX inbox_age ON inbox USING brin (at);

-- Effects to be performed. The order of a lane is the order of seq.
CREATE TABLE outbox (
    seq          bigint      NOT NULL GENERATED ALWAYS AS IDENTITY,
    id           uuid        PRIMARY KEY,
    visitor      uuid        NOT NULL,
    class        text        NOT NULL,
    page_id      text        NOT NULL,
    kind         text        NOT NULL,
    message      uuid,
    conversation uuid        NOT NULL,
    -- Sealed with the visitor's key.
    body         bytea       NOT NULL,
    -- ready: waits; claimed: a relay has it; started: the attempt is on record and is never repeated blindly.
    state        text        NOT NULL CHECK (state IN ('ready', 'claimed', 'started')),
    -- The number of the newest attempt; 0 before the first.
    attempt      int         NOT NULL,
    due          timestamptz NOT NULL,
    relay        uuid,
    leased_until timestamptz,
    CHECK ((state = 'ready') = (leased_until IS NULL)),
    CHECK ((state = 'ready') = (relay IS NULL))
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);
ALTER TABLE outbox ALTER COLUMN body SET STORAGE EXTERNAL;
CREATE UNIQUE INDEX outbox_lane ON outbox (visitor, class, seq);
CREATE INDEX outbox_leases ON outbox (state, leased_until) WHERE state <> 'ready';

-- One row per visitor and class with work: serialises the effects. Only the effect with the smallest seq may run.
CREATE TABLE lane (
    visitor     uuid NOT NULL,
    class       text NOT NULL,
    page_id     text NOT NULL,
    -- When the first effect may go; null where nothing waits and the lane only remembers its quiet period.
    head_due    timestamptz,
    -- The first effect is claimed or started.
    busy        bool NOT NULL,
    -- After an attempt whose end is unknown nothing goes before this.
    quiet_until timestamptz,
    PRIMARY KEY (visitor, class)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);
CREATE INDEX lane_free ON lane (head_due) WHERE NOT busy AND head_due IS NOT NULL;
CREATE INDEX lane_quiet ON lane (quiet_until) WHERE head_due IS NULL;

-- Pages that may not send at present: token, budget or owner forbids it.
CREATE TABLE page_gate (
    page_id text        PRIMARY KEY,
    reason  text        NOT NULL,
    since   timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- What could not be processed: sealed with the service's key, redrivable.
CREATE TABLE quarantine (
    id       uuid        PRIMARY KEY,
    kind     text        NOT NULL,
    reason   text        NOT NULL,
    page_id  text,
    envelope bytea       NOT NULL,
    body     bytea       NOT NULL,
    at       timestamptz NOT NULL
);
CREATE INDEX quarantine_page ON quarantine (page_id, at, id) WHERE kind = 'unknown_page';

-- The right to do something alone, until it lapses. The epoch rises with every new holder.
CREATE TABLE lease (
    name   text        PRIMARY KEY,
    holder uuid,
    epoch  bigint      NOT NULL,
    until  timestamptz NOT NULL
);

-- Answers to commands that carried a key.
CREATE TABLE idempotency (
    person      uuid        NOT NULL,
    key         text        NOT NULL,
    fingerprint text        NOT NULL,
    response    jsonb       NOT NULL,
    at          timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (person, key)
);
