-- One index of words a table, kept by triggers, so that it is exact whatever changes the table: a cascade fires them too.
-- The words come folded, with spaces between them, so the tokenizer has nothing left to do.
CREATE VIRTUAL TABLE companies_search USING fts5 (
    name_words, content = 'companies', content_rowid = 'id', tokenize = 'ascii', prefix = '1 2 3'
);
CREATE TRIGGER companies_search_insert AFTER INSERT ON companies BEGIN
    INSERT INTO companies_search (rowid, name_words) VALUES (new.id, new.name_words);
END;
CREATE TRIGGER companies_search_update AFTER UPDATE OF name_words ON companies BEGIN
    INSERT INTO companies_search (companies_search, rowid, name_words) VALUES ('delete', old.id, old.name_words);
    INSERT INTO companies_search (rowid, name_words) VALUES (new.id, new.name_words);
END;
CREATE TRIGGER companies_search_delete AFTER DELETE ON companies BEGIN
    INSERT INTO companies_search (companies_search, rowid, name_words) VALUES ('delete', old.id, old.name_words);
END;

CREATE VIRTUAL TABLE skills_search USING fts5 (
    name_words, category_words, content = 'skills', content_rowid = 'id', tokenize = 'ascii', prefix = '1 2 3'
);
CREATE TRIGGER skills_search_insert AFTER INSERT ON skills BEGIN
    INSERT INTO skills_search (rowid, name_words, category_words)
    VALUES (new.id, new.name_words, new.category_words);
END;
CREATE TRIGGER skills_search_update AFTER UPDATE OF name_words, category_words ON skills BEGIN
    INSERT INTO skills_search (skills_search, rowid, name_words, category_words)
    VALUES ('delete', old.id, old.name_words, old.category_words);
    INSERT INTO skills_search (rowid, name_words, category_words)
    VALUES (new.id, new.name_words, new.category_words);
END;
CREATE TRIGGER skills_search_delete AFTER DELETE ON skills BEGIN
    INSERT INTO skills_search (skills_search, rowid, name_words, category_words)
    VALUES ('delete', old.id, old.name_words, old.category_words);
END;

CREATE VIRTUAL TABLE developers_search USING fts5 (
    name_words, content = 'developers', content_rowid = 'id', tokenize = 'ascii', prefix = '1 2 3'
);
CREATE TRIGGER developers_search_insert AFTER INSERT ON developers BEGIN
    INSERT INTO developers_search (rowid, name_words) VALUES (new.id, new.name_words);
END;
CREATE TRIGGER developers_search_update AFTER UPDATE OF name_words ON developers BEGIN
    INSERT INTO developers_search (developers_search, rowid, name_words) VALUES ('delete', old.id, old.name_words);
    INSERT INTO developers_search (rowid, name_words) VALUES (new.id, new.name_words);
END;
CREATE TRIGGER developers_search_delete AFTER DELETE ON developers BEGIN
    INSERT INTO developers_search (developers_search, rowid, name_words) VALUES ('delete', old.id, old.name_words);
END;

INSERT INTO companies_search (companies_search) VALUES ('rebuild');
INSERT INTO skills_search (skills_search) VALUES ('rebuild');
INSERT INTO developers_search (developers_search) VALUES ('rebuild');
