CREATE TABLE projects (
    id                INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    name              TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    name_key          TEXT NOT NULL,
    name_words        TEXT NOT NULL,
    description       TEXT NOT NULL DEFAULT '',
    description_words TEXT NOT NULL DEFAULT '',
    owner_id          BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at        TIMESTAMP NOT NULL,
    updated_at        TIMESTAMP NOT NULL
);
CREATE INDEX projects_name ON projects (name, id);
CREATE INDEX projects_created_at ON projects (created_at, id);
CREATE INDEX projects_owner_id ON projects (owner_id, created_at, id);

CREATE TABLE project_skills (
    project_id BIGINT NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    skill_id   BIGINT NOT NULL REFERENCES skills (id) ON DELETE CASCADE,
    PRIMARY KEY (project_id, skill_id)
) WITHOUT ROWID;
CREATE INDEX project_skills_skill_id ON project_skills (skill_id, project_id);

CREATE VIRTUAL TABLE projects_search USING fts5 (
    name_words, description_words, content = 'projects', content_rowid = 'id', tokenize = 'ascii', prefix = '1 2 3'
);
CREATE TRIGGER projects_search_insert AFTER INSERT ON projects BEGIN
    INSERT INTO projects_search (rowid, name_words, description_words)
    VALUES (new.id, new.name_words, new.description_words);
END;
CREATE TRIGGER projects_search_update AFTER UPDATE OF name_words, description_words ON projects BEGIN
    INSERT INTO projects_search (projects_search, rowid, name_words, description_words)
    VALUES ('delete', old.id, old.name_words, old.description_words);
    INSERT INTO projects_search (rowid, name_words, description_words)
    VALUES (new.id, new.name_words, new.description_words);
END;
CREATE TRIGGER projects_search_delete AFTER DELETE ON projects BEGIN
    INSERT INTO projects_search (projects_search, rowid, name_words, description_words)
    VALUES ('delete', old.id, old.name_words, old.description_words);
END;
