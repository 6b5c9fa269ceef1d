DROP INDEX users_password_kind;
