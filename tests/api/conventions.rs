//! What holds for every URL: methods, slashes, errors, negotiation.

use serde_json::json;

use crate::support::{App, Client, Dev, add_company, add_skill};

const READ: &str = "GET, HEAD, OPTIONS";
const LIST: &str = "GET, HEAD, POST, OPTIONS";
const OBJECT: &str = "GET, HEAD, PUT, PATCH, DELETE, OPTIONS";

/// A directory with one object of each kind.
fn everything() -> App {
    let app = App::new();
    let company = add_company(&app.db, "Acme", "2020-01-01T00:00:00Z");
    let skill = add_skill(&app.db, "Rust");
    Dev {
        skills: &[skill],
        ..Dev::new("Ada", company)
    }
    .add(&app.db);
    app
}

/// Somebody who may do everything there.
fn boss(app: &App) -> Client<'_> {
    let boss = app.staff("boss");
    boss.post("/api/projects/", &json!({"name": "Engine"}))
        .created();
    boss
}

/// The script of the documentation, under its name of this version.
fn script(app: &App) -> String {
    let page = app.send("GET", "/api/docs/", &[("accept", "text/html")]);
    let mut names = page.body.split('"');
    let script = names.find(|name| name.starts_with("/api/docs/start."));
    format!("{}/", script.unwrap())
}

/// Every URL with what it allows.
const PATHS: [(&str, &str); 27] = [
    ("/api/", READ),
    ("/api/schema/", READ),
    ("/api/docs/", READ),
    ("/api/docs/start.js/", READ),
    ("/api/companies/", LIST),
    ("/api/companies/1/", OBJECT),
    ("/api/companies/1/developers/", READ),
    ("/api/skills/", LIST),
    ("/api/skills/1/", OBJECT),
    ("/api/skills/1/developers/", READ),
    ("/api/developers/", LIST),
    ("/api/developers/1/", OBJECT),
    ("/api/developers/1/skills/1/", "PUT, DELETE, OPTIONS"),
    ("/api/audit/", READ),
    ("/api/audit/1/", READ),
    ("/api/projects/", LIST),
    ("/api/projects/1/", OBJECT),
    ("/api/users/", LIST),
    ("/api/users/1/", OBJECT),
    ("/api/users/me/", "GET, HEAD, PATCH, OPTIONS"),
    ("/api/users/me/password/", "POST, OPTIONS"),
    ("/api/users/me/sessions/", READ),
    ("/api/users/me/sessions/1/", "DELETE, OPTIONS"),
    ("/api/token/", "POST, OPTIONS"),
    ("/api/token/refresh/", "POST, OPTIONS"),
    ("/api/token/verify/", "POST, OPTIONS"),
    ("/api/token/blacklist/", "POST, OPTIONS"),
];

/// The URLs that answer GET.
fn readable(app: &App) -> impl Iterator<Item = String> {
    let script = script(app);
    let readable = PATHS.iter().filter(|(_, allow)| allow.contains("GET"));
    readable.map(move |(path, _)| path.replace("/api/docs/start.js/", &script))
}

#[test]
fn the_slash_at_the_end_is_optional_without_a_redirect() {
    let app = everything();
    let boss = boss(&app);
    for (path, _) in PATHS {
        let bare = path.trim_end_matches('/');
        for method in ["GET", "HEAD", "OPTIONS", "TRACE"] {
            let (with, without) = (boss.send(method, path, None), boss.send(method, bare, None));
            assert_eq!(
                (with.status, &with.body),
                (without.status, &without.body),
                "{method} {path}"
            );
        }
        let (with, without) = (boss.post(path, &json!({})), boss.post(bare, &json!({})));
        assert_eq!(
            (with.status, &with.body),
            (without.status, &without.body),
            "POST {path}"
        );
    }
}

#[test]
fn head_is_get_without_a_body() {
    let app = everything();
    let boss = boss(&app);
    for path in readable(&app) {
        let (get, head) = (boss.get(&path), boss.send("HEAD", &path, None));
        assert_eq!((head.status, head.body.as_str()), (200, ""), "{path}");
        for name in ["content-length", "content-type", "etag"] {
            assert_eq!(head.header(name), get.header(name), "{path} {name}");
        }
        assert_eq!(
            get.header("content-length").unwrap(),
            get.body.len().to_string()
        );
    }
}

#[test]
fn options_describes_the_url() {
    let app = everything();
    let boss = boss(&app);
    for (path, allow) in PATHS {
        let answer = boss.send("OPTIONS", path, None);
        assert_eq!(answer.header("allow"), Some(allow), "{path}");
        let about = answer.ok();
        let first = match path {
            "/api/docs/" => "text/html",
            "/api/docs/start.js/" => "text/javascript",
            _ => "application/json",
        };
        assert_eq!(about["renders"][0], first, "{path}");
        assert_eq!(about["parses"], json!(["application/json"]));
        assert!(!about["name"].as_str().unwrap().is_empty());
        assert!(!about["description"].as_str().unwrap().is_empty());
    }
}

#[test]
fn other_methods_are_405() {
    let app = everything();
    for (path, allow) in PATHS {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "TRACE"] {
            if allow.contains(method) {
                continue;
            }
            let answer = app.send(method, path, &[("accept", "text/html")]);
            assert_eq!(answer.status, 405, "{method} {path}");
            assert_eq!(answer.header("allow"), Some(allow));
            let detail = format!("Method \"{method}\" not allowed.");
            assert_eq!(
                answer.json(),
                json!({"detail": detail, "code": "method_not_allowed"})
            );
        }
    }
}

#[test]
fn an_unknown_path_is_404() {
    let app = everything();
    for path in [
        "/",
        "/ap",
        "/apix",
        "/api/colours/",
        "/api//companies/",
        "/api/companies//",
        "/api/companies/1/2/",
        "/api/companies/1/skills/",
        "/api/Companies/",
        "/api/%2e%2e/",
        "/api/%ff/",
        "/api/companies/%00/x",
    ] {
        for method in ["GET", "POST"] {
            let answer = app.send(method, path, &[]);
            assert_eq!(answer.status, 404, "{method} {path}: {}", answer.body);
            assert_eq!(answer.header("content-type"), Some("application/json"));
            assert_eq!(
                answer.json(),
                json!({"detail": "Not found.", "code": "not_found"}),
                "{path}"
            );
        }
    }
}

#[test]
fn what_is_no_id_is_an_object_that_is_not_there() {
    let app = everything();
    let ids = [
        "0",
        "-1",
        "+1",
        "01",
        "2",
        "9223372036854775807",
        "9223372036854775808",
        "99999999999999999999999",
        "1.0",
        "1e0",
        "abc",
        "%20",
        "1%20",
        "%D9%A3",
        "%00",
        "%ff",
        "0x1",
        "1;",
        "null",
    ];
    let boss = app.staff("boss");
    for (collection, name) in [
        ("companies", "Company"),
        ("skills", "Skill"),
        ("developers", "Developer"),
        ("projects", "Project"),
        ("users", "User"),
    ] {
        for id in ids {
            for method in ["GET", "PUT", "PATCH", "DELETE"] {
                let body = (method != "GET").then(|| json!({}));
                let answer = boss.send(method, &format!("/api/{collection}/{id}/"), body.as_ref());
                assert_eq!(answer.status, 404, "{collection} {id}: {}", answer.body);
                let detail = format!("No {name} matches the given query.");
                let expected = json!({"detail": detail, "code": "not_found"});
                assert_eq!(answer.json(), expected, "{method} {id}");
            }
        }
    }
}

#[test]
fn unknown_parameters_are_refused_everywhere() {
    let app = everything();
    let boss = boss(&app);
    for (path, allow) in PATHS {
        for method in allow.split(", ").filter(|method| *method != "HEAD") {
            let body = ["POST", "PUT", "PATCH"]
                .contains(&method)
                .then(|| json!({}));
            let answer = boss.send(method, &format!("{path}?colour=red"), body.as_ref());
            assert_eq!(answer.status, 400, "{method} {path}");
            assert_eq!(
                answer.json(),
                json!({"colour": ["Unknown query parameter."]})
            );
        }
    }
    let answer = app.get("/api/developers/?colour=red&Senior=true&colour=blue&page_size=0");
    assert_eq!(answer.status, 400);
    assert_eq!(
        answer.json(),
        json!({
            "Senior": ["Unknown query parameter. Did you mean \"senior\"?"],
            "colour": ["Unknown query parameter."],
            "page_size": ["Ensure this value is greater than or equal to 1."],
        })
    );
}

#[test]
fn json_must_be_acceptable() {
    let app = everything();
    // The others have more to choose from; see `description`.
    let of_resources = PATHS.iter().skip(4);
    for (path, allow) in of_resources {
        for accept in [
            "text/html",
            "application/json;q=0",
            "image/*, text/*",
            "nonsense",
        ] {
            for method in allow.split(", ") {
                let answer = app.send(method, path, &[("accept", accept)]);
                assert_eq!(answer.status, 406, "{method} {path} {accept}");
                if method != "HEAD" {
                    assert_eq!(
                        answer.json(),
                        json!({"detail": "Could not satisfy the request Accept header.", "code": "not_acceptable"})
                    );
                }
            }
        }
    }
    for accept in [
        "*/*",
        "application/*",
        "text/html, application/json;q=0.5",
        "",
    ] {
        let answer = app.send("GET", "/api/companies/", &[("accept", accept)]);
        assert_eq!(answer.status, 200, "{accept}");
    }
}

#[test]
fn negotiation_comes_before_parameters_and_objects() {
    let app = App::new();
    for path in [
        "/api/developers/?colour=red",
        "/api/developers/77/",
        "/api/developers/x/?colour=red",
        "/api/users/",
    ] {
        assert_eq!(
            app.send("GET", path, &[("accept", "text/html")]).status,
            406,
            "{path}"
        );
    }
}

#[test]
fn links_use_the_address_that_the_client_used() {
    let app = everything();
    let root = |headers: &[(&str, &str)]| app.send("GET", "/api/", headers).ok()["skills"].clone();
    assert_eq!(
        root(&[("host", "roster.example:81")]),
        "http://roster.example:81/api/skills/"
    );
    let forwarded = [
        ("x-forwarded-host", "evil.example"),
        ("forwarded", "host=evil.example;proto=https"),
    ];
    assert_eq!(root(&forwarded), app.url("/api/skills/"));
}

#[test]
fn rubbish_on_the_socket_harms_nobody() {
    let app = everything();
    for request in [
        "NONSENSE\r\n\r\n",
        "GET /api/ HTTP/9.9\r\n\r\n",
        "GET /api/ HTTP/1.1\r\nhost: x\r\ncontent-length: x\r\n\r\n",
        "GET \u{0} HTTP/1.1\r\n\r\n",
    ] {
        let answer = app.raw(request);
        assert!(answer.starts_with("HTTP/1.1 400"), "{request:?}: {answer}");
    }
    let odd = app.raw("BREW /api/skills/ HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    assert!(
        odd.starts_with("HTTP/1.1 405") && odd.contains("allow: GET, HEAD, POST, OPTIONS"),
        "{odd}"
    );
    let old = app.raw("GET /api/skills/ HTTP/1.0\r\n\r\n");
    assert!(
        old.contains("200 OK") && old.contains("\"name\":\"Rust\""),
        "{old}"
    );
    app.get("/api/").ok();
}

#[test]
fn a_request_in_flight_is_answered_when_the_server_ends() {
    let app = everything();
    // Every connection of the read door is taken, so the request waits.
    let hold = std::sync::Barrier::new(roster::db::readers() as usize + 1);
    std::thread::scope(|scope| {
        for _ in 0..roster::db::readers() {
            scope.spawn(|| {
                app.db.read_blocking(|_| {
                    hold.wait();
                    hold.wait();
                    Ok::<_, roster::db::Error>(())
                })
            });
        }
        hold.wait();
        let waiting = scope.spawn(|| app.get("/api/skills/"));
        std::thread::sleep(std::time::Duration::from_secs(1));
        assert!(!waiting.is_finished());
        app.stop_in_order();
        std::thread::sleep(std::time::Duration::from_millis(300));
        let refused = std::net::TcpStream::connect(app.address).is_err();
        hold.wait();
        assert!(refused, "no new connections");
        assert_eq!(waiting.join().unwrap().names(), ["Rust"]);
    });
}
