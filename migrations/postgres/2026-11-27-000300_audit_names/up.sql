-- Which actions and kinds of objects there are is for the application to say, so that a new one needs no change of the schema.
ALTER TABLE audit DROP CONSTRAINT audit_action_check, DROP CONSTRAINT audit_object_type_check;
