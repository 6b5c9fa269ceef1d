//! Projects and their owners.

use serde_json::{Value, json};

use crate::support::{App, add_skill};

#[test]
fn a_project_belongs_to_who_makes_it() {
    let app = App::new();
    let (ada, bob) = (app.user("ada"), app.user("bob"));
    let (rust, sql) = (add_skill(&app.db, "Rust"), add_skill(&app.db, "SQL"));
    let answer = ada.post(
        "/api/projects/",
        &json!({"name": " Engine ", "skills": ["sql", rust, {"id": sql}, {"name": "RUST"}]}),
    );
    let location = answer.header("location").unwrap().to_owned();
    let engine = answer.created();
    assert_eq!(
        location,
        app.url(&format!("/api/projects/{}/", engine["id"]))
    );
    let keys: Vec<&String> = engine.as_object().unwrap().keys().collect();
    assert_eq!(
        keys,
        [
            "id",
            "name",
            "description",
            "skills",
            "owner",
            "created_at",
            "updated_at"
        ]
    );
    assert_eq!(
        (&engine["name"], &engine["description"], &engine["owner"]),
        (&json!("Engine"), &json!(""), &json!("ada"))
    );
    let names: Vec<&Value> = engine["skills"]
        .as_array()
        .unwrap()
        .iter()
        .map(|skill| &skill["name"])
        .collect();
    assert_eq!(names, ["Rust", "SQL"]);

    let path = format!("/api/projects/{}/", engine["id"]);
    assert_eq!(ada.get(&path).ok(), engine);
    assert_eq!(ada.put(&path, &engine).ok(), engine);
    assert_eq!(ada.patch(&path, &json!({})).ok(), engine);
    let changed = ada
        .patch(
            &path,
            &json!({"description": "Analytical", "skills": [rust]}),
        )
        .ok();
    assert_eq!(
        (&changed["description"], &changed["name"]),
        (&json!("Analytical"), &json!("Engine"))
    );
    assert!(changed["updated_at"].as_str() > engine["updated_at"].as_str());
    // The whole object: what is not named takes its default.
    let whole = ada.put(&path, &json!({"name": "Loom"})).ok();
    assert_eq!(
        (&whole["description"], &whole["skills"]),
        (&json!(""), &json!([]))
    );

    assert_eq!(bob.get("/api/projects/").names(), [""; 0]);
    assert_eq!(bob.delete(&path).status, 404);
    assert_eq!(ada.delete(&path).status, 204);
    assert_eq!(ada.get(&path).status, 404);
}

#[test]
fn staff_see_all_and_give_to_others() {
    let app = App::new();
    let (boss, ada, bob) = (app.staff("boss"), app.user("ada"), app.user("bob"));
    let given = boss
        .post("/api/projects/", &json!({"name": "Given", "owner": "ADA"}))
        .created();
    assert_eq!(given["owner"], "ada");
    let path = format!("/api/projects/{}/", given["id"]);
    ada.get(&path).ok();
    assert_eq!(
        boss.patch(&path, &json!({"owner": {"username": "bob"}}))
            .ok()["owner"],
        "bob"
    );
    assert_eq!((ada.get(&path).status, bob.get(&path).status), (404, 200));
    // Whoever is not named stays.
    assert_eq!(
        boss.put(&path, &json!({"name": "Given"})).ok()["owner"],
        "bob"
    );
    assert_eq!(
        boss.patch(&path, &json!({"owner": "nobody"})).refused(400),
        json!({"owner": ["Object with username=nobody does not exist."]})
    );
    assert_eq!(
        boss.patch(&path, &json!({"owner": 99})).refused(400),
        json!({"owner": ["Invalid pk \"99\" - object does not exist."]})
    );
    assert_eq!(
        boss.patch(&path, &json!({"owner": null})).refused(400),
        json!({"owner": ["This field may not be null."]})
    );
    assert_eq!(
        boss.post("/api/projects/", &json!({"name": "Own"}))
            .created()["owner"],
        "boss"
    );
    assert_eq!(boss.get("/api/projects/").names(), ["Own", "Given"]);
}

#[test]
fn lists_are_filtered_searched_and_ordered() {
    let app = App::new();
    let (boss, ada) = (app.staff("boss"), app.user("ada"));
    add_skill(&app.db, "Rust");
    for (name, description, skills) in [
        ("Éngine", "difference of Müller", json!(["Rust"])),
        ("Loom", "", json!([])),
        ("engine 2", "analytical", json!([])),
    ] {
        ada.post(
            "/api/projects/",
            &json!({"name": name, "description": description, "skills": skills}),
        )
        .created();
    }
    boss.post("/api/projects/", &json!({"name": "Boss's"}))
        .created();
    let names = |query: &str| ada.get(&format!("/api/projects/?{query}")).names();
    assert_eq!(names(""), ["engine 2", "Loom", "Éngine"]);
    assert_eq!(names("ordering=name"), ["Loom", "engine 2", "Éngine"]);
    assert_eq!(names("search=engine"), ["engine 2", "Éngine"]);
    assert_eq!(names("search=engine+mull"), ["Éngine"]);
    assert_eq!(names("search=boss"), [""; 0]);
    assert_eq!(names("name__icontains=%C3%89NG"), ["Éngine"]);
    assert_eq!(names("skills__name=Rust"), ["Éngine"]);
    assert_eq!(
        names("skills__name__in=Rust,Go&created_at__gte=2026-01-01"),
        ["Éngine"]
    );
    // Whoever asks for an owner sees no more than else.
    assert_eq!(
        ada.get("/api/projects/?owner=ada").names(),
        ada.get("/api/projects/").names()
    );
    assert_eq!(ada.get("/api/projects/?owner=boss").names(), [""; 0]);
    assert_eq!(
        ada.get("/api/projects/?owner__isnull=false&owner__gt=ada")
            .names(),
        [""; 0]
    );
    assert_eq!(boss.get("/api/projects/?owner=boss").names(), ["Boss's"]);
    assert_eq!(
        boss.get("/api/projects/?owner__in=boss,ada").names().len(),
        4
    );
    // Cursors are the caller's list's.
    let page = ada.get("/api/projects/?page_size=2").ok();
    assert_eq!(ada.get(page["next"].as_str().unwrap()).names(), ["Éngine"]);
    assert_eq!(
        ada.get("/api/projects/?fields=name,skills.name&search=eng&ordering=-id&page_size=1")
            .ok()["results"],
        json!([{"name": "engine 2", "skills": []}])
    );
}

#[test]
fn a_page_and_a_detail_are_two_statements_and_who_is_calling() {
    let app = App::new();
    let ada = app.user("ada");
    let skills: Vec<i64> = ["Rust", "SQL", "Go"]
        .map(|name| add_skill(&app.db, name))
        .to_vec();
    for name in ["one", "two", "three"] {
        ada.post("/api/projects/", &json!({"name": name, "skills": skills}))
            .created();
    }
    for path in [
        "/api/projects/",
        "/api/projects/?page_size=1",
        "/api/projects/1/",
    ] {
        assert_eq!(app.statements(|| drop(ada.get(path).ok())), 3, "{path}");
    }
}
