-- The words come folded, with spaces between them, so no text search configuration has a say. The expressions are those of
-- the queries, to the letter.
CREATE INDEX companies_search ON companies
    USING gin (array_to_tsvector(array_remove(string_to_array(name_words, ' '), '')));
CREATE INDEX skills_search_name ON skills
    USING gin (array_to_tsvector(array_remove(string_to_array(name_words, ' '), '')));
CREATE INDEX skills_search ON skills
    USING gin (array_to_tsvector(array_remove(string_to_array(name_words || ' ' || category_words, ' '), '')));
CREATE INDEX developers_search ON developers
    USING gin (array_to_tsvector(array_remove(string_to_array(name_words, ' '), '')));
