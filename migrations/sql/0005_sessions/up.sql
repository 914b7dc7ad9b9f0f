-- Who is signed in. The token itself is known only to the browser.
CREATE TABLE session (
    token_hash bytea       PRIMARY KEY,
    person     uuid        NOT NULL,
    csrf       text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at timestamptz NOT NULL
);
CREATE INDEX session_of_person ON session (person);
CREATE INDEX session_expiry ON session (expires_at);
