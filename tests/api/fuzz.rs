//! Rubbish made by chance: whatever is sent, the answer is none of the server's faults.
//!
//! `ROSTER_FUZZ_CASES=100000 cargo test --test roster -- api::fuzz` goes on for longer. What once broke is kept beside this
//! file and tried first.

use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, TcpStream},
    time::Duration,
};

use proptest::{prelude::*, sample::select, test_runner::Config};
use roster::{
    commands::import,
    files::Kind,
    models::{Company, Developer, Project, Skill, User},
};
use serde_json::json;

use crate::support::{App, Place, cases};

/// So many cases of each law.
fn some() -> Config {
    let wanted = std::env::var("ROSTER_FUZZ_CASES").ok();
    Config {
        // Those that are passed over are no failure.
        max_global_rejects: u32::MAX,
        ..cases(wanted.and_then(|number| number.parse().ok()).unwrap_or(300))
    }
}

/// The status of the answer; `None` when the connection was closed without one.
fn status(app: &App, request: &[u8]) -> Option<u16> {
    let mut stream = TcpStream::connect(app.address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_mins(1)))
        .unwrap();
    // The server may close before it has read everything.
    let _ = stream.write_all(request);
    let _ = stream.shutdown(Shutdown::Write);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let head = answer.get(..12)?;
    std::str::from_utf8(&head[9..]).unwrap().parse().ok()
}

/// A value as clients mistake it.
fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        select(vec![
            "",
            "1",
            "-1",
            "0",
            "01",
            "1.5",
            "1e400",
            "true",
            "null",
            "2026-11-20",
            "2026-11-20T08:15:30Z",
            "9223372036854775808",
            "%00",
            "%ff",
            "%F0%9F",
            "+",
            "%2B",
            ",",
            ",,",
            "Rust",
            "C++",
            "Rust,1",
            "2:Rust,SQL",
            "0:Rust",
            "-name",
            "id,-id",
            "name,name",
            "..",
            "a.b",
            "company.name",
            "eyJhbGciOiJIUzI1NiJ9.e30.x",
        ])
        .prop_map(ToOwned::to_owned),
        "[a-z0-9%:,.+ -]{0,40}",
        any::<String>().prop_map(|text| text.chars().take(60).collect()),
    ]
}

fn question() -> impl Strategy<Value = String> {
    let name = prop_oneof![
        select(vec![
            "cursor",
            "page_size",
            "ordering",
            "search",
            "fields",
            "format",
            "id",
            "id__in",
            "name",
            "name__icontains",
            "skill",
            "skills__any",
            "skills__min",
            "skills__none",
            "skills__category",
            "company",
            "company__in",
            "company__founded_year__lt",
            "years_experience__gte",
            "last_login__isnull",
            "created_at__gt",
            "updated_at",
            "active",
            "senior",
            "owner",
            "action",
            "object_id",
            "user",
            "at__lt",
        ])
        .prop_map(ToOwned::to_owned),
        "[a-z_]{0,12}",
    ];
    prop::collection::vec((name, value()), 0..6).prop_map(|pairs| {
        let pairs = pairs.iter().map(|(name, value)| format!("{name}={value}"));
        pairs.collect::<Vec<_>>().join("&")
    })
}

fn path() -> impl Strategy<Value = &'static str> {
    select(vec![
        "/api/",
        "/api/companies/",
        "/api/companies/1/",
        "/api/companies/1/developers/",
        "/api/skills/",
        "/api/skills/1",
        "/api/developers/",
        "/api/developers/1/",
        "/api/developers/1/skills/1/",
        "/api/projects/",
        "/api/projects/1/",
        "/api/users/",
        "/api/users/1/",
        "/api/users/me/",
        "/api/users/me/password/",
        "/api/users/me/sessions/",
        "/api/audit/",
        "/api/token/",
        "/api/token/refresh/",
        "/api/token/verify/",
        "/api/token/blacklist/",
        "/api/schema/",
        "/api/docs/",
        "/healthz",
        "/readyz",
        "/",
        "*",
    ])
}

/// JSON and nearly so.
fn body() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|it| it.to_string()),
        any::<f64>().prop_map(|it| it.to_string()),
        value().prop_map(|text| json!(text).to_string()),
    ];
    let field = select(vec![
        "id",
        "name",
        "founded_year",
        "category",
        "company",
        "skills",
        "years_experience",
        "last_login",
        "user",
        "owner",
        "description",
        "username",
        "email",
        "password",
        "is_staff",
        "refresh",
        "token",
        "current_password",
        "new_password",
        "x",
    ]);
    let json = leaf.prop_recursive(3, 24, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6)
                .prop_map(|items| format!("[{}]", items.join(","))),
            prop::collection::vec((field.clone(), inner), 0..6).prop_map(|fields| {
                let fields = fields
                    .iter()
                    .map(|(name, value)| format!("\"{name}\":{value}"));
                format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
            }),
        ]
    });
    prop_oneof![4 => json, 1 => any::<String>()]
}

#[test]
fn no_request_is_the_fault_of_the_server() {
    let app = App::sample();
    let boss = app.staff("boss");
    let token = boss.access.clone().unwrap();
    let tokens = vec![
        String::new(),
        format!("Bearer {token}"),
        "Bearer x.y.z".to_owned(),
        "Token x".to_owned(),
    ];
    let methods = vec![
        "GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "QUERY",
    ];
    let request = (select(methods), path(), question(), select(tokens), body());
    let flips = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3);
    proptest!(some(), |((method, path, question, token, body) in request, flips in flips)| {
        // The one user that signs the requests stays.
        prop_assume!(!path.starts_with("/api/users/") || matches!(method, "GET" | "HEAD" | "OPTIONS"));
        prop_assume!(!path.starts_with("/api/token/") || token.is_empty());
        let mut request = format!(
            "{method} {path}?{question} HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\n\
             Content-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .into_bytes();
        for (place, byte) in flips {
            let place = place.index(request.len());
            request[place] = byte;
        }
        if let Some(status) = status(&app, &request) {
            prop_assert!(status < 500, "{status}: {}", String::from_utf8_lossy(&request));
        }
    });
    assert_eq!(app.get("/healthz").status, 200);
}

#[test]
fn no_file_breaks_an_import() {
    let place = Place::new();
    let db = place.open();
    let kinds = vec![
        Kind::of::<Company>(),
        Kind::of::<Skill>(),
        Kind::of::<User>(),
        Kind::of::<Developer>(),
        Kind::of::<Project>(),
    ];
    let columns = select(vec![
        "id",
        "name",
        "founded_year",
        "category",
        "created_at",
        "username",
        "email",
        "password_hash",
        "is_staff",
        "company",
        "skills",
        "years_experience",
        "last_login",
        "user",
        "owner",
        "description",
    ]);
    let cell = prop_oneof![
        value(),
        Just("\"".to_owned()),
        Just("a;b".to_owned()),
        Just("\"x\ny\"".to_owned())
    ];
    let line = prop::collection::vec(cell, 0..6).prop_map(|cells| cells.join(","));
    let file = (
        prop::collection::vec(columns, 1..6),
        prop::collection::vec(line, 0..5),
    )
        .prop_map(|(header, lines)| format!("{}\n{}", header.join(","), lines.join("\r\n")));
    proptest!(some(), |(kind in select(kinds), text in file)| {
        if let Err(failure) = import::embedded(&db, [(kind, text.clone())]) {
            let said = failure.to_string();
            prop_assert!(said.ends_with("nothing was imported"), "{said}\n{text}");
        }
    });
}
