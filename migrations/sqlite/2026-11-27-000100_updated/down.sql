DROP INDEX projects_updated_at;
DROP INDEX developers_updated_at;
DROP INDEX companies_updated_at;
