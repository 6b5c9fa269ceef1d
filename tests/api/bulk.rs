//! Many objects in one request, all of them or none; and the links between developers and skills.

use roster::server;
use serde_json::{Value, json};

use crate::support::{App, Dev, Options, add_company, add_skill};

#[test]
fn an_array_makes_as_many() {
    let app = App::new();
    let boss = app.staff("boss");
    let companies = boss.post(
        "/api/companies/",
        &json!([{"name": "One", "founded_year": 1999}, {"name": "Two", "founded_year": 2000}]),
    );
    assert_eq!(companies.header("location"), None);
    let companies = companies.created();
    assert_eq!(
        (&companies[0]["name"], &companies[1]["name"]),
        (&json!("One"), &json!("Two"))
    );
    let skills = boss
        .post(
            "/api/skills/",
            &json!([{"name": "Rust", "category": "x"}, {"name": "Go", "category": "x"}]),
        )
        .created();
    let developers = boss
        .post(
            "/api/developers/",
            &json!([
                {"name": "Ada", "company": "one", "skills": ["go", skills[0]["id"]], "user": "boss"},
                {"name": "Bob", "company": companies[1], "skills": []},
            ]),
        )
        .created();
    for developer in developers.as_array().unwrap() {
        assert_eq!(
            boss.get(&format!("/api/developers/{}/", developer["id"]))
                .ok(),
            *developer
        );
    }
    assert_eq!(developers[0]["skills"].as_array().unwrap().len(), 2);
    assert_eq!(boss.post("/api/skills/", &json!([])).created(), json!([]));
    // A line of the trail for each.
    let lines = boss
        .get("/api/audit/?action=create&object_type=developer")
        .column("object_id");
    assert_eq!(
        lines,
        [developers[1]["id"].clone(), developers[0]["id"].clone()]
    );
    boss.post("/api/projects/", &json!([{"name": "x"}]))
        .refused(400);
    app.user("ada")
        .post("/api/skills/", &json!([]))
        .refused(403);
}

#[test]
fn errors_stand_where_their_items_stand() {
    let app = App::new();
    let boss = app.staff("boss");
    add_company(&app.db, "Acme", "2020-01-01T00:00:00Z");
    add_skill(&app.db, "Rust");
    let taken = json!({"name": ["skill with this name already exists."]});
    assert_eq!(
        boss.post(
            "/api/skills/",
            &json!([{"name": "Go", "category": "x"}, {"name": "rust", "category": "x"}, {"name": "GO", "category": "x"}, 7, {"category": ""}])
        )
        .refused(400),
        json!([
            {},
            taken,
            taken,
            {"non_field_errors": ["Invalid data. Expected a dictionary, but got int."]},
            {"name": ["This field is required."], "category": ["This field may not be blank."]},
        ])
    );
    assert_eq!(
        boss.post(
            "/api/developers/",
            &json!([{"name": "Ada", "company": "Acne"}, {"name": "Bob", "company": 1, "skills": ["Go", "Rust"], "colour": 1}, {"name": "Cyd", "company": 1}])
        )
        .refused(400),
        json!([
            {"company": ["Object with name=Acne does not exist."]},
            {"skills": ["Object with name=Go does not exist."], "colour": ["Unknown field."]},
            {},
        ])
    );
    // What only the database sees.
    assert_eq!(
        boss.post("/api/developers/", &json!([{"name": "Ada", "company": 1, "user": "boss"}, {"name": "Bob", "company": 1, "user": "boss"}]))
            .refused(400),
        json!([{}, {"user": ["developer with this user already exists."]}])
    );
    assert_eq!(app.get("/api/skills/").names(), ["Rust"]);
    assert_eq!(app.get("/api/developers/").names(), [""; 0]);
}

#[test]
fn ten_thousand_at_most_in_as_many_statements_as_rows_want() {
    let app = App::with(Options {
        server: server::Settings {
            body_limit: 1 << 20,
            ..server::Settings::default()
        },
        ..Options::default()
    });
    let boss = app.staff("boss");
    for name in ["Acme", "Other"] {
        add_company(&app.db, name, "2020-01-01T00:00:00Z");
    }
    let skills: Vec<String> = (0..5).map(|number| format!("skill {number}")).collect();
    for name in &skills {
        add_skill(&app.db, name);
    }
    let developer = |number: usize| {
        json!({"name": format!("dev {number}"), "company": if number.is_multiple_of(2) { "acme" } else { "OTHER" },
        "skills": skills, "years_experience": number % 80})
    };
    let bulk = |count: usize| Value::from((0..count).map(developer).collect::<Vec<_>>());
    // Each row is an insert, its id and a line of the trail; the rest, its links with it, is the same for any number.
    let per_row = 3;
    let beside = |count: usize| {
        app.statements(|| drop(boss.post("/api/developers/", &bulk(count)).created()))
            - per_row * count as u64
    };
    if std::env::var("ROSTER_TEST_POSTGRES_URL").is_err() && cfg!(not(feature = "postgres")) {
        assert_eq!(beside(50), beside(90));
    }
    let made = boss.post("/api/developers/", &bulk(10_000)).created();
    assert_eq!(made.as_array().unwrap().len(), 10_000);
    assert_eq!(made[9_999]["name"], "dev 9999");
    assert_eq!(
        boss.get("/api/developers/?search=9999+acme+skill")
            .names()
            .len(),
        0
    );
    assert_eq!(
        boss.get("/api/developers/?search=9998+acme+skill").names(),
        ["dev 9998"]
    );
    let unlinked = vec![json!({"name": "dev", "company": 1}); 10_001];
    let too_many = boss.post("/api/developers/", &json!(unlinked)).refused(400);
    assert_eq!(
        too_many,
        json!({"non_field_errors": ["Ensure this field has no more than 10000 elements."]})
    );
    // One object does not get the room that many have.
    let large = json!({"name": "x".repeat(1 << 20), "company": 1});
    boss.post("/api/developers/", &large).refused(413);
    assert_eq!(
        boss.post("/api/developers/", &json!([large])).refused(400)[0]["name"][0],
        "Ensure this field has no more than 200 characters."
    );
    let huge = json!([{"name": "x".repeat(17 << 20)}]);
    boss.post("/api/developers/", &huge).refused(413);
    app.user("ada")
        .post("/api/projects/", &json!([{"name": "x".repeat(1 << 20)}]))
        .refused(413);
}

#[test]
fn a_link_is_put_and_deleted_by_its_pair() {
    let app = App::new();
    let (boss, ada) = (app.staff("boss"), app.user("ada"));
    let company = add_company(&app.db, "Acme", "2020-01-01T00:00:00Z");
    let (rust, sql) = (add_skill(&app.db, "Rust"), add_skill(&app.db, "SQL"));
    let id = Dev {
        user: Some(ada.id),
        skills: &[sql],
        ..Dev::new("Ada", company)
    }
    .add(&app.db);
    let path = format!("/api/developers/{id}/skills/{rust}/");
    let before = app.get(&format!("/api/developers/{id}/")).ok();
    let answer = ada.send("PUT", &path, None);
    assert_eq!(answer.header("location"), Some(app.url(&path).as_str()));
    let with = answer.created();
    assert_eq!(with["skills"][0]["name"], "Rust");
    assert!(with["updated_at"].as_str() > before["updated_at"].as_str());
    assert_eq!(app.get(&format!("/api/developers/{id}/")).ok(), with);
    // Once there, it is there.
    assert_eq!(ada.send("PUT", &path, None).ok(), with);
    assert_eq!(boss.send("PUT", &path, Some(&json!({}))).ok(), with);
    assert_eq!(boss.delete(&path).status, 204);
    assert_eq!(
        boss.delete(&path).refused(404)["detail"],
        "No Skill matches the given query."
    );
    assert_eq!(
        app.get(&format!("/api/developers/{id}/")).ok()["skills"],
        before["skills"]
    );
    let lines = boss
        .get(&format!("/api/audit/?object_type=developer&object_id={id}"))
        .column("changes");
    assert_eq!(lines.len(), 2);
    assert_eq!(
        lines[1],
        json!({"skills": [before["skills"], with["skills"]]})
    );
    for nowhere in [
        format!("/api/developers/{id}/skills/99/"),
        format!("/api/developers/{id}/skills/x/"),
        format!("/api/developers/99/skills/{rust}/"),
    ] {
        assert_eq!(boss.send("PUT", &nowhere, None).status, 404, "{nowhere}");
        assert_eq!(boss.delete(&nowhere).status, 404, "{nowhere}");
    }
    assert_eq!(ada.get(&path).status, 405);
}
