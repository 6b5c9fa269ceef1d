-- Which kinds of hashes there are: their beginnings tell. An attempt to sign in asks, so that it takes the same time for all.
CREATE INDEX users_password_kind ON users (substr(password, 1, 48)) WHERE is_active;
