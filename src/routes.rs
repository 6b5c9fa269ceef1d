//! Every URL, with its name and handlers. A handler's attribute has its path and method.

use actix_web::web::{self, ServiceConfig};

use crate::{
    api::{
        audit, companies, developers, docs, health, me, projects, root, schema, skills, tokens,
        users,
    },
    endpoint::Endpoint,
    error::no_such_path,
    query::Shape,
};

/// The resources that `/api/` lists, as the shape of its answer.
pub const RESOURCES: Shape = &[
    ("companies", &[]),
    ("skills", &[]),
    ("developers", &[]),
    ("projects", &[]),
    ("users", &[]),
    ("audit", &[]),
];

/// The tags that group the operations in the OpenAPI description.
pub const TAGS: [(&str, &str); 9] = [
    ("token", "Sign in, refresh, sign out."),
    ("companies", "Companies: the employers of developers."),
    ("skills", "Skills, which developers have and projects need."),
    (
        "developers",
        "Developers, each of one company and with skills.",
    ),
    ("projects", "Projects, each of one user."),
    ("users", "Accounts, for staff; and the caller's own."),
    (
        "audit",
        "Audit trail: who changed what and when, for staff.",
    ),
    ("about", "The API itself."),
    ("health", "For supervisors and load balancers."),
];

/// The paths that no rate limit counts: supervisors and load balancers ask for them all the time.
pub const UNLIMITED: [&str; 4] = ["/healthz", "/healthz/", "/readyz", "/readyz/"];

/// Adds handlers to an endpoint, each with the `__path_…` type that `#[utoipa::path]` generates beside it.
macro_rules! endpoint {
    ($endpoint:expr, $($module:ident::$handler:ident),+ $(,)?) => {
        pastey::paste! {{
            let endpoint = $endpoint;
            $(let endpoint = endpoint.on($module::$handler, $module::[<__path_ $handler>]);)+
            endpoint
        }}
    };
}

pub fn configure(app: &mut ServiceConfig) {
    for endpoint in endpoints() {
        app.service(endpoint);
    }
    app.default_service(web::to(no_such_path));
}

/// All endpoints. When two match a path, the more specific one comes first.
pub fn endpoints() -> Vec<Endpoint> {
    let groups = [
        companies(),
        skills(),
        developers(),
        projects(),
        users(),
        tokens(),
        audit(),
        about(),
        health(),
    ];
    groups.into_iter().flatten().collect()
}

fn companies() -> Vec<Endpoint> {
    vec![
        endpoint!(
            Endpoint::new("Company List"),
            companies::list_companies,
            companies::create_company,
        ),
        endpoint!(
            Endpoint::new("Company Instance"),
            companies::get_company,
            companies::update_company,
            companies::partial_update_company,
            companies::delete_company,
        ),
        endpoint!(
            Endpoint::new("Company Developer List"),
            developers::list_company_developers,
        ),
    ]
}

fn skills() -> Vec<Endpoint> {
    vec![
        endpoint!(
            Endpoint::new("Skill List"),
            skills::list_skills,
            skills::create_skill,
        ),
        endpoint!(
            Endpoint::new("Skill Instance"),
            skills::get_skill,
            skills::update_skill,
            skills::partial_update_skill,
            skills::delete_skill,
        ),
        endpoint!(
            Endpoint::new("Skill Developer List"),
            developers::list_skill_developers,
        ),
    ]
}

fn developers() -> Vec<Endpoint> {
    vec![
        endpoint!(
            Endpoint::new("Developer List"),
            developers::list_developers,
            developers::create_developer,
        ),
        endpoint!(
            Endpoint::new("Developer Instance"),
            developers::get_developer,
            developers::update_developer,
            developers::partial_update_developer,
            developers::delete_developer,
        ),
        endpoint!(
            Endpoint::new("Developer Skill"),
            developers::add_developer_skill,
            developers::remove_developer_skill,
        ),
    ]
}

fn projects() -> Vec<Endpoint> {
    vec![
        endpoint!(
            Endpoint::new("Project List"),
            projects::list_projects,
            projects::create_project,
        ),
        endpoint!(
            Endpoint::new("Project Instance"),
            projects::get_project,
            projects::update_project,
            projects::partial_update_project,
            projects::delete_project,
        ),
    ]
}

/// `/users/me/` comes before `/users/{id}/`, which would take "me" for an id.
fn users() -> Vec<Endpoint> {
    vec![
        endpoint!(Endpoint::new("User Me"), me::get_me, me::update_me),
        endpoint!(Endpoint::new("User Me Password"), me::set_my_password),
        endpoint!(Endpoint::new("User Me Session List"), me::list_my_sessions),
        endpoint!(
            Endpoint::new("User Me Session Instance"),
            me::end_my_session
        ),
        endpoint!(
            Endpoint::new("User List"),
            users::list_users,
            users::create_user
        ),
        endpoint!(
            Endpoint::new("User Instance"),
            users::get_user,
            users::update_user,
            users::partial_update_user,
            users::delete_user,
        ),
    ]
}

fn tokens() -> Vec<Endpoint> {
    vec![
        endpoint!(Endpoint::new("Token Obtain Pair"), tokens::obtain_token),
        endpoint!(Endpoint::new("Token Refresh"), tokens::refresh_token),
        endpoint!(Endpoint::new("Token Verify"), tokens::verify_token),
        endpoint!(Endpoint::new("Token Blacklist"), tokens::blacklist_token),
    ]
}

fn audit() -> Vec<Endpoint> {
    vec![
        endpoint!(Endpoint::new("Audit List"), audit::list_audit),
        endpoint!(Endpoint::new("Audit Instance"), audit::get_audit_entry),
    ]
}

fn about() -> Vec<Endpoint> {
    vec![
        endpoint!(
            Endpoint::new("Api Root").renders(&root::MEDIA_TYPES),
            root::list_resources,
        ),
        endpoint!(
            Endpoint::new("Schema").renders(&schema::MEDIA_TYPES),
            schema::get_schema,
        ),
        endpoint!(
            Endpoint::new("Docs").renders(&docs::PAGE_TYPES),
            docs::get_docs,
        ),
        endpoint!(
            Endpoint::new("Docs File").renders(&docs::FILE_TYPES),
            docs::get_docs_file,
        ),
    ]
}

fn health() -> Vec<Endpoint> {
    vec![
        endpoint!(Endpoint::new("Health"), health::get_health),
        endpoint!(Endpoint::new("Readiness"), health::get_readiness),
    ]
}
