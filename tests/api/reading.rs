//! Each resource: its shape, its default order, its details.

use serde_json::json;

use crate::support::{App, Dev, add_company, add_skill, stamp};

#[test]
fn the_root_lists_the_resources() {
    let app = App::new();
    let expected = json!({
        "companies": app.url("/api/companies/"),
        "skills": app.url("/api/skills/"),
        "developers": app.url("/api/developers/"),
        "projects": app.url("/api/projects/"),
        "users": app.url("/api/users/"),
        "audit": app.url("/api/audit/"),
    });
    assert_eq!(app.get("/api/").ok(), expected);
    assert_eq!(app.get("/api").ok(), expected);
}

#[test]
fn an_empty_directory_has_empty_lists() {
    let app = App::new();
    for path in ["/api/companies/", "/api/skills/", "/api/developers/"] {
        assert_eq!(
            app.get(path).ok(),
            json!({"next": null, "previous": null, "results": []})
        );
    }
}

#[test]
fn companies_come_newest_first() {
    let app = App::new();
    let old = add_company(&app.db, "Acme", "2020-01-01T00:00:00.000001Z");
    let new = add_company(&app.db, "Zeta", "2024-02-29T23:59:59.999999Z");
    let twin = add_company(&app.db, "Beta", "2020-01-01T00:00:00.000001Z");
    assert_eq!(app.get("/api/companies/").column("id"), [new, twin, old]);
    assert_eq!(
        app.get(&format!("/api/companies/{old}/")).ok(),
        json!({
            "id": old, "name": "Acme", "founded_year": 1999,
            "created_at": "2020-01-01T00:00:00.000001Z", "updated_at": "2020-01-01T00:00:00.000001Z",
        })
    );
}

#[test]
fn skills_come_by_name_in_code_point_order() {
    let app = App::new();
    for name in ["b", "é", "Z", "a", "😀", "ﬀ", "B"]
        .iter()
        .filter(|name| **name != "B")
    {
        add_skill(&app.db, name);
    }
    assert_eq!(
        app.get("/api/skills/").names(),
        ["Z", "a", "b", "é", "ﬀ", "😀"]
    );
    let id = app.get("/api/skills/").column("id")[0].clone();
    assert_eq!(
        app.get(&format!("/api/skills/{id}/")).ok(),
        json!({"id": id, "name": "Z", "category": "Tool"})
    );
}

#[test]
fn a_developer_shows_company_and_skills() {
    let app = App::new();
    let company = add_company(&app.db, "Acme", "2020-01-01T00:00:00Z");
    let (sql, rust) = (add_skill(&app.db, "SQL"), add_skill(&app.db, "Rust"));
    let ada = Dev {
        years: 12,
        last_login: Some(stamp("2026-11-20T09:15:30.5+01:00")),
        skills: &[sql, rust],
        ..Dev::new("Ada", company)
    };
    let id = ada.add(&app.db);
    let expected = json!({
        "id": id, "name": "Ada",
        "company": {"id": company, "name": "Acme", "founded_year": 1999},
        "skills": [
            {"id": rust, "name": "Rust", "category": "Tool"},
            {"id": sql, "name": "SQL", "category": "Tool"},
        ],
        "years_experience": 12, "last_login": "2026-11-20T08:15:30.500000Z", "user": null,
        "created_at": "2026-01-01T00:00:00.000000Z", "updated_at": "2026-01-01T00:00:00.000000Z",
    });
    assert_eq!(app.get(&format!("/api/developers/{id}/")).ok(), expected);
    assert_eq!(
        app.get("/api/developers/").ok()["results"],
        json!([expected])
    );
}

#[test]
fn developers_come_newest_first() {
    let app = App::new();
    let company = add_company(&app.db, "Acme", "2020-01-01T00:00:00Z");
    for (name, day) in [("b", "02"), ("c", "03"), ("a", "01"), ("d", "03")] {
        Dev {
            created_at: stamp(&format!("2026-01-{day}T00:00:00Z")),
            ..Dev::new(name, company)
        }
        .add(&app.db);
    }
    assert_eq!(app.get("/api/developers/").names(), ["d", "c", "b", "a"]);
}

#[test]
fn a_developer_without_skills_has_an_empty_list() {
    let app = App::new();
    let company = add_company(&app.db, "Acme", "2020-01-01T00:00:00Z");
    let id = Dev::new("Ada", company).add(&app.db);
    let ada = app.get(&format!("/api/developers/{id}/")).ok();
    assert_eq!(
        (&ada["skills"], &ada["last_login"]),
        (&json!([]), &json!(null))
    );
}

#[test]
fn the_developers_of_a_company_and_of_a_skill() {
    let app = App::new();
    let acme = add_company(&app.db, "Acme", "2020-01-01T00:00:00Z");
    let empty = add_company(&app.db, "Empty", "2020-01-01T00:00:00Z");
    let (rust, sql) = (add_skill(&app.db, "Rust"), add_skill(&app.db, "SQL"));
    let other = add_company(&app.db, "Other", "2020-01-01T00:00:00Z");
    Dev {
        skills: &[rust],
        ..Dev::new("one", acme)
    }
    .add(&app.db);
    Dev {
        skills: &[rust],
        years: 9,
        ..Dev::new("two", other)
    }
    .add(&app.db);
    Dev {
        years: 7,
        ..Dev::new("three", acme)
    }
    .add(&app.db);

    let names = |path: String| app.get(&path).names();
    assert_eq!(
        names(format!("/api/companies/{acme}/developers/")),
        ["three", "one"]
    );
    assert_eq!(
        names(format!("/api/companies/{acme}/developers?senior=true")),
        ["three"]
    );
    assert_eq!(
        names(format!("/api/skills/{rust}/developers/")),
        ["two", "one"]
    );
    assert_eq!(
        names(format!("/api/skills/{rust}/developers/?senior=false")),
        ["one"]
    );
    assert!(names(format!("/api/companies/{empty}/developers/")).is_empty());
    assert!(names(format!("/api/skills/{sql}/developers/")).is_empty());
    for (path, name) in [
        ("/api/companies/999/developers/", "Company"),
        ("/api/skills/999/developers/", "Skill"),
    ] {
        let answer = app.get(path);
        assert_eq!(answer.status, 404);
        assert_eq!(
            answer.json()["detail"],
            format!("No {name} matches the given query.")
        );
    }
}
