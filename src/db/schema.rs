// @generated automatically by Diesel CLI.

diesel::table! {
    audit (id) {
        id -> BigInt,
        at -> Timestamp,
        username -> Nullable<Text>,
        username_key -> Nullable<Text>,
        action -> Text,
        object_type -> Text,
        object_id -> Nullable<BigInt>,
        changes -> Text,
        request_id -> Nullable<Text>,
        address -> Nullable<Text>,
    }
}

diesel::table! {
    companies (id) {
        id -> BigInt,
        name -> Text,
        name_key -> Text,
        name_words -> Text,
        founded_year -> Integer,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    developer_skills (developer_id, skill_id) {
        developer_id -> BigInt,
        skill_id -> BigInt,
    }
}

diesel::table! {
    developers (id) {
        id -> BigInt,
        name -> Text,
        name_key -> Text,
        name_words -> Text,
        company_id -> BigInt,
        years_experience -> Integer,
        last_login -> Nullable<Timestamp>,
        created_at -> Timestamp,
        updated_at -> Timestamp,
        user_id -> Nullable<BigInt>,
    }
}

diesel::table! {
    idempotency_keys (user_id, key) {
        user_id -> BigInt,
        key -> Text,
        fingerprint -> Text,
        status -> Integer,
        object_id -> Nullable<BigInt>,
        body -> Text,
        created_at -> Timestamp,
    }
}

diesel::table! {
    project_skills (project_id, skill_id) {
        project_id -> BigInt,
        skill_id -> BigInt,
    }
}

diesel::table! {
    projects (id) {
        id -> BigInt,
        name -> Text,
        name_key -> Text,
        name_words -> Text,
        description -> Text,
        description_words -> Text,
        owner_id -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    refresh_tokens (jti_hash) {
        jti_hash -> Text,
        session_id -> BigInt,
        expires_at -> Timestamp,
        used_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    sessions (id) {
        id -> BigInt,
        user_id -> BigInt,
        address -> Nullable<Text>,
        user_agent -> Text,
        created_at -> Timestamp,
        last_used_at -> Timestamp,
        expires_at -> Timestamp,
    }
}

diesel::table! {
    skills (id) {
        id -> BigInt,
        name -> Text,
        name_key -> Text,
        name_words -> Text,
        category -> Text,
        category_key -> Text,
        category_words -> Text,
    }
}

diesel::table! {
    users (id) {
        id -> BigInt,
        username -> Text,
        username_key -> Text,
        email -> Text,
        email_key -> Text,
        password -> Text,
        is_staff -> Bool,
        is_active -> Bool,
        date_joined -> Timestamp,
        last_login -> Nullable<Timestamp>,
    }
}

diesel::joinable!(developer_skills -> developers (developer_id));
diesel::joinable!(developer_skills -> skills (skill_id));
diesel::joinable!(developers -> companies (company_id));
diesel::joinable!(developers -> users (user_id));
diesel::joinable!(idempotency_keys -> users (user_id));
diesel::joinable!(project_skills -> projects (project_id));
diesel::joinable!(project_skills -> skills (skill_id));
diesel::joinable!(projects -> users (owner_id));
diesel::joinable!(refresh_tokens -> sessions (session_id));
diesel::joinable!(sessions -> users (user_id));

diesel::allow_tables_to_appear_in_same_query!(
    audit,
    companies,
    developer_skills,
    developers,
    idempotency_keys,
    project_skills,
    projects,
    refresh_tokens,
    sessions,
    skills,
    users,
);
