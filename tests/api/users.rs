//! Users, by staff and by themselves.

use serde_json::{Value, json};

use crate::support::{App, Dev, PASSWORD, add_company, add_user};

#[test]
fn staff_make_change_and_delete_users() {
    let app = App::new();
    let boss = app.staff("boss");
    let answer = boss.post(
        "/api/users/",
        &json!({"username": " ada.l@x+y-z_1 ", "email": "ada@example.org", "password": PASSWORD}),
    );
    let location = answer.header("location").unwrap().to_owned();
    let ada = answer.created();
    assert_eq!(location, app.url(&format!("/api/users/{}/", ada["id"])));
    assert_eq!(ada["username"], "ada.l@x+y-z_1");
    let keys: Vec<&String> = ada.as_object().unwrap().keys().collect();
    assert_eq!(
        keys,
        [
            "id",
            "username",
            "email",
            "is_staff",
            "is_active",
            "date_joined",
            "last_login"
        ]
    );
    assert_eq!(
        (&ada["is_staff"], &ada["is_active"], &ada["last_login"]),
        (&json!(false), &json!(true), &Value::Null)
    );
    // A number is taken for its text here too.
    let number = json!({"username": "babbage", "password": 1791.1226_f64});
    boss.post("/api/users/", &number).created();
    let credentials = json!({"username": "babbage", "password": "1791.1226"});
    app.anonymous().post("/api/token/", &credentials).ok();
    let path = format!("/api/users/{}/", ada["id"]);
    assert_eq!(boss.get(&path).ok(), ada);
    // What was read can be put back, read-only fields and all; the password stays.
    assert_eq!(boss.put(&path, &ada).ok(), ada);
    assert_eq!(boss.patch(&path, &json!({})).ok(), ada);
    app.sign_in(ada["id"].as_i64().unwrap(), "ada.l@x+y-z_1");
    let changed = boss
        .patch(
            &path,
            &json!({"username": "lovelace", "is_staff": "true", "id": 99, "date_joined": null}),
        )
        .ok();
    assert_eq!(
        (&changed["username"], &changed["is_staff"], &changed["id"]),
        (&json!("lovelace"), &json!(true), &ada["id"])
    );
    // The words and numbers that DRF takes.
    for (choice, is_staff) in [
        (json!("FALSE"), false),
        (json!(1), true),
        (json!(0), false),
        (json!(1.0), true),
    ] {
        let changed = boss.patch(&path, &json!({"is_staff": choice})).ok();
        assert_eq!(changed["is_staff"], json!(is_staff), "{choice}");
    }
    assert_eq!(boss.delete(&path).status, 204);
    assert_eq!(
        boss.get(&path).refused(404),
        json!({"detail": "No User matches the given query.", "code": "not_found"})
    );
}

#[test]
fn everything_that_is_wrong_is_told() {
    let app = App::new();
    let boss = app.staff("boss");
    add_user(&app.db, "Ädа", false);
    let post = |body: Value| boss.post("/api/users/", &body).refused(400);
    assert_eq!(
        post(json!({})),
        json!({"username": ["This field is required."], "password": ["This field is required."]})
    );
    assert_eq!(
        post(
            json!({"username": "ädА", "email": "x@y", "password": "1234567", "is_staff": "perhaps", "colour": 1})
        ),
        json!({
            "username": ["user with this username already exists."],
            "email": ["Enter a valid email address."],
            "password": [
                "This password is too short. It must contain at least 8 characters.",
                "This password is too common.",
                "This password is entirely numeric.",
            ],
            "is_staff": ["Must be a valid boolean."],
            "colour": ["Unknown field."],
        })
    );
    let username =
        |name: &str| post(json!({"username": name, "password": PASSWORD}))["username"].clone();
    let invalid = json!([
        "Enter a valid username. This value may contain only letters, numbers, and @/./+/-/_ characters."
    ]);
    for name in ["a b", "a;b", "<x>", "a\u{301}"] {
        assert_eq!(username(name), invalid, "{name}");
    }
    assert_eq!(username("a\0"), json!(["Null characters are not allowed."]));
    assert_eq!(
        username(&"é".repeat(151)),
        json!(["Ensure this field has no more than 150 characters."])
    );
    assert_eq!(username("  "), json!(["This field may not be blank."]));
    for email in [
        "a..b@c.de",
        "ada@127.0.0.1",
        "x",
        "@example.org",
        "a@",
        "a@-x.org",
        "a b@example.org",
        "a@b@example.org",
        "a@example..org",
    ] {
        let refused = post(json!({"username": "new", "password": PASSWORD, "email": email}));
        assert_eq!(
            refused["email"],
            json!(["Enter a valid email address."]),
            "{email}"
        );
    }
    let similar =
        post(json!({"username": "countess", "email": "ada@example.org", "password": "Countess1"}));
    assert_eq!(
        similar["password"],
        json!(["The password is too similar to the username."])
    );
    // Those who have a name keep it, in another letter case too.
    let path = format!("/api/users/{}/", boss.id);
    assert_eq!(
        boss.patch(&path, &json!({"username": "BOSS"})).ok()["username"],
        "BOSS"
    );
    assert_eq!(boss.get("/api/users/").column("username"), ["BOSS", "Ädа"]);
    assert_eq!(
        boss.patch(&path, &json!({"password": null})).refused(400),
        json!({"password": ["This field may not be null."]})
    );
}

#[test]
fn lists_of_users_are_filtered_and_ordered() {
    let app = App::new();
    let boss = app.staff("boss");
    for name in ["ada", "bob", "Cyd"] {
        add_user(&app.db, name, false);
    }
    boss.patch(
        "/api/users/3/",
        &json!({"is_active": false, "email": "Bob@Example.org"}),
    )
    .ok();
    let names = |query: &str| boss.get(&format!("/api/users/?{query}")).column("username");
    assert_eq!(names(""), ["boss", "ada", "bob", "Cyd"]);
    assert_eq!(names("ordering=-username"), ["boss", "bob", "ada", "Cyd"]);
    assert_eq!(names("ordering=-last_login")[0], "boss");
    assert_eq!(names("ordering=last_login")[0], "boss");
    assert_eq!(
        names("ordering=date_joined,-username"),
        ["boss", "bob", "ada", "Cyd"]
    );
    assert_eq!(names("is_staff=true"), ["boss"]);
    assert_eq!(names("is_staff=false&is_active=true"), ["ada", "Cyd"]);
    assert_eq!(names("username__istartswith=B"), ["boss", "bob"]);
    assert_eq!(names("email__icontains=EXAMPLE"), ["bob"]);
    assert_eq!(names("last_login__isnull=false"), ["boss"]);
    assert_eq!(names("date_joined__gte=2026-01-02"), [""; 0]);
    let next = boss.get("/api/users/?page_size=3&ordering=username").ok()["next"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(boss.get(&next).column("username"), ["boss"]);
    assert_eq!(
        boss.get("/api/users/?search=ada&is_staff=perhaps&is_staff__gt=true&password=x")
            .refused(400),
        json!({
            "search": ["Unknown query parameter."],
            "is_staff": ["Must be a valid boolean."],
            "is_staff__gt": ["Unknown query parameter."],
            "password": ["Unknown query parameter."],
        })
    );
}

#[test]
fn a_deleted_user_takes_the_projects_along_and_leaves_the_developer() {
    let app = App::new();
    let (boss, ada) = (app.staff("boss"), app.user("ada"));
    let company = add_company(&app.db, "Acme", "2020-01-01T00:00:00Z");
    let developer = Dev {
        user: Some(ada.id),
        ..Dev::new("Ada", company)
    }
    .add(&app.db);
    ada.post("/api/projects/", &json!({"name": "Engine"}))
        .created();
    boss.post("/api/projects/", &json!({"name": "Loom"}))
        .created();
    assert_eq!(boss.delete(&format!("/api/users/{}/", ada.id)).status, 204);
    assert_eq!(boss.get("/api/projects/").names(), ["Loom"]);
    assert_eq!(
        app.get(&format!("/api/developers/{developer}/")).ok()["user"],
        Value::Null
    );
    assert_eq!(
        ada.refreshed(&ada.refresh).refused(401)["code"],
        "no_active_account"
    );
}

#[test]
fn users_see_and_change_themselves() {
    let app = App::new();
    let ada = app.user("ada");
    let me = ada.get("/api/users/me/").ok();
    assert_eq!((&me["username"], &me["email"]), (&json!("ada"), &json!("")));
    assert_eq!(
        ada.get("/api/users/me/?fields=username").ok(),
        json!({"username": "ada"})
    );
    let changed = ada
        .patch("/api/users/me/", &json!({"email": "ada@example.org"}))
        .ok();
    assert_eq!(changed["email"], "ada@example.org");
    assert_eq!(ada.patch("/api/users/me/", &me).ok(), me);
    assert_eq!(
        ada.patch("/api/users/me/", &json!({"email": "x", "colour": 1}))
            .refused(400),
        json!({"email": ["Enter a valid email address."], "colour": ["Unknown field."]})
    );
}
