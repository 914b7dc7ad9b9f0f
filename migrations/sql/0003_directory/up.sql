-- The directory as it is now; every row follows from the newest event of its stream. Secrets are sealed JSON, bound to
-- "{table}:{id}".
CREATE TABLE app (
    id              uuid   PRIMARY KEY,
    facebook_app_id text   NOT NULL CONSTRAINT app_facebook_app_id UNIQUE,
    name            text   NOT NULL,
    secrets         bytea  NOT NULL,
    version         bigint NOT NULL
);

-- Pages that have stood in a callback path; they outlive the channel.
CREATE TABLE page_alias (
    page_id text PRIMARY KEY,
    app_id  uuid NOT NULL
);

CREATE TABLE channel (
    id          uuid   PRIMARY KEY,
    page_id     text   NOT NULL CONSTRAINT channel_page_id UNIQUE,
    app_id      uuid   NOT NULL,
    name        text   NOT NULL,
    skill_group uuid   NOT NULL,
    bot         uuid,
    work_mode   text   NOT NULL,
    enabled     bool   NOT NULL,
    language    text   NOT NULL,
    texts       jsonb  NOT NULL,
    secrets     bytea  NOT NULL,
    version     bigint NOT NULL
);

CREATE TABLE bot (
    id          uuid   PRIMARY KEY,
    name        text   NOT NULL,
    client_id   text   NOT NULL,
    base_url    text,
    enabled     bool   NOT NULL,
    deadline_ms int    NOT NULL,
    secrets     bytea  NOT NULL,
    version     bigint NOT NULL
);

CREATE TABLE skill_group (
    id      uuid   PRIMARY KEY,
    name    text   NOT NULL,
    accept  text   NOT NULL,
    wrap_up bool   NOT NULL,
    version bigint NOT NULL
);

CREATE TABLE person (
    id           uuid   PRIMARY KEY,
    login        text   NOT NULL CONSTRAINT person_login UNIQUE,
    name         text   NOT NULL,
    public_name  text   NOT NULL,
    role         text   NOT NULL,
    skill_groups uuid[] NOT NULL,
    capacity     int    NOT NULL,
    enabled      bool   NOT NULL,
    secrets      bytea  NOT NULL,
    version      bigint NOT NULL
);

-- Presence and engagements.
CREATE TABLE agent (
    id           uuid        PRIMARY KEY,
    presence     text        NOT NULL,
    since        timestamptz NOT NULL,
    active       uuid[]      NOT NULL,
    last_engaged timestamptz NOT NULL,
    version      bigint      NOT NULL
);
CREATE INDEX agent_ready ON agent (id) WHERE presence = 'ready';
