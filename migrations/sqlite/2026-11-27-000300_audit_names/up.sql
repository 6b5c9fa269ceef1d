-- Which actions and kinds of objects there are is for the application to say, so that a new one needs no change of the schema.
-- SQLite cannot drop a CHECK, so the table is copied, and goes on to give ids where it was.
CREATE TABLE audit_copy (
    id           INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    at           TIMESTAMP NOT NULL,
    username     TEXT,
    username_key TEXT,
    action       TEXT NOT NULL,
    object_type  TEXT NOT NULL,
    object_id    BIGINT,
    -- A JSON object.
    changes      TEXT NOT NULL,
    request_id   TEXT,
    address      TEXT
);
INSERT INTO audit_copy SELECT * FROM audit ORDER BY id;
DELETE FROM sqlite_sequence WHERE name = 'audit_copy';
INSERT INTO sqlite_sequence (name, seq) SELECT 'audit_copy', seq FROM sqlite_sequence WHERE name = 'audit';
DROP TABLE audit;
ALTER TABLE audit_copy RENAME TO audit;
CREATE INDEX audit_username ON audit (username, id);
CREATE INDEX audit_object ON audit (object_type, object_id, id);
-- None by time: the ids ascend with it, and the trail is read by them.
