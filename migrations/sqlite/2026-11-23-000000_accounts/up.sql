CREATE TABLE users (
    id           INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    username     TEXT NOT NULL CHECK (length(username) BETWEEN 1 AND 150),
    username_key TEXT NOT NULL CONSTRAINT users_username_key_unique UNIQUE,
    email        TEXT NOT NULL DEFAULT '' CHECK (length(email) <= 254),
    email_key    TEXT NOT NULL DEFAULT '',
    -- A hash, never the password; empty where no password opens the account.
    password     TEXT NOT NULL DEFAULT '',
    is_staff     BOOLEAN NOT NULL DEFAULT FALSE,
    is_active    BOOLEAN NOT NULL DEFAULT TRUE,
    date_joined  TIMESTAMP NOT NULL,
    last_login   TIMESTAMP
);
CREATE INDEX users_username ON users (username, id);
CREATE INDEX users_date_joined ON users (date_joined, id);
-- The rule that one active staff user stays looks for them.
CREATE INDEX users_staff ON users (id) WHERE is_staff AND is_active;

ALTER TABLE developers ADD COLUMN user_id BIGINT REFERENCES users (id) ON DELETE SET NULL;
CREATE UNIQUE INDEX developers_user_id ON developers (user_id);

-- A family of refresh tokens: what one sign-in began.
CREATE TABLE sessions (
    id           INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    user_id      BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    address      TEXT,
    user_agent   TEXT NOT NULL DEFAULT '',
    created_at   TIMESTAMP NOT NULL,
    last_used_at TIMESTAMP NOT NULL,
    expires_at   TIMESTAMP NOT NULL
);
CREATE INDEX sessions_user_id ON sessions (user_id, created_at, id);
CREATE INDEX sessions_expires_at ON sessions (expires_at);

-- Known by the hash of its jti alone. A session that is gone takes its tokens along, and none of them works any more.
CREATE TABLE refresh_tokens (
    jti_hash   TEXT PRIMARY KEY NOT NULL,
    session_id BIGINT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    expires_at TIMESTAMP NOT NULL,
    used_at    TIMESTAMP
) WITHOUT ROWID;
CREATE INDEX refresh_tokens_session_id ON refresh_tokens (session_id);
CREATE INDEX refresh_tokens_expires_at ON refresh_tokens (expires_at);
