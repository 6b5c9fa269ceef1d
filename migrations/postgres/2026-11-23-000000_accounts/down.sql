DROP TABLE refresh_tokens;
DROP TABLE sessions;
DROP INDEX developers_user_id;
ALTER TABLE developers DROP COLUMN user_id;
DROP TABLE users;
