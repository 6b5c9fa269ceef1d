//! Signing in, and the tokens that come of it.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use roster::{
    auth::{Keys, Secret, TokenType},
    db::Stamp,
};
use serde_json::{Value, json};
use sha2::Sha512;

use crate::support::{
    Answer, App, Client, Dev, PASSWORD, SECRET, add_company, add_session, add_user, claims, signed,
};

/// An access token of a session that nobody has signed in for.
pub fn access_token(app: &App, user: i64) -> String {
    let session = add_session(&app.db, user);
    signed(&claims(TokenType::Access, user, session, 300))
}

/// An access token that was good until ten seconds ago.
pub fn expired_token(app: &App, user: i64) -> String {
    let session = add_session(&app.db, user);
    signed(&claims(TokenType::Access, user, session, -10))
}

pub fn with_token(app: &App, token: String) -> Client<'_> {
    Client {
        access: Some(token),
        ..app.anonymous()
    }
}

pub fn payload(token: &str) -> Value {
    let part = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

pub fn verify(app: &App, token: &str) -> Answer {
    app.anonymous()
        .post("/api/token/verify/", &json!({"token": token}))
}

pub fn not_valid(detail: &str) -> Value {
    json!({"detail": detail, "code": "token_not_valid"})
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
    // A token in no letters that tokens have is a bad one, on public paths too.
    for path in ["/api/users/me/", "/api/skills/"] {
        let head = format!(
            "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer é\r\n\r\n"
        );
        let answer = app.raw(&head);
        assert!(
            answer.starts_with("HTTP/1.1 401 ") && answer.contains("token_not_valid"),
            "{answer}"
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

/// A token signed with the tests' key, by an algorithm that is not the server's.
fn hs512(header: &str, claims: &str) -> String {
    let signed = format!("{header}.{claims}");
    let mac = Hmac::<Sha512>::new_from_slice(SECRET.as_bytes()).unwrap();
    let mac = mac.chain_update(&signed).finalize().into_bytes();
    format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(mac))
}

#[test]
fn access_tokens_that_are_not_ours_are_refused() {
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
    let mut sessionless = payload(&good);
    sessionless.as_object_mut().unwrap().remove("sid");
    let session = payload(&good)["sid"].as_str().unwrap().parse().unwrap();
    let other_session = add_session(&app.db, app.user("bob").id);
    let mut endless = payload(&good);
    endless.as_object_mut().unwrap().remove("exp");
    let sign = |value: &Value| {
        let key = jsonwebtoken::EncodingKey::from_secret(SECRET.as_bytes());
        jsonwebtoken::encode(&jsonwebtoken::Header::default(), value, &key).unwrap()
    };
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
            .sign(&claims(TokenType::Access, user.id, session, 300))
            .unwrap(),
        user.refresh.clone(),
        expired_token(&app, user.id),
        // What expires in this second has expired.
        signed(&claims(TokenType::Access, user.id, session, 0)),
        signed(&claims(TokenType::Access, user.id, 99, 300)),
        signed(&claims(TokenType::Access, user.id, other_session, 300)),
        sign(&sessionless),
        sign(&typeless),
        sign(&endless),
        hs512(&encode(&json!({"alg": "HS512", "typ": "JWT"})), parts[1]),
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
}

#[test]
fn refresh_tokens_that_are_not_ours_are_refused() {
    let app = App::new();
    let user = app.user("ada");
    let good = user.access.clone().unwrap();
    let session = payload(&good)["sid"].as_str().unwrap().parse().unwrap();
    assert_eq!(
        user.refreshed(&good).refused(401),
        not_valid("Token has wrong type")
    );
    assert_eq!(
        user.refreshed("x").refused(401),
        not_valid("Token is invalid")
    );
    let expired = signed(&claims(TokenType::Refresh, user.id, session, -10));
    assert_eq!(
        user.refreshed(&expired).refused(401),
        not_valid("Token is expired")
    );
    // Ours by its signature, but never given out.
    let invented = signed(&claims(TokenType::Refresh, user.id, session, 300));
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
