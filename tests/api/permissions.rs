//! Who may do what: the matrix of the contract, row by row.

use serde_json::{Value, json};

use crate::support::{App, Client, Dev, PASSWORD, add_company, add_skill, add_user};

const CALLERS: [&str; 8] = [
    "anonymous",
    "a bad token",
    "an expired token",
    "a user",
    "the owner",
    "another owner",
    "a deactivated user",
    "staff",
];

/// Object 1 of each kind is there; project 1, developer 1 and session 1 are the owner's, project 2 and developer 2 the other
/// owner's, who alone has skill 1.
const MATRIX: &str = "
                                            anon  bad   exp.  user  owner other gone  staff
    GET     /api/                           200   401   401   200   200   200   401   200
    GET     /api/companies/                 200   401   401   200   200   200   401   200
    POST    /api/companies/                 401   401   401   403   403   403   401   201
    GET     /api/companies/1/               200   401   401   200   200   200   401   200
    PUT     /api/companies/1/               401   401   401   403   403   403   401   200
    PATCH   /api/companies/1/               401   401   401   403   403   403   401   200
    DELETE  /api/companies/1/               401   401   401   403   403   403   401   204
    PATCH   /api/companies/99/              401   401   401   403   403   403   401   404
    GET     /api/companies/1/developers/    200   401   401   200   200   200   401   200
    GET     /api/skills/                    200   401   401   200   200   200   401   200
    POST    /api/skills/                    401   401   401   403   403   403   401   201
    GET     /api/skills/1/                  200   401   401   200   200   200   401   200
    PUT     /api/skills/1/                  401   401   401   403   403   403   401   200
    PATCH   /api/skills/1/                  401   401   401   403   403   403   401   200
    DELETE  /api/skills/1/                  401   401   401   403   403   403   401   204
    GET     /api/skills/1/developers/       200   401   401   200   200   200   401   200
    GET     /api/developers/                200   401   401   200   200   200   401   200
    POST    /api/developers/                401   401   401   403   403   403   401   201
    GET     /api/developers/1/              200   401   401   200   200   200   401   200
    PUT     /api/developers/1/              401   401   401   403   200   403   401   200
    PATCH   /api/developers/1/              401   401   401   403   200   403   401   200
    PATCH   /api/developers/2/              401   401   401   403   403   200   401   200
    PATCH   /api/developers/3/              401   401   401   403   403   403   401   200
    PATCH   /api/developers/99/             401   401   401   404   404   404   401   404
    DELETE  /api/developers/1/              401   401   401   403   403   403   401   204
    PUT     /api/developers/1/skills/1/     401   401   401   403   201   403   401   201
    DELETE  /api/developers/1/skills/1/     401   401   401   403   404   403   401   404
    DELETE  /api/developers/2/skills/1/     401   401   401   403   403   204   401   204
    PUT     /api/developers/99/skills/1/    401   401   401   404   404   404   401   404
    PUT     /api/developers/1/skills/99/    401   401   401   403   404   403   401   404
    GET     /api/projects/                  401   401   401   200   200   200   401   200
    OPTIONS /api/projects/                  401   401   401   200   200   200   401   200
    POST    /api/projects/                  401   401   401   201   201   201   401   201
    GET     /api/projects/1/                401   401   401   404   200   404   401   200
    HEAD    /api/projects/1/                401   401   401   404   200   404   401   200
    PUT     /api/projects/1/                401   401   401   404   200   404   401   200
    PATCH   /api/projects/1/                401   401   401   404   200   404   401   200
    DELETE  /api/projects/1/                401   401   401   404   204   404   401   204
    GET     /api/projects/99/               401   401   401   404   404   404   401   404
    DELETE  /api/projects/99/               401   401   401   404   404   404   401   404
    GET     /api/users/                     401   401   401   403   403   403   401   200
    HEAD    /api/users/                     401   401   401   403   403   403   401   200
    OPTIONS /api/users/                     401   401   401   403   403   403   401   200
    POST    /api/users/                     401   401   401   403   403   403   401   201
    GET     /api/users/2/                   401   401   401   403   403   403   401   200
    PUT     /api/users/2/                   401   401   401   403   403   403   401   200
    PATCH   /api/users/2/                   401   401   401   403   403   403   401   200
    DELETE  /api/users/2/                   401   401   401   403   403   403   401   204
    GET     /api/users/99/                  401   401   401   403   403   403   401   404
    DELETE  /api/users/99/                  401   401   401   403   403   403   401   404
    GET     /api/users/x/                   401   401   401   403   403   403   401   404
    GET     /api/users/me/                  401   401   401   200   200   200   401   200
    PATCH   /api/users/me/                  401   401   401   200   200   200   401   200
    POST    /api/users/me/password/         401   401   401   204   204   204   401   204
    GET     /api/users/me/sessions/         401   401   401   200   200   200   401   200
    DELETE  /api/users/me/sessions/1/       401   401   401   404   204   404   401   404
    GET     /api/audit/                     401   401   401   403   403   403   401   200
    OPTIONS /api/audit/                     401   401   401   403   403   403   401   200
    GET     /api/audit/1/                   401   401   401   403   403   403   401   200
    GET     /api/audit/99999/               401   401   401   403   403   403   401   404
";

pub struct Row {
    pub method: &'static str,
    pub path: &'static str,
    /// In the order of [`CALLERS`].
    pub statuses: Vec<u16>,
}

pub fn rows() -> Vec<Row> {
    let lines = MATRIX.lines().filter(|line| line.contains('/'));
    let rows = lines.map(|line| {
        let mut words = line.split_whitespace();
        let (method, path) = (words.next().unwrap(), words.next().unwrap());
        let statuses: Vec<u16> = words.map(|word| word.parse().unwrap()).collect();
        assert_eq!(statuses.len(), CALLERS.len(), "{line}");
        Row {
            method,
            path,
            statuses,
        }
    });
    rows.collect()
}

impl Row {
    pub fn reads(&self) -> bool {
        ["GET", "HEAD", "OPTIONS"].contains(&self.method)
    }
}

/// A body that the request would succeed with.
pub fn body(method: &str, path: &str) -> Option<Value> {
    let whole = match path.trim_start_matches("/api/").split('/').next() {
        _ if path.ends_with("/password/") => {
            json!({"current_password": PASSWORD, "new_password": "another horse staple"})
        }
        _ if path.contains("/skills/") && path.contains("/developers/") => return None,
        _ if path.ends_with("/me/") => json!({"email": "me@example.org"}),
        Some("companies") => json!({"name": "New", "founded_year": 2000}),
        Some("skills") => json!({"name": "New", "category": "Tool"}),
        Some("developers") => json!({"name": "New", "company": 1}),
        Some("projects") => json!({"name": "New"}),
        _ => json!({"username": "new", "password": "another horse staple"}),
    };
    ["POST", "PUT", "PATCH"].contains(&method).then_some(whole)
}

/// A directory with everybody of the matrix in it.
pub fn everybody(app: &App) -> [Client<'_>; 8] {
    let known = |id: i64| Client {
        id,
        access: Some(super::tokens::access_token(app, id)),
        ..app.anonymous()
    };
    let staff = add_user(&app.db, "staff", true);
    let owner = app.user("owner");
    let staff = known(staff);
    let [other, user, gone] =
        ["other", "user", "gone"].map(|name| known(add_user(&app.db, name, false)));
    staff
        .patch(
            &format!("/api/users/{}/", gone.id),
            &json!({"is_active": false}),
        )
        .ok();
    let company = add_company(&app.db, "Acme", "2020-01-01T00:00:00Z");
    let skill = [add_skill(&app.db, "Rust")];
    for user in [Some(owner.id), Some(other.id), None] {
        Dev {
            user,
            skills: if user == Some(other.id) { &skill } else { &[] },
            ..Dev::new("Somebody", company)
        }
        .add(&app.db);
    }
    for owner in [&owner, &other] {
        owner
            .post("/api/projects/", &json!({"name": "Theirs"}))
            .created();
    }
    let with = |token: String| Client {
        access: Some(token),
        ..app.anonymous()
    };
    let bad = with("a.b.c".to_owned());
    let expired = with(super::tokens::expired_token(app, user.id));
    [
        app.anonymous(),
        bad,
        expired,
        user,
        owner,
        other,
        gone,
        staff,
    ]
}

#[test]
fn the_matrix() {
    // What changes something needs a directory of its own each time; the rest shares one.
    let shared = App::new();
    let clients = everybody(&shared);
    let rows = rows();
    let mut wrong = Vec::new();
    let mut check = |client: &Client<'_>, caller: &str, row: &Row, expected: u16| {
        let Row { method, path, .. } = row;
        let status = client
            .send(method, path, body(method, path).as_ref())
            .status;
        if status != expected {
            wrong.push(format!(
                "{method} {path} by {caller}: {status}, not {expected}"
            ));
        }
    };
    for row in &rows {
        for ((client, caller), expected) in clients.iter().zip(CALLERS).zip(&row.statuses) {
            if *expected >= 400 || row.reads() {
                check(client, caller, row, *expected);
            }
        }
    }
    for (place, caller) in CALLERS.iter().enumerate() {
        for row in rows
            .iter()
            .filter(|row| !row.reads() && row.statuses[place] < 400)
        {
            let app = App::new();
            check(&everybody(&app)[place], caller, row, row.statuses[place]);
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn refusals_say_why() {
    let app = App::new();
    let [anonymous, bad, expired, user, _, other, gone, _] = everybody(&app);
    let answer = anonymous.get("/api/projects/");
    assert_eq!(
        answer.header("www-authenticate"),
        Some("Bearer realm=\"api\"")
    );
    assert_eq!(
        answer.refused(401),
        json!({"detail": "Authentication credentials were not provided.", "code": "not_authenticated"})
    );
    for client in [bad, expired] {
        for path in ["/api/companies/", "/api/projects/", "/api/"] {
            let answer = client.get(path);
            assert_eq!(
                answer.header("www-authenticate"),
                Some("Bearer realm=\"api\"")
            );
            assert_eq!(
                answer.refused(401),
                json!({"detail": "Given token not valid for any token type", "code": "token_not_valid"})
            );
        }
    }
    assert_eq!(
        gone.get("/api/skills/").refused(401),
        json!({"detail": "User is inactive", "code": "user_inactive"})
    );
    let denied = json!({"detail": "You do not have permission to perform this action.", "code": "permission_denied"});
    assert_eq!(user.get("/api/users/").refused(403), denied);
    assert_eq!(user.delete("/api/developers/1/").refused(403), denied);
    assert_eq!(
        other.patch("/api/developers/1/", &json!({})).refused(403),
        json!({"detail": "Access restricted to the object owner or admin users.", "code": "permission_denied"})
    );
    assert_eq!(
        other.patch("/api/projects/1/", &json!({})).refused(404),
        json!({"detail": "No Project matches the given query.", "code": "not_found"})
    );
}

#[test]
fn rights_are_those_of_now() {
    let app = App::new();
    let (boss, deputy) = (app.staff("boss"), app.staff("deputy"));
    let path = format!("/api/users/{}/", deputy.id);
    deputy.get("/api/users/").ok();

    boss.patch(&path, &json!({"is_staff": false})).ok();
    assert_eq!(deputy.get("/api/users/").status, 403);
    deputy.get("/api/users/me/").ok();
    boss.patch(&path, &json!({"is_staff": true})).ok();
    deputy.get("/api/users/").ok();
    boss.patch(&path, &json!({"is_active": false})).ok();
    assert_eq!(
        deputy.get("/api/users/").refused(401)["code"],
        "user_inactive"
    );
    boss.patch(&path, &json!({"is_active": true})).ok();
    assert_eq!(boss.delete(&path).status, 204);
    assert_eq!(
        deputy.get("/api/").refused(401),
        json!({"detail": "User not found", "code": "user_not_found"})
    );
}

#[test]
fn checks_come_in_their_order() {
    let app = App::new();
    let [anonymous, bad, _, user, _, other, _, staff] = everybody(&app);
    let send = |client: &Client<'_>, method: &str, path: &str, content_type: &str, accept: &str| {
        let authorization = client
            .access
            .as_ref()
            .map_or(String::new(), |token| format!("bearer {token}"));
        let headers = [
            ("authorization", authorization.as_str()),
            ("content-type", content_type),
            ("accept", accept),
        ];
        app.send_body(method, path, &headers, "{").status
    };
    let json = "application/json";
    // Routing, Accept, authentication, permission, body, object, fields.
    assert_eq!(
        send(&bad, "POST", "/api/nowhere/", "text/plain", "text/html"),
        404
    );
    assert_eq!(
        send(&bad, "TRACE", "/api/skills/", "text/plain", "text/html"),
        405
    );
    assert_eq!(
        send(&bad, "POST", "/api/skills/", "text/plain", "text/html"),
        406
    );
    assert_eq!(send(&bad, "POST", "/api/skills/", "text/plain", json), 401);
    assert_eq!(
        send(&anonymous, "POST", "/api/skills/", "text/plain", json),
        401
    );
    assert_eq!(send(&user, "POST", "/api/skills/", "text/plain", json), 403);
    assert_eq!(
        send(
            &staff,
            "POST",
            "/api/skills/?colour=red",
            "text/plain",
            json
        ),
        415
    );
    assert_eq!(
        send(&staff, "POST", "/api/skills/?colour=red", json, json),
        400
    );
    assert_eq!(send(&staff, "PATCH", "/api/skills/99/", json, json), 400);
    assert_eq!(send(&other, "PATCH", "/api/developers/1/", json, json), 400);
    let colour = json!({"colour": "red"});
    assert_eq!(staff.patch("/api/skills/99/", &colour).status, 404);
    assert_eq!(other.patch("/api/developers/1/", &colour).status, 403);
    assert_eq!(other.patch("/api/projects/1/", &colour).status, 404);
    assert_eq!(staff.patch("/api/skills/1/", &colour).status, 400);
    assert_eq!(user.get("/api/users/?colour=red").status, 403);
    assert_eq!(anonymous.get("/api/projects/?colour=red").status, 401);
}

#[test]
fn what_only_staff_may_set_is_passed_over() {
    let app = App::new();
    let [_, _, _, user, owner, other, _, staff] = everybody(&app);
    // A forged owner.
    for forged in [
        json!("other"),
        json!(other.id),
        json!({"id": other.id}),
        json!([]),
        json!(null),
    ] {
        let made = user
            .post("/api/projects/", &json!({"name": "Mine", "owner": forged}))
            .created();
        assert_eq!(made["owner"], "user");
        let path = format!("/api/projects/{}/", made["id"]);
        assert_eq!(
            user.patch(&path, &json!({"owner": forged})).ok()["owner"],
            "user"
        );
        assert_eq!(
            user.put(&path, &json!({"name": "Mine", "owner": forged}))
                .ok()["owner"],
            "user"
        );
    }
    assert_eq!(other.get("/api/projects/").names(), ["Theirs"]);

    // A developer's own profile.
    let login = json!("2020-01-01T00:00:00Z");
    let changes = json!({"name": "Ada", "years_experience": 7, "skills": ["Rust"], "company": "acme",
        "user": "user", "last_login": login, "id": 99, "created_at": login});
    let before = owner.get("/api/developers/1/").ok();
    for method in ["PATCH", "PUT"] {
        let after = owner
            .send(method, "/api/developers/1/", Some(&changes))
            .ok();
        assert_eq!(
            (&after["name"], &after["years_experience"]),
            (&json!("Ada"), &json!(7))
        );
        for field in ["id", "user", "last_login", "created_at"] {
            assert_eq!(after[field], before[field], "{field}");
        }
    }
    let by_staff = staff.patch("/api/developers/1/", &changes).ok();
    assert_eq!(
        (&by_staff["user"], &by_staff["id"]),
        (&json!("user"), &json!(1))
    );
    assert_eq!(by_staff["last_login"], "2020-01-01T00:00:00.000000Z");
    // With the account the profile went too.
    assert_eq!(owner.patch("/api/developers/1/", &json!({})).status, 403);
    user.patch("/api/developers/1/", &json!({})).ok();

    // Oneself.
    let me = json!({"is_staff": true, "is_active": false, "username": "boss", "id": 1,
        "date_joined": login, "last_login": login, "email": "user@example.org"});
    let before = user.get("/api/users/me/").ok();
    let after = user.patch("/api/users/me/", &me).ok();
    assert_eq!(after["email"], "user@example.org");
    for field in [
        "id",
        "username",
        "is_staff",
        "is_active",
        "date_joined",
        "last_login",
    ] {
        assert_eq!(after[field], before[field], "{field}");
    }
    assert_eq!(user.get("/api/users/").status, 403);
    assert_eq!(
        user.patch(
            "/api/users/me/",
            &json!({"password": "another horse staple"})
        )
        .refused(400),
        json!({"password": ["Unknown field."]})
    );
}

#[test]
fn the_last_active_staff_user_stays() {
    let app = App::new();
    let (boss, deputy) = (app.staff("boss"), app.staff("deputy"));
    let (boss_path, deputy_path) = (
        format!("/api/users/{}/", boss.id),
        format!("/api/users/{}/", deputy.id),
    );
    boss.patch(&deputy_path, &json!({"is_active": false})).ok();
    let kept = json!({"non_field_errors": ["The last active staff user cannot be deleted, demoted or deactivated."]});
    for change in [json!({"is_staff": false}), json!({"is_active": false})] {
        assert_eq!(boss.patch(&boss_path, &change).refused(400), kept);
    }
    let whole = json!({"username": "boss", "is_staff": false});
    assert_eq!(boss.put(&boss_path, &whole).refused(400), kept);
    assert_eq!(boss.delete(&boss_path).refused(400), kept);
    // One who is not active does not count; once active again, the other may go.
    assert_eq!(boss.get(&deputy_path).ok()["is_active"], false);
    boss.patch(&deputy_path, &json!({"is_active": true})).ok();
    assert_eq!(boss.delete(&boss_path).status, 204);
    let deputy = app.sign_in(deputy.id, "deputy");
    assert_eq!(deputy.delete(&deputy_path).refused(400), kept);
}

#[test]
fn of_two_who_depose_one_another_one_stays() {
    for _ in 0..5 {
        let app = App::new();
        let (one, two) = (app.staff("one"), app.staff("two"));
        let depose = |who: &Client<'_>, whom: i64| {
            who.patch(&format!("/api/users/{whom}/"), &json!({"is_staff": false}))
                .status
        };
        let statuses = std::thread::scope(|scope| {
            let first = scope.spawn(|| depose(&one, two.id));
            let second = scope.spawn(|| depose(&two, one.id));
            [first.join().unwrap(), second.join().unwrap()]
        });
        assert!(
            statuses.iter().filter(|status| **status == 200).count() <= 1,
            "{statuses:?}"
        );
        let left = [&one, &two]
            .iter()
            .filter(|who| who.get("/api/users/").status == 200)
            .count();
        assert_eq!(left, 1, "{statuses:?}");
    }
}
