-- Lists are ordered by the last change too. Every deep page is a range of such an index.
CREATE INDEX companies_updated_at ON companies (updated_at, id);
CREATE INDEX developers_updated_at ON developers (updated_at, id);
CREATE INDEX projects_updated_at ON projects (updated_at, id);
