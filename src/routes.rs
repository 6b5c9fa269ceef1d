//! Every URL, its methods and their handlers on one page, with what the documentation says of each.

use actix_web::{
    HttpRequest,
    web::{self, ServiceConfig},
};

use crate::{
    api::{
        About, Readable, Resource, developers, docs, health, me, reading, root, schema, tokens,
        writing,
    },
    endpoint::Endpoint,
    error::no_such_path,
    models::{AuditEntry, Session, Stored},
    openapi::op,
    resources::{self, Visitor},
};

/// The resources that `/api/` lists: those of the directory, and the audit trail.
pub fn resources() -> Vec<&'static str> {
    struct Names(Vec<&'static str>);

    impl Visitor for Names {
        fn visit<R: Resource>(&mut self) {
            self.0.push(R::ABOUT.many);
        }
    }

    let mut names = Names(Vec::new());
    resources::each(&mut names);
    names.0.push("audit");
    names.0
}

/// The tags that group the operations in the OpenAPI description.
pub fn tags() -> Vec<(&'static str, &'static str)> {
    struct Tags(Vec<(&'static str, &'static str)>);

    impl Visitor for Tags {
        fn visit<R: Resource>(&mut self) {
            self.0.push((R::ABOUT.many, R::ABOUT.tag));
        }
    }

    let mut tags = Tags(vec![("token", "Sign in, refresh, sign out.")]);
    resources::each(&mut tags);
    tags.0.extend([
        (
            "audit",
            "Audit trail: who changed what and when, for staff.",
        ),
        ("about", "The API itself."),
        ("health", "For supervisors and load balancers."),
    ]);
    tags.0
}

/// The paths that supervisors and load balancers ask.
const PROBES: [&str; 4] = ["/healthz", "/healthz/", "/readyz", "/readyz/"];

/// Whether a request is a probe of the server's health.
pub fn is_probe(request: &HttpRequest) -> bool {
    PROBES.contains(&request.path())
}

/// Whether no limit counts a request: a probe, or a file of a page. Both come often and cost next to nothing.
pub fn is_unlimited(request: &HttpRequest) -> bool {
    let is_plain = request.query_string().is_empty();
    is_plain && (is_probe(request) || docs::is_file(request.path()))
}

/// When lists, objects and writes answer with which error.
const OF_LIST: &str = "400 for an unknown or invalid parameter, 404 for an invalid cursor.";
const OF_OBJECT: &str = "404 when there is none, 400 for an unknown field.";
const OF_CREATE: &str = "400 for invalid fields.";
const OF_UPDATE: &str =
    "404 when there is none, 412 when it has changed since, 400 for invalid fields.";
const OF_DELETE: &str = "404 when there is none, 412 when it has changed since.";

pub fn configure(app: &mut ServiceConfig) {
    for endpoint in endpoints() {
        app.service(endpoint);
    }
    app.default_service(web::to(no_such_path));
}

/// All endpoints; of two that could take a path, the more particular first.
pub fn endpoints() -> Vec<Endpoint> {
    struct Endpoints(Vec<Endpoint>);

    impl Visitor for Endpoints {
        fn visit<R: Resource>(&mut self) {
            self.0.extend(resource::<R>());
        }
    }

    let mut endpoints = Endpoints(me());
    resources::each(&mut endpoints);
    let others = [developers(), tokens(), audit(), about(), health()];
    endpoints.0.extend(others.into_iter().flatten());
    endpoints.0
}

/// The list of a resource and its objects, with the methods that all resources have.
fn resource<R: Resource>() -> Vec<Endpoint> {
    let About {
        one,
        create,
        editors,
        delete,
        ..
    } = R::ABOUT;
    let several = if R::BULK {
        ", or several from an array: all or none"
    } else {
        ""
    };
    let [list, object] = readable::<R>(&R::ABOUT);
    let id = id_of(one);
    let create = op(
        format!("create_{id}"),
        format!("Creates {one}{several}.{create}"),
    )
    .refuses(OF_CREATE);
    let list = if R::BULK {
        list.post(create, writing::create_some::<R>)
    } else {
        list.post(create, writing::create::<R>)
    };
    let object = object
        .put(
            op(format!("update_{id}"), format!("Replaces {one}.{editors}")).refuses(OF_UPDATE),
            writing::update::<R>,
        )
        .patch(
            op(
                format!("partial_update_{id}"),
                format!("Changes some fields of {one}.{editors}"),
            )
            .refuses(OF_UPDATE),
            writing::partial_update::<R>,
        )
        .delete(
            op(format!("delete_{id}"), delete).refuses(OF_DELETE),
            writing::delete::<R>,
        );
    vec![list, object]
}

/// A list and its objects, to be read.
fn readable<R: Readable + Stored>(about: &About) -> [Endpoint; 2] {
    let About {
        many, one, list, ..
    } = about;
    let id = id_of(one);
    [
        Endpoint::new(format!("{} List", R::NAME), format!("/api/{many}/")).get(
            op(format!("list_{many}"), *list).refuses(OF_LIST),
            reading::list::<R>,
        ),
        Endpoint::new(
            format!("{} Instance", R::NAME),
            format!("/api/{many}/{{id}}/"),
        )
        .get(
            op(
                format!("get_{id}"),
                format!("One {}.", id.replace('_', " ")),
            )
            .refuses(OF_OBJECT),
            reading::get::<R>,
        ),
    ]
}

/// `audit_entry` of `an audit entry`.
fn id_of(one: &str) -> String {
    let name = one.split_once(' ').map_or(one, |(_, name)| name);
    name.replace(' ', "_")
}

/// What developers have beside what all resources have.
fn developers() -> Vec<Endpoint> {
    vec![
        Endpoint::new("Company Developer List", "/api/companies/{id}/developers/").get(
            op("list_company_developers", "The developers of one company.")
                .refuses("404 when there is no such company; else as for all developers."),
            developers::list_company_developers,
        ),
        Endpoint::new("Skill Developer List", "/api/skills/{id}/developers/").get(
            op(
                "list_skill_developers",
                "The developers who have one skill.",
            )
            .refuses("404 when there is no such skill; else as for all developers."),
            developers::list_skill_developers,
        ),
        Endpoint::new("Developer Skill", "/api/developers/{id}/skills/{skill_id}/")
            .put(
                op("add_developer_skill", "Adds a skill to a developer.").refuses(
                    "404 when there is no such developer or skill, 403 when it is another user's, \
                 412 when it has changed since.",
                ),
                developers::add_developer_skill,
            )
            .delete(
                op(
                    "remove_developer_skill",
                    "Removes a skill from a developer.",
                )
                .refuses(
                    "404 when there is no such developer or the developer has no such skill, \
                 403 when it is another user's, 412 when it has changed since.",
                ),
                developers::remove_developer_skill,
            ),
    ]
}

/// Before `/api/users/{id}/`, to which "me" would be an id.
fn me() -> Vec<Endpoint> {
    vec![
        Endpoint::new("User Me", "/api/users/me/")
            .get(
                op("get_me", "The caller.").refuses("400 for an unknown field."),
                me::get_me,
            )
            .patch(
                op(
                    "update_me",
                    "Changes the caller's email address. Staff change the rest.",
                )
                .refuses("412 when it has changed since, 400 for invalid fields."),
                me::update_me,
            ),
        Endpoint::new("User Me Password", "/api/users/me/password/").post(
            op(
                "set_my_password",
                "Sets the caller's password, which ends the caller's sessions.",
            )
            .refuses("400 when the current password is wrong or the new one breaks the rules."),
            me::set_my_password,
        ),
        Endpoint::new("User Me Session List", "/api/users/me/sessions/").get(
            op("list_my_sessions", "The caller's sessions, newest first.").refuses(OF_LIST),
            reading::list::<Session>,
        ),
        Endpoint::new("User Me Session Instance", "/api/users/me/sessions/{id}/").delete(
            op(
                "end_my_session",
                "Ends one session of the caller: its tokens stop working.",
            )
            .refuses("404 when the caller has no such session."),
            me::end_my_session,
        ),
    ]
}

fn tokens() -> Vec<Endpoint> {
    vec![
        Endpoint::new("Token Obtain Pair", "/api/token/").post(
            op(
                "obtain_token",
                "Signs in: a pair of tokens for a user name and password.",
            )
            .refuses("401 when they are not those of an active user."),
            tokens::obtain_token,
        ),
        Endpoint::new("Token Refresh", "/api/token/refresh/").post(
            op(
                "refresh_token",
                "Renews a session: the next pair of tokens for a refresh token, once.",
            )
            .refuses("401 for an invalid token; a used one ends its session."),
            tokens::refresh_token,
        ),
        Endpoint::new("Token Verify", "/api/token/verify/").post(
            op("verify_token", "Whether a token of either type is valid.")
                .refuses("401 when it is not."),
            tokens::verify_token,
        ),
        Endpoint::new("Token Blacklist", "/api/token/blacklist/").post(
            op("blacklist_token", "Ends the session of a refresh token.")
                .refuses("401 for an invalid token, or when the session has ended before."),
            tokens::blacklist_token,
        ),
    ]
}

fn audit() -> Vec<Endpoint> {
    let about = About {
        many: "audit",
        tag: "",
        one: "an audit entry",
        list: "Entries of the audit trail, newest first.",
        create: "",
        editors: "",
        delete: "",
    };
    readable::<AuditEntry>(&about).into()
}

fn about() -> Vec<Endpoint> {
    vec![
        Endpoint::new("Api Root", "/api/")
            .renders(&root::MEDIA_TYPES)
            .get(
                op(
                    "list_resources",
                    "The URLs of the resources. A browser is redirected to the documentation.",
                )
                .refuses("400 for an unknown field or parameter."),
                root::list_resources,
            ),
        Endpoint::new("Schema", "/api/schema/")
            .renders(&schema::MEDIA_TYPES)
            .reads_format()
            .get(
                op("get_schema", "The OpenAPI description of this API.")
                    .refuses("400 for an unknown format or parameter."),
                schema::get_schema,
            ),
        Endpoint::new("Docs", "/api/docs/")
            .renders(&docs::PAGE_TYPES)
            .get(
                op("get_docs", "This documentation as a web page."),
                docs::get_docs,
            ),
        Endpoint::new("Docs File", "/api/docs/{file}/")
            .renders(&docs::FILE_TYPES)
            .get(
                op("get_docs_file", "A file that the documentation page loads.")
                    .refuses("404 when there is no such file."),
                docs::get_docs_file,
            ),
    ]
}

fn health() -> Vec<Endpoint> {
    vec![
        Endpoint::new("Health", "/healthz").get(
            op("get_health", "Liveness: the process serves."),
            health::get_health,
        ),
        Endpoint::new("Readiness", "/readyz").get(
            op(
                "get_readiness",
                "Readiness: the database answers and has the schema of this version.",
            )
            .refuses("503 with the reason when it cannot."),
            health::get_readiness,
        ),
    ]
}
