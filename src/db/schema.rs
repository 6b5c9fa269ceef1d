// @generated automatically by Diesel CLI.

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

diesel::joinable!(developer_skills -> developers (developer_id));
diesel::joinable!(developer_skills -> skills (skill_id));
diesel::joinable!(developers -> companies (company_id));

diesel::allow_tables_to_appear_in_same_query!(companies, developer_skills, developers, skills,);
