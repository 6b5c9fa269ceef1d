//! Staying signed in, and ending it: families of refresh tokens, and passwords.

use std::time::Duration;

use diesel::prelude::*;
use roster::{
    auth::PasswordHash,
    db::{
        DbConnection, Error, Stamp,
        schema::{refresh_tokens, sessions, users},
    },
    models::UserDraft,
};
use serde_json::{Value, json};

use super::tokens::{access_token, not_valid, payload, verify, with_token};
use crate::support::{App, Client, Options, PASSWORD, add_user};

fn count<T: Send + 'static>(
    app: &App,
    query: impl FnOnce(&mut DbConnection) -> QueryResult<T> + Send + 'static,
) -> T {
    app.db
        .read_blocking(|conn| Ok::<_, Error>(query(conn)?))
        .unwrap()
}

#[test]
fn a_refresh_token_works_once_and_its_second_use_ends_the_family() {
    let app = App::new();
    let user = app.user("ada");
    let other = app.sign_in(user.id, "ada");
    let first = user.refreshed(&user.refresh).ok();
    let second = first["refresh"].as_str().unwrap().to_owned();
    with_token(&app, first["access"].as_str().unwrap().to_owned())
        .get("/api/users/me/")
        .ok();
    verify(&app, &second).ok();
    assert_eq!(
        verify(&app, &user.refresh).refused(401),
        not_valid("Token is blacklisted")
    );
    verify(&app, &second).ok();
    // The thief comes.
    assert_eq!(
        user.refreshed(&user.refresh).refused(401),
        not_valid("Token is blacklisted")
    );
    assert_eq!(
        verify(&app, &second).refused(401),
        not_valid("Token is blacklisted")
    );
    assert_eq!(
        user.refreshed(&second).refused(401),
        not_valid("Token is blacklisted")
    );
    // Another sign-in of the same user is another family.
    user.refreshed(&other.refresh).ok();
}

#[test]
fn of_ten_refreshes_at_once_one_wins_and_the_family_ends() {
    let app = App::new();
    let user = app.user("ada");
    let won = at_once(&user).iter().flatten().count();
    assert_eq!((won, families(&app, user.id)), (1, 0));
}

#[test]
fn within_the_grace_all_of_ten_at_once_get_the_one_successor() {
    let app = App::with(Options {
        grace: Duration::from_mins(1),
        ..Options::default()
    });
    let user = app.user("ada");
    let pairs: Vec<Value> = at_once(&user).into_iter().flatten().collect();
    assert_eq!((pairs.len(), families(&app, user.id)), (10, 1));
    for pair in &pairs {
        assert_eq!(pair["refresh"], pairs[0]["refresh"]);
        let access = pair["access"].as_str().unwrap().to_owned();
        with_token(&app, access).get("/api/users/me/").ok();
    }
    let tokens: i64 = count(&app, |conn| refresh_tokens::table.count().get_result(conn));
    assert_eq!(tokens, 2, "a family is a chain");
}

/// What ten refreshes with one token at once are answered with.
fn at_once(user: &Client<'_>) -> Vec<Option<Value>> {
    let refresh = || {
        let answer = user.refreshed(&user.refresh);
        (answer.status == 200).then(|| answer.ok())
    };
    std::thread::scope(|scope| {
        let racers: Vec<_> = (0..10).map(|_| scope.spawn(refresh)).collect();
        racers
            .into_iter()
            .map(|racer| racer.join().unwrap())
            .collect()
    })
}

fn families(app: &App, user: i64) -> i64 {
    count(app, move |conn| {
        sessions::table
            .filter(sessions::user_id.eq(user))
            .count()
            .get_result(conn)
    })
}

#[test]
fn within_the_grace_a_used_token_is_answered_with_its_successor_again() {
    let grace = Duration::from_mins(10);
    let app = App::with(Options {
        grace,
        ..Options::default()
    });
    let user = app.user("ada");
    let next = |token: &str| {
        let pair = user.refreshed(token).ok();
        pair["refresh"].as_str().unwrap().to_owned()
    };
    let one = next(&user.refresh);
    assert_eq!(next(&user.refresh), one);
    // Also when that one has been used.
    let two = next(&one);
    assert_eq!(
        (next(&user.refresh), next(&one)),
        (one.clone(), two.clone())
    );
    assert_eq!(verify(&app, &one).status, 401);
    verify(&app, &two).ok();
    // The grace of the first is over, as far as the database knows.
    app.db
        .write_blocking(move |conn| {
            let long_ago = Stamp::now().before(grace);
            diesel::update(refresh_tokens::table.filter(refresh_tokens::used_at.is_not_null()))
                .set(refresh_tokens::used_at.eq(long_ago))
                .execute(conn)?;
            Ok::<_, Error>(())
        })
        .unwrap();
    user.refreshed(&user.refresh).refused(401);
    verify(&app, &two).refused(401);
}

#[test]
fn an_access_token_ends_with_its_session() {
    let app = App::new();
    let staff = app.staff("boss");
    let id = add_user(&app.db, "ada", false);
    let refuses = |client: &Client<'_>, how: &str| {
        for path in ["/api/users/me/", "/api/skills/"] {
            assert_eq!(
                client.get(path).refused(401),
                not_valid("Given token not valid for any token type"),
                "{how}"
            );
        }
        let access = client.access.as_deref().unwrap();
        assert_eq!(
            verify(&app, access).refused(401)["code"],
            "token_not_valid",
            "{how}"
        );
    };
    let other = app.sign_in(id, "ada");

    let client = app.sign_in(id, "ada");
    let refresh = json!({"refresh": client.refresh});
    app.anonymous().post("/api/token/blacklist/", &refresh).ok();
    refuses(&client, "logout");

    let client = app.sign_in(id, "ada");
    client.refreshed(&client.refresh).ok();
    client.get("/api/users/me/").ok();
    client.refreshed(&client.refresh).refused(401);
    refuses(&client, "theft");

    let client = app.sign_in(id, "ada");
    let sessions = client.get("/api/users/me/sessions/").column("id");
    let path = format!("/api/users/me/sessions/{}/", sessions[0]);
    assert_eq!(client.delete(&path).status, 204);
    refuses(&client, "an ended session");
    other.get("/api/users/me/").ok();

    let client = app.sign_in(id, "ada");
    let passwords = json!({"current_password": PASSWORD, "new_password": "analytical engine"});
    assert_eq!(
        client.post("/api/users/me/password/", &passwords).status,
        204
    );
    refuses(&client, "a new password");
    refuses(&other, "a new password");

    let client = with_token(&app, access_token(&app, id));
    let path = format!("/api/users/{id}/");
    staff
        .patch(&path, &json!({"password": "difference engine"}))
        .ok();
    refuses(&client, "a password by staff");

    // Reactivated is not signed in again.
    let client = with_token(&app, access_token(&app, id));
    staff.patch(&path, &json!({"is_active": false})).ok();
    assert_eq!(client.get("/api/skills/").status, 401);
    staff.patch(&path, &json!({"is_active": true})).ok();
    refuses(&client, "a deactivation");
}

#[test]
fn tokens_of_a_deleted_user_do_not_open_the_next_account_of_the_id() {
    let app = App::new();
    let (staff, ada) = (app.staff("boss"), app.user("ada"));
    assert_eq!(staff.delete(&format!("/api/users/{}/", ada.id)).status, 204);
    assert_eq!(
        ada.get("/api/users/me/").refused(401)["code"],
        "user_not_found"
    );
    let eve = UserDraft {
        username: "eve".to_owned(),
        is_staff: true,
        ..UserDraft::new(Stamp::now())
    };
    let id = ada.id;
    app.db
        .write_blocking(move |conn| {
            Ok::<_, Error>(eve.insert(conn, Some(id), &PasswordHash::unusable())?)
        })
        .unwrap();
    for path in ["/api/users/me/", "/api/users/", "/api/skills/"] {
        assert_eq!(ada.get(path).refused(401)["code"], "token_not_valid");
    }
    assert_eq!(
        ada.refreshed(&ada.refresh).refused(401)["code"],
        "token_not_valid"
    );
    for token in [ada.access.as_deref().unwrap(), &ada.refresh] {
        assert_eq!(verify(&app, token).refused(401)["code"], "token_not_valid");
    }
}

#[test]
fn an_access_token_may_outlive_the_refresh_token() {
    let second = Duration::from_secs(1);
    let app = App::with(Options {
        refresh: second,
        ..Options::default()
    });
    let user = app.user("ada");
    std::thread::sleep(second * 2);
    // Forgets what has expired.
    app.user("bob");
    user.get("/api/users/me/").ok();
    user.refreshed(&user.refresh).refused(401);
}

#[test]
fn lifetimes_are_settings() {
    let second = Duration::from_secs(1);
    let app = App::with(Options {
        access: second,
        refresh: second * 2,
        ..Options::default()
    });
    let user = app.user("ada");
    user.get("/api/users/me/").ok();
    std::thread::sleep(second * 2);
    assert_eq!(
        user.get("/api/users/me/").refused(401)["code"],
        "token_not_valid"
    );
    std::thread::sleep(Duration::from_millis(1_100));
    assert_eq!(
        user.refreshed(&user.refresh).refused(401),
        not_valid("Token is expired")
    );
    // The next sign-in forgets what has expired.
    app.sign_in(user.id, "ada");
    let left = count(&app, |conn| {
        let sessions: i64 = sessions::table.count().get_result(conn)?;
        let tokens: i64 = refresh_tokens::table.count().get_result(conn)?;
        Ok((sessions, tokens))
    });
    assert_eq!(left, (1, 1));
}

#[test]
fn blacklisting_ends_the_family() {
    let app = App::new();
    let user = app.user("ada");
    let next = user.refreshed(&user.refresh).ok()["refresh"]
        .as_str()
        .unwrap()
        .to_owned();
    let blacklist = |token: &str| {
        app.anonymous()
            .post("/api/token/blacklist/", &json!({"refresh": token}))
    };
    assert_eq!(blacklist(&next).ok(), json!({}));
    assert_eq!(
        blacklist(&next).refused(401),
        not_valid("Token is blacklisted")
    );
    assert_eq!(
        user.refreshed(&next).refused(401),
        not_valid("Token is blacklisted")
    );
    assert_eq!(
        blacklist(user.access.as_ref().unwrap()).refused(401),
        not_valid("Token has wrong type")
    );
}

#[test]
fn sessions_are_listed_and_ended_by_their_user() {
    let app = App::new();
    let (user, other) = (app.user("ada"), app.user("bob"));
    let headers = [
        ("user-agent", "phone"),
        ("content-type", "application/json"),
    ];
    let body = json!({"username": "ada", "password": PASSWORD}).to_string();
    let phone = app.send_body("POST", "/api/token/", &headers, body).ok();
    let phone = phone["refresh"].as_str().unwrap();
    let page = user.get("/api/users/me/sessions/").ok();
    let sessions = page["results"].as_array().unwrap();
    assert_eq!(sessions.len(), 2);
    assert_eq!(sessions[0]["user_agent"], "phone");
    assert_eq!(sessions[0]["address"], "127.0.0.1");
    let fields: Vec<&String> = sessions[0].as_object().unwrap().keys().collect();
    assert_eq!(
        fields,
        [
            "id",
            "address",
            "user_agent",
            "created_at",
            "last_used_at",
            "expires_at"
        ]
    );
    user.refreshed(phone).ok();
    let page = user
        .get("/api/users/me/sessions/?fields=last_used_at,created_at&page_size=1")
        .ok();
    assert!(
        page["results"][0]["last_used_at"].as_str() > page["results"][0]["created_at"].as_str()
    );

    let path = format!("/api/users/me/sessions/{}/", sessions[0]["id"]);
    assert_eq!(
        other.delete(&path).refused(404),
        json!({"detail": "No Session matches the given query.", "code": "not_found"})
    );
    assert_eq!(user.delete(&path).status, 204);
    assert_eq!(user.delete(&path).status, 404);
    assert_eq!(user.refreshed(phone).status, 401);
    user.refreshed(&user.refresh).ok();
    assert_eq!(other.get("/api/users/me/sessions/").column("id").len(), 1);
}

#[test]
fn a_new_password_ends_all_sessions() {
    let app = App::new();
    let (staff, user) = (app.staff("boss"), app.user("ada"));
    let phone = app.sign_in(user.id, "ada");
    let set = |body: Value| user.post("/api/users/me/password/", &body);
    assert_eq!(
        set(json!({"current_password": "wrong", "new_password": "12345"})).refused(400),
        json!({
            "current_password": ["Your old password was entered incorrectly. Please enter it again."],
            "new_password": [
                "This password is too short. It must contain at least 8 characters.",
                "This password is too common.",
                "This password is entirely numeric.",
            ],
        })
    );
    assert_eq!(
        set(json!({})).refused(400),
        json!({"current_password": ["This field is required."], "new_password": ["This field is required."]})
    );
    user.refreshed(&user.refresh).ok();
    assert_eq!(
        set(json!({"current_password": PASSWORD, "new_password": "analytical engine"})).status,
        204
    );
    assert_eq!(
        user.refreshed(&phone.refresh).refused(401),
        not_valid("Token is blacklisted")
    );
    assert_eq!(families(&app, user.id), 0);
    let sign_in = |password: &str| {
        app.anonymous().post(
            "/api/token/",
            &json!({"username": "ada", "password": password}),
        )
    };
    sign_in(PASSWORD).refused(401);
    let pair = sign_in("analytical engine").ok();
    // By staff.
    staff
        .patch(
            &format!("/api/users/{}/", user.id),
            &json!({"password": "difference engine"}),
        )
        .ok();
    assert_eq!(
        user.refreshed(pair["refresh"].as_str().unwrap()).status,
        401
    );
    sign_in("analytical engine").refused(401);
    let pair = sign_in("difference engine").ok();
    // Whoever is deactivated has no session any more, even when reactivated.
    for active in [false, true] {
        staff
            .patch(
                &format!("/api/users/{}/", user.id),
                &json!({"is_active": active}),
            )
            .ok();
        let code = user
            .refreshed(pair["refresh"].as_str().unwrap())
            .refused(401)["code"]
            .clone();
        assert_eq!(
            code,
            if active {
                "token_not_valid"
            } else {
                "no_active_account"
            }
        );
    }
}

#[test]
fn a_password_of_django_is_taken_and_its_hash_replaced() {
    let app = App::new();
    let id = add_user(&app.db, "ada", false);
    let django = "pbkdf2_sha256$1000$seasalt$mQnueSakb748zqBAC1tmWVZsZbi2zPGZarEzTGdfmso=";
    let set = move |conn: &mut DbConnection| {
        diesel::update(users::table.find(id))
            .set(users::password.eq(django))
            .execute(conn)
    };
    app.db
        .write_blocking(move |conn| Ok::<_, Error>(set(conn)?))
        .unwrap();
    let stored = || {
        count(&app, move |conn| {
            users::table
                .find(id)
                .select(users::password)
                .first::<String>(conn)
        })
    };
    let sign_in = |password: &str| {
        app.anonymous().post(
            "/api/token/",
            &json!({"username": "ada", "password": password}),
        )
    };
    sign_in("wrong").refused(401);
    assert_eq!(stored(), django);
    for _ in 0..2 {
        sign_in("correct horse").ok();
        assert!(PasswordHash::stored(stored()).is_current());
    }
}

#[test]
fn only_the_hash_of_a_refresh_token_is_stored() {
    let app = App::new();
    let user = app.user("ada");
    let jti = payload(&user.refresh)["jti"].as_str().unwrap().to_owned();
    let stored: Vec<String> = count(&app, |conn| {
        refresh_tokens::table
            .select(refresh_tokens::jti_hash)
            .load(conn)
    });
    assert_eq!(stored.len(), 1);
    assert!(!stored[0].contains(&jti) && !user.refresh.contains(&stored[0]));
}
