-- What was changed, written in the transaction of the change. It refers to nothing, so that it outlives what it tells of.
CREATE TABLE audit (
    id           INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    at           TIMESTAMP NOT NULL,
    username     TEXT,
    username_key TEXT,
    action       TEXT NOT NULL CHECK (action IN ('create', 'update', 'delete', 'login', 'login_failed', 'import')),
    object_type  TEXT NOT NULL CHECK (object_type IN ('company', 'skill', 'developer', 'project', 'user')),
    object_id    BIGINT,
    -- A JSON object.
    changes      TEXT NOT NULL,
    request_id   TEXT,
    address      TEXT
);
CREATE INDEX audit_username ON audit (username, id);
CREATE INDEX audit_object ON audit (object_type, object_id, id);
-- None by time: the ids ascend with it, and the trail is read by them.

-- The answers to POSTs that may be sent again, kept for a day.
CREATE TABLE idempotency_keys (
    user_id     BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    key         TEXT NOT NULL,
    -- Of the path and the body.
    fingerprint TEXT NOT NULL,
    status      INTEGER NOT NULL,
    object_id   BIGINT,
    body        TEXT NOT NULL,
    created_at  TIMESTAMP NOT NULL,
    PRIMARY KEY (user_id, key)
) WITHOUT ROWID;
CREATE INDEX idempotency_keys_created_at ON idempotency_keys (created_at);
