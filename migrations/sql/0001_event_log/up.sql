-- What happened, in order. Written once, never changed.
--
-- Readers follow (recorded_in, position) below the oldest running transaction: a position is drawn before its transaction
-- commits, so position alone would skip what commits late.
CREATE TABLE event_log (
    position       bigint      NOT NULL GENERATED ALWAYS AS IDENTITY,
    recorded_in    bigint      NOT NULL DEFAULT pg_current_xact_id()::text::bigint,
    stream         text        NOT NULL,
    version        bigint      NOT NULL,
    type           text        NOT NULL,
    schema_version int         NOT NULL,
    payload        jsonb       NOT NULL,
    -- Texts, names, addresses: sealed with the visitor's key, or the service's where there is no visitor.
    sealed         bytea,
    -- actor, correlation, causation, trace
    metadata       jsonb       NOT NULL,
    audience       text[]      NOT NULL,
    visitor        uuid,
    occurred_at    timestamptz NOT NULL,
    recorded_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (recorded_in, position),
    CONSTRAINT event_log_stream_version UNIQUE (stream, version)
);
-- Sealed bytes do not compress.
ALTER TABLE event_log ALTER COLUMN sealed SET STORAGE EXTERNAL;

-- The length and the folded state of every stream: an append updates the row where the version matches.
CREATE TABLE streams (
    stream        text   PRIMARY KEY,
    kind          text   NOT NULL,
    visitor       uuid,
    version       bigint NOT NULL,
    state         jsonb  NOT NULL,
    state_version int    NOT NULL,
    live          bool   NOT NULL
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);
-- At most one open conversation per visitor; also the way to it.
CREATE UNIQUE INDEX streams_open_conversation ON streams (visitor) WHERE kind = 'conversation' AND live;
-- The few streams that are read whole when a router starts.
CREATE INDEX streams_agents ON streams (stream) WHERE kind = 'agent';

-- Who writes to a Page. Nothing here tells who it is without the master key.
CREATE TABLE visitor (
    id         uuid        PRIMARY KEY,
    page_id    text        NOT NULL,
    identity   bytea       NOT NULL CONSTRAINT visitor_identity UNIQUE,
    -- The visitor's own key, wrapped by the service's. Destroying it erases the visitor's content.
    data_key   bytea,
    party      bytea       NOT NULL,
    name       text,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Keys that the service itself needs, sealed with the master key so that they outlive its rotation.
CREATE TABLE service_key (
    name   text  PRIMARY KEY,
    sealed bytea NOT NULL
);

-- Rises when the database was restored into another cluster, whose transaction numbers mean nothing here.
CREATE TABLE log_epoch (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    epoch    bigint  NOT NULL,
    cluster  text    NOT NULL
);
INSERT INTO log_epoch (epoch, cluster)
SELECT 1, s.system_identifier || '/' || c.timeline_id FROM pg_control_system() s, pg_control_checkpoint() c;
