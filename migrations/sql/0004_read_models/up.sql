-- Conversations as lists show them. Plain text, because people search in it; purged when a visitor is erased.
CREATE TABLE conversation (
    id               uuid        PRIMARY KEY,
    visitor          uuid        NOT NULL,
    channel          uuid        NOT NULL,
    page_id          text        NOT NULL,
    skill_group      uuid        NOT NULL,
    phase            text        NOT NULL,
    agent            uuid,
    opened_at        timestamptz NOT NULL,
    waiting_since    timestamptz,
    last_activity_at timestamptz NOT NULL,
    closed_at        timestamptz,
    unanswered       bool        NOT NULL,
    version          bigint      NOT NULL,
    -- The newest message: in or out, its words, its time.
    last_direction   text,
    last_text        text,
    last_at          timestamptz
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);
CREATE INDEX conversation_of_agent ON conversation (agent) WHERE agent IS NOT NULL AND phase <> 'closed';
CREATE INDEX conversation_queue ON conversation (skill_group, waiting_since, id) WHERE phase = 'waiting';
CREATE INDEX conversation_open ON conversation (skill_group, last_activity_at DESC, id DESC) WHERE phase <> 'closed';
CREATE INDEX conversation_closed ON conversation (skill_group, closed_at DESC, id DESC) WHERE phase = 'closed';
CREATE INDEX conversation_of_visitor ON conversation (visitor);

-- Everything that a visitor's timeline shows.
CREATE TABLE timeline_item (
    seq           bigint      NOT NULL GENERATED ALWAYS AS IDENTITY,
    id            uuid        PRIMARY KEY,
    visitor       uuid        NOT NULL,
    conversation  uuid,
    -- Facebook's time where there is one.
    at            timestamptz NOT NULL,
    kind          text        NOT NULL,
    direction     text        NOT NULL,
    author_kind   text        NOT NULL,
    author_id     uuid,
    text          text,
    attachments   jsonb       NOT NULL,
    buttons       jsonb       NOT NULL,
    status        text,
    status_reason text,
    mid           text,
    event         text,
    late          bool        NOT NULL
) WITH (fillfactor = 85);
-- The transcript sorts by (at, kind, mid, id).
CREATE INDEX timeline_of_visitor ON timeline_item (visitor, at, kind, mid, id);
CREATE INDEX timeline_of_conversation ON timeline_item (conversation, at, kind, mid, id) WHERE conversation IS NOT NULL;
CREATE INDEX timeline_mid ON timeline_item (mid) WHERE mid IS NOT NULL;
