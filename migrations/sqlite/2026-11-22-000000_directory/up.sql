-- Marks the file as a roster directory ("rstr"), for file(1) and for the check at opening.
PRAGMA application_id = 1920169074;

-- The application makes, for every script, from the text beside them: the columns named _key, with its letter case folded,
-- and the columns named _words, with its words for the search, folded and without accents, a space between them.
-- SQLite's own lower() and NOCASE know ASCII alone.
CREATE TABLE companies (
    id           INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    name         TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    name_key     TEXT NOT NULL CONSTRAINT companies_name_key_unique UNIQUE,
    name_words   TEXT NOT NULL,
    founded_year INTEGER NOT NULL CHECK (founded_year BETWEEN 1000 AND 9999),
    created_at   TIMESTAMP NOT NULL,
    updated_at   TIMESTAMP NOT NULL
);
CREATE INDEX companies_name ON companies (name, id);
CREATE INDEX companies_founded_year ON companies (founded_year, id);
CREATE INDEX companies_created_at ON companies (created_at, id);

CREATE TABLE skills (
    id             INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    name           TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 100 AND instr(name, ';') = 0),
    name_key       TEXT NOT NULL CONSTRAINT skills_name_key_unique UNIQUE,
    name_words     TEXT NOT NULL,
    category       TEXT NOT NULL CHECK (length(category) BETWEEN 1 AND 50),
    category_key   TEXT NOT NULL,
    category_words TEXT NOT NULL
);
CREATE INDEX skills_name ON skills (name, id);
CREATE INDEX skills_category ON skills (category, id);

CREATE TABLE developers (
    id               INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    name             TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    name_key         TEXT NOT NULL,
    name_words       TEXT NOT NULL,
    company_id       BIGINT NOT NULL REFERENCES companies (id) ON DELETE CASCADE,
    years_experience INTEGER NOT NULL DEFAULT 0 CHECK (years_experience BETWEEN 0 AND 80),
    last_login       TIMESTAMP,
    created_at       TIMESTAMP NOT NULL,
    updated_at       TIMESTAMP NOT NULL
);
CREATE INDEX developers_name ON developers (name, id);
CREATE INDEX developers_name_key ON developers (name_key);
CREATE INDEX developers_years_experience ON developers (years_experience, id);
-- The orders by a time that may be absent, which comes last both ways.
CREATE INDEX developers_last_login ON developers (coalesce(last_login, '9999-12-31 23:59:59.999999'), id);
CREATE INDEX developers_last_login_desc ON developers (coalesce(last_login, '0001-01-01 00:00:00.000000'), id);
CREATE INDEX developers_created_at ON developers (created_at, id);
CREATE INDEX developers_company_id ON developers (company_id, created_at, id);

CREATE TABLE developer_skills (
    developer_id BIGINT NOT NULL REFERENCES developers (id) ON DELETE CASCADE,
    skill_id     BIGINT NOT NULL REFERENCES skills (id) ON DELETE CASCADE,
    PRIMARY KEY (developer_id, skill_id)
) WITHOUT ROWID;
CREATE INDEX developer_skills_skill_id ON developer_skills (skill_id, developer_id);
