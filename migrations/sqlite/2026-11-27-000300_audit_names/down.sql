CREATE TABLE audit_copy (
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
-- An earlier roster knows these alone.
INSERT INTO audit_copy
SELECT * FROM audit
WHERE action IN ('create', 'update', 'delete', 'login', 'login_failed', 'import')
  AND object_type IN ('company', 'skill', 'developer', 'project', 'user')
ORDER BY id;
DELETE FROM sqlite_sequence WHERE name = 'audit_copy';
INSERT INTO sqlite_sequence (name, seq) SELECT 'audit_copy', seq FROM sqlite_sequence WHERE name = 'audit';
DROP TABLE audit;
ALTER TABLE audit_copy RENAME TO audit;
CREATE INDEX audit_username ON audit (username, id);
CREATE INDEX audit_object ON audit (object_type, object_id, id);
