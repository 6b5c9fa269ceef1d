//! Every URL, with its methods and handlers.

use actix_web::web::{self, ServiceConfig};

use crate::{
    api::{audit, companies, developers, health, me, projects, root, skills, tokens, users},
    endpoint::Endpoint,
    error::no_such_path,
    query::Shape,
};

/// The resources that `/api/` lists, as the shape of what it answers.
pub const RESOURCES: Shape = &[
    ("companies", &[]),
    ("skills", &[]),
    ("developers", &[]),
    ("projects", &[]),
    ("users", &[]),
    ("audit", &[]),
];

/// The paths that no limit counts, for whoever watches over the server asks them.
pub const UNLIMITED: [&str; 4] = ["/healthz", "/healthz/", "/readyz", "/readyz/"];

pub fn configure(app: &mut ServiceConfig) {
    let root = Endpoint::new("/api/", "Api Root", "The resources of this directory.");
    app.service(root.get(root::list_resources))
        .configure(companies)
        .configure(skills)
        .configure(developers)
        .configure(projects)
        .configure(me)
        .configure(users)
        .configure(tokens)
        .configure(audit)
        .configure(health)
        .default_service(web::to(no_such_path));
}

fn companies(app: &mut ServiceConfig) {
    let list = Endpoint::new(
        "/api/companies/",
        "Company List",
        "Companies, the newest first.",
    );
    let one = Endpoint::new("/api/companies/{id}/", "Company Instance", "One company.");
    let developers = Endpoint::new(
        "/api/companies/{id}/developers/",
        "Company Developer List",
        "The developers of one company.",
    );
    app.service(
        list.get(companies::list_companies)
            .post(companies::create_company),
    )
    .service(
        one.get(companies::get_company)
            .put(companies::update_company)
            .patch(companies::update_company)
            .delete(companies::delete_company),
    )
    .service(developers.get(developers::list_company_developers));
}

fn skills(app: &mut ServiceConfig) {
    let list = Endpoint::new("/api/skills/", "Skill List", "Skills by name.");
    let one = Endpoint::new("/api/skills/{id}/", "Skill Instance", "One skill.");
    let developers = Endpoint::new(
        "/api/skills/{id}/developers/",
        "Skill Developer List",
        "The developers with one skill.",
    );
    app.service(list.get(skills::list_skills).post(skills::create_skill))
        .service(
            one.get(skills::get_skill)
                .put(skills::update_skill)
                .patch(skills::update_skill)
                .delete(skills::delete_skill),
        )
        .service(developers.get(developers::list_skill_developers));
}

fn audit(app: &mut ServiceConfig) {
    let list = Endpoint::new(
        "/api/audit/",
        "Audit List",
        "What was changed, the latest first.",
    );
    let one = Endpoint::new("/api/audit/{id}/", "Audit Instance", "One change.");
    app.service(list.get(audit::list_audit))
        .service(one.get(audit::get_audit_entry));
}

fn developers(app: &mut ServiceConfig) {
    let list = Endpoint::new(
        "/api/developers/",
        "Developer List",
        "Developers, the newest first.",
    );
    let one = Endpoint::new(
        "/api/developers/{id}/",
        "Developer Instance",
        "One developer.",
    );
    let link = Endpoint::new(
        "/api/developers/{id}/skills/{skill_id}/",
        "Developer Skill",
        "That a developer has a skill.",
    );
    app.service(
        list.get(developers::list_developers)
            .post(developers::create_developer),
    )
    .service(
        one.get(developers::get_developer)
            .put(developers::update_developer)
            .patch(developers::update_developer)
            .delete(developers::delete_developer),
    )
    .service(
        link.put(developers::add_developer_skill)
            .delete(developers::remove_developer_skill),
    );
}

fn projects(app: &mut ServiceConfig) {
    let list = Endpoint::new(
        "/api/projects/",
        "Project List",
        "The caller's projects, the newest first; to staff, everybody's.",
    );
    let one = Endpoint::new("/api/projects/{id}/", "Project Instance", "One project.");
    app.service(
        list.get(projects::list_projects)
            .post(projects::create_project),
    )
    .service(
        one.get(projects::get_project)
            .put(projects::update_project)
            .patch(projects::update_project)
            .delete(projects::delete_project),
    );
}

/// Before [`users`], for whose paths "me" would be an id.
fn me(app: &mut ServiceConfig) {
    let me = Endpoint::new("/api/users/me/", "User Me", "The caller.");
    let password = Endpoint::new(
        "/api/users/me/password/",
        "User Me Password",
        "A new password for the caller.",
    );
    let sessions = Endpoint::new(
        "/api/users/me/sessions/",
        "User Me Session List",
        "Where the caller is signed in.",
    );
    let session = Endpoint::new(
        "/api/users/me/sessions/{id}/",
        "User Me Session Instance",
        "One sign-in of the caller.",
    );
    app.service(me.get(me::get_me).patch(me::update_me))
        .service(password.post(me::set_my_password))
        .service(sessions.get(me::list_my_sessions))
        .service(session.delete(me::end_my_session));
}

fn users(app: &mut ServiceConfig) {
    let list = Endpoint::new("/api/users/", "User List", "Those who can sign in.");
    let one = Endpoint::new("/api/users/{id}/", "User Instance", "One user.");
    app.service(list.get(users::list_users).post(users::create_user))
        .service(
            one.get(users::get_user)
                .put(users::update_user)
                .patch(users::update_user)
                .delete(users::delete_user),
        );
}

fn tokens(app: &mut ServiceConfig) {
    let obtain = Endpoint::new(
        "/api/token/",
        "Token Obtain Pair",
        "A pair of tokens for a user name and password.",
    );
    let refresh = Endpoint::new(
        "/api/token/refresh/",
        "Token Refresh",
        "The next pair for a refresh token.",
    );
    let verify = Endpoint::new(
        "/api/token/verify/",
        "Token Verify",
        "Whether a token is good.",
    );
    let blacklist = Endpoint::new(
        "/api/token/blacklist/",
        "Token Blacklist",
        "Ends the session of a refresh token.",
    );
    app.service(obtain.post(tokens::obtain_token))
        .service(refresh.post(tokens::refresh_token))
        .service(verify.post(tokens::verify_token))
        .service(blacklist.post(tokens::blacklist_token));
}

fn health(app: &mut ServiceConfig) {
    let live = Endpoint::new("/healthz/", "Health", "Whether the server lives.");
    let ready = Endpoint::new("/readyz/", "Readiness", "Whether the server can serve.");
    app.service(live.get(health::get_health))
        .service(ready.get(health::get_readiness));
}
