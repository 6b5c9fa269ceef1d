DROP INDEX developers_search;
DROP INDEX skills_search;
DROP INDEX skills_search_name;
DROP INDEX companies_search;
