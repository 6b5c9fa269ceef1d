//! Every URL, with its methods and handlers.

use actix_web::web::{self, ServiceConfig};

use crate::{
    api::{companies, developers, root, skills},
    endpoint::Endpoint,
    error::no_such_path,
    query::Shape,
};

/// The resources that `/api/` lists, as the shape of what it answers.
pub const RESOURCES: Shape = &[("companies", &[]), ("skills", &[]), ("developers", &[])];

pub fn configure(app: &mut ServiceConfig) {
    app.service(
        Endpoint::new("/api/", "Api Root", "The resources of this directory.")
            .get(root::list_resources),
    )
    .service(
        Endpoint::new(
            "/api/companies/",
            "Company List",
            "Companies, the newest first.",
        )
        .get(companies::list_companies),
    )
    .service(
        Endpoint::new("/api/companies/{id}/", "Company Instance", "One company.")
            .get(companies::get_company),
    )
    .service(
        Endpoint::new(
            "/api/companies/{id}/developers/",
            "Company Developer List",
            "The developers of one company.",
        )
        .get(developers::list_company_developers),
    )
    .service(
        Endpoint::new("/api/skills/", "Skill List", "Skills by name.").get(skills::list_skills),
    )
    .service(
        Endpoint::new("/api/skills/{id}/", "Skill Instance", "One skill.").get(skills::get_skill),
    )
    .service(
        Endpoint::new(
            "/api/skills/{id}/developers/",
            "Skill Developer List",
            "The developers with one skill.",
        )
        .get(developers::list_skill_developers),
    )
    .service(
        Endpoint::new(
            "/api/developers/",
            "Developer List",
            "Developers, the newest first.",
        )
        .get(developers::list_developers),
    )
    .service(
        Endpoint::new(
            "/api/developers/{id}/",
            "Developer Instance",
            "One developer.",
        )
        .get(developers::get_developer),
    )
    .default_service(web::to(no_such_path));
}
