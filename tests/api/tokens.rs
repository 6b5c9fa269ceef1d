//! Signing in, staying so, and ending it.

use std::time::Duration;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use roster::{
    auth::{Claims, Keys, PasswordHash, Secret, TokenType},
    db::{
        DbConnection, Error, Stamp,
        schema::{refresh_tokens, sessions, users},
    },
};
use serde_json::{Value, json};

use diesel::prelude::*;

use crate::support::{Answer, App, Client, Dev, Options, PASSWORD, SECRET, add_company, add_user};

/// Claims of a token, signed with the tests' key.
fn signed(claims: &Claims) -> String {
    Keys::new(&Secret::new(SECRET.to_owned()).unwrap())
        .sign(claims)
        .unwrap()
}

fn claims(token_type: TokenType, user_id: i64, seconds: i64) -> Claims {
    let now = Stamp::now().seconds();
    Claims::new(token_type, user_id, false, (now, now + seconds)).unwrap()
}

/// An access token without a session behind it.
pub fn access_token(user_id: i64) -> String {
    signed(&claims(TokenType::Access, user_id, 300))
}

/// An access token that was good until ten seconds ago.
pub fn expired_token(user_id: i64) -> String {
    signed(&claims(TokenType::Access, user_id, -10))
}

fn with_token(app: &App, token: String) -> Client<'_> {
    Client {
        access: Some(token),
        ..app.anonymous()
    }
}

fn payload(token: &str) -> Value {
    let part = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

fn verify(app: &App, token: &str) -> Answer {
    app.anonymous()
        .post("/api/token/verify/", &json!({"token": token}))
}

fn not_valid(detail: &str) -> Value {
    json!({"detail": detail, "code": "token_not_valid"})
}

fn count<T: Send + 'static>(
    app: &App,
    query: impl FnOnce(&mut DbConnection) -> QueryResult<T> + Send + 'static,
) -> T {
    app.db
        .read_blocking(|conn| Ok::<_, Error>(query(conn)?))
        .unwrap()
}

#[test]
fn a_pair_says_what_simplejwt_says() {
    let app = App::new();
    let (user, staff) = (app.user("ada"), app.staff("boss"));
    for (client, is_staff) in [(&user, false), (&staff, true)] {
        let (access, refresh) = (
            payload(client.access.as_ref().unwrap()),
            payload(&client.refresh),
        );
        assert_eq!(access["token_type"], "access");
        assert_eq!(refresh["token_type"], "refresh");
        for (claims, lifetime) in [(&access, 300), (&refresh, 86_400)] {
            assert_eq!(claims["user_id"], client.id.to_string());
            assert_eq!(claims["is_staff"], is_staff);
            let (iat, exp) = (
                claims["iat"].as_i64().unwrap(),
                claims["exp"].as_i64().unwrap(),
            );
            assert_eq!(exp - iat, lifetime);
            assert!((Stamp::now().seconds() - iat).abs() < 30);
        }
        assert_ne!(access["jti"], refresh["jti"]);
        assert_eq!(client.get("/api/users/me/").ok()["id"], client.id);
    }
}

#[test]
fn the_scheme_is_read_in_any_letter_case_and_wants_one_token() {
    let app = App::new();
    let user = app.user("ada");
    let token = user.access.as_ref().unwrap();
    let get = |header: &str| app.send("GET", "/api/users/me/", &[("authorization", header)]);
    for scheme in ["Bearer", "bearer", "BEARER"] {
        get(&format!("{scheme} {token}")).ok();
    }
    for header in ["Bearer", "bearer ", &format!("Bearer {token} {token}")] {
        assert_eq!(
            get(header).refused(401)["code"],
            "bad_authorization_header",
            "{header}"
        );
    }
    for header in ["", "Basic YWRhOmFkYQ==", "Token abc", token] {
        assert_eq!(
            get(header).refused(401)["code"],
            "not_authenticated",
            "{header}"
        );
    }
    // Another scheme is no credentials at all, so a public path is answered.
    app.send(
        "GET",
        "/api/skills/",
        &[("authorization", "Basic YWRhOmFkYQ==")],
    )
    .ok();
    assert_eq!(
        app.send("GET", "/api/skills/", &[("authorization", "Bearer")])
            .status,
        401
    );
}

#[test]
fn wrong_credentials_are_all_the_same() {
    let app = App::new();
    let (staff, gone) = (app.staff("boss"), app.user("gone"));
    staff
        .patch(
            &format!("/api/users/{}/", gone.id),
            &json!({"is_active": false}),
        )
        .ok();
    let expected = json!({"detail": "No active account found with the given credentials", "code": "no_active_account"});
    for (username, password) in [
        ("boss", "wrong"),
        ("boss", "Correct horse battery"),
        ("boss", " correct horse battery"),
        ("nobody", PASSWORD),
        ("gone", PASSWORD),
        ("' OR 1=1 --", PASSWORD),
    ] {
        let answer = app.anonymous().post(
            "/api/token/",
            &json!({"username": username, "password": password}),
        );
        assert_eq!(
            answer.header("www-authenticate"),
            Some("Bearer realm=\"api\"")
        );
        assert_eq!(answer.refused(401), expected, "{username}");
    }
    assert_eq!(
        app.anonymous()
            .post("/api/token/", &json!({"username": ""}))
            .refused(400),
        json!({"username": ["This field may not be blank."], "password": ["This field is required."]})
    );
    // A client may send its old token along.
    let headers = [
        ("authorization", "Bearer a.b.c"),
        ("content-type", "application/json"),
    ];
    let body = json!({"username": "BOSS", "password": PASSWORD}).to_string();
    app.send_body("POST", "/api/token/", &headers, body).ok();
}

#[test]
fn signing_in_sets_the_time_of_login_of_user_and_developer() {
    let app = App::new();
    let staff = app.staff("boss");
    let user = add_user(&app.db, "ada", false);
    let company = add_company(&app.db, "Acme", "2020-01-01T00:00:00Z");
    let ada = Dev {
        user: Some(user),
        ..Dev::new("Ada", company)
    }
    .add(&app.db);
    Dev::new("Bob", company).add(&app.db);
    let active = || app.get("/api/developers/?active=true").names();
    assert_eq!(active(), [""; 0]);
    app.anonymous()
        .post(
            "/api/token/",
            &json!({"username": "ada", "password": "wrong"}),
        )
        .refused(401);
    assert_eq!(active(), [""; 0]);
    app.sign_in(user, "ada");
    assert_eq!(active(), ["Ada"]);
    let login = staff.get(&format!("/api/users/{user}/")).ok()["last_login"].clone();
    assert!(login.is_string());
    assert_eq!(
        app.get(&format!("/api/developers/{ada}/")).ok()["last_login"],
        login
    );
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
    for grace in [Duration::ZERO, Duration::from_mins(1)] {
        let app = App::with(Options {
            grace,
            ..Options::default()
        });
        let user = app.user("ada");
        let statuses: Vec<u16> = std::thread::scope(|scope| {
            let racers: Vec<_> = (0..10)
                .map(|_| scope.spawn(|| user.refreshed(&user.refresh).status))
                .collect();
            racers
                .into_iter()
                .map(|racer| racer.join().unwrap())
                .collect()
        });
        let won = statuses.iter().filter(|status| **status == 200).count();
        let families = user.get("/api/users/me/sessions/").column("id").len();
        if grace.is_zero() {
            assert_eq!((won, families), (1, 0), "{statuses:?}");
        } else {
            assert_eq!((won, families), (10, 1), "{statuses:?}");
        }
    }
}

#[test]
fn within_the_grace_a_used_token_gets_a_fresh_pair() {
    let grace = Duration::from_secs(1);
    let app = App::with(Options {
        grace,
        ..Options::default()
    });
    let user = app.user("ada");
    let one = user.refreshed(&user.refresh).ok()["refresh"].clone();
    let two = user.refreshed(&user.refresh).ok()["refresh"].clone();
    assert_ne!(one, two);
    verify(&app, one.as_str().unwrap()).ok();
    std::thread::sleep(grace + Duration::from_millis(100));
    user.refreshed(&user.refresh).refused(401);
    for token in [one, two] {
        assert_eq!(verify(&app, token.as_str().unwrap()).status, 401);
    }
}

#[test]
fn tokens_that_are_not_ours_are_refused() {
    let app = App::new();
    let user = app.user("ada");
    let encode = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let good = user.access.clone().unwrap();
    let parts: Vec<&str> = good.split('.').collect();
    let mut changed = payload(&good);
    changed["user_id"] = json!("1");
    changed["is_staff"] = json!(true);
    let other_key =
        Keys::new(&Secret::new("another key, just as long as the first".to_owned()).unwrap());
    let mut typeless = payload(&good);
    typeless.as_object_mut().unwrap().remove("token_type");
    let mut endless = payload(&good);
    endless.as_object_mut().unwrap().remove("exp");
    let sign = |value: &Value| {
        let key = jsonwebtoken::EncodingKey::from_secret(SECRET.as_bytes());
        jsonwebtoken::encode(&jsonwebtoken::Header::default(), value, &key).unwrap()
    };
    let hs512 = jsonwebtoken::encode(
        &jsonwebtoken::Header::new(jsonwebtoken::Algorithm::HS512),
        &payload(&good),
        &jsonwebtoken::EncodingKey::from_secret(SECRET.as_bytes()),
    )
    .unwrap();
    let bad = [
        format!(
            "{}.{}.",
            encode(&json!({"alg": "none", "typ": "JWT"})),
            parts[1]
        ),
        format!(
            "{}.{}.{}",
            encode(&json!({"alg": "none"})),
            parts[1],
            parts[2]
        ),
        format!("{}.{}.{}", parts[0], encode(&changed), parts[2]),
        other_key
            .sign(&claims(TokenType::Access, user.id, 300))
            .unwrap(),
        user.refresh.clone(),
        expired_token(user.id),
        signed(&claims(TokenType::Access, user.id, -31)),
        sign(&typeless),
        sign(&endless),
        hs512,
        format!("{good}x"),
        format!("{}.{}", parts[0], parts[1]),
        "x".to_owned(),
    ];
    for token in bad {
        for path in ["/api/users/me/", "/api/skills/"] {
            let client = with_token(&app, token.clone());
            assert_eq!(client.get(path).status, 401, "{path} {token}");
        }
        if token == user.refresh {
            verify(&app, &token).ok();
        } else {
            assert_eq!(
                verify(&app, &token).refused(401)["code"],
                "token_not_valid",
                "{token}"
            );
            assert_eq!(
                user.refreshed(&token).refused(401)["code"],
                "token_not_valid",
                "{token}"
            );
        }
    }
    assert_eq!(
        user.refreshed(&good).refused(401),
        not_valid("Token has wrong type")
    );
    assert_eq!(
        user.refreshed("x").refused(401),
        not_valid("Token is invalid")
    );
    let expired = signed(&claims(TokenType::Refresh, user.id, -10));
    assert_eq!(
        user.refreshed(&expired).refused(401),
        not_valid("Token is expired")
    );
    // Ours by its signature, but never given out.
    let invented = signed(&claims(TokenType::Refresh, user.id, 300));
    assert_eq!(
        user.refreshed(&invented).refused(401),
        not_valid("Token is blacklisted")
    );
    for path in ["refresh", "verify", "blacklist"] {
        let path = format!("/api/token/{path}/");
        let answer = app.anonymous().post(&path, &json!({})).refused(400);
        assert!(
            answer
                .as_object()
                .unwrap()
                .values()
                .all(|messages| *messages == json!(["This field is required."]))
        );
    }
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
    assert_eq!(user.get("/api/users/me/sessions/").column("id").len(), 0);
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
