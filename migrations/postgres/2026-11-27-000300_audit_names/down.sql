-- An earlier roster knows these alone.
DELETE FROM audit
WHERE action NOT IN ('create', 'update', 'delete', 'login', 'login_failed', 'import')
   OR object_type NOT IN ('company', 'skill', 'developer', 'project', 'user');
ALTER TABLE audit
    ADD CONSTRAINT audit_action_check
        CHECK (action IN ('create', 'update', 'delete', 'login', 'login_failed', 'import')),
    ADD CONSTRAINT audit_object_type_check
        CHECK (object_type IN ('company', 'skill', 'developer', 'project', 'user'));
