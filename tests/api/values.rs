//! Values that mean the same in bodies, filters and files, and those that are refused in all of them.

use serde_json::json;

use crate::support::{App, Dev, Output, add_company, roster};

const WRONG_TIME: &str = "Datetime has wrong format. Use one of these formats instead: \
                          YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z].";

/// As a part of a query.
fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// What `roster import` makes of a developer's last login, in the directory of the app.
fn imported(app: &App, last_login: &str) -> Output {
    let content = format!("id,name,company,last_login\n1,Ada,Acme,{last_login}\n");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("developers.csv");
    std::fs::write(&path, content).unwrap();
    let url = app.database_url();
    roster(&["import", path.to_str().unwrap(), "--database-url", &url])
}

#[test]
fn a_time_is_read_the_same_wherever_it_comes_in() {
    let app = App::new();
    let acme = add_company(&app.db, "Acme", "2020-01-01T00:00:00Z");
    let ada = Dev::new("Ada", acme).add(&app.db);
    let boss = app.staff("boss");
    let path = format!("/api/developers/{ada}/");
    for (text, moment) in [
        ("2026-11-20 08:15", "2026-11-20T08:15:00.000000Z"),
        ("2026-11-20T08:15:30+0100", "2026-11-20T07:15:30.000000Z"),
        ("2026-11-20T08:15:30.5+01", "2026-11-20T07:15:30.500000Z"),
        (
            "2026-11-20t08:15:30.123456789z",
            "2026-11-20T08:15:30.123456Z",
        ),
    ] {
        boss.patch(&path, &json!({"last_login": null})).ok();
        let changed = boss.patch(&path, &json!({"last_login": text})).ok();
        assert_eq!(changed["last_login"], moment, "{text}");
        let found = app.get(&format!("/api/developers/?last_login={}", encoded(text)));
        assert_eq!(found.names(), ["Ada"], "{text}");
        boss.patch(&path, &json!({"last_login": null})).ok();
        imported(&app, text).ok();
        assert_eq!(app.get(&path).ok()["last_login"], moment, "{text}");
    }
    let before = app.get(&path).ok();
    for text in [
        "26-11-20T08:15",
        "2026-11-2008:15",
        "2026-11-2T08:15",
        "2026-11-20T8:15",
        "2026-11-20T08:15:30,5",
        "2026-11-31T08:15",
        "0000-01-01T00:00",
        "2026-11-20T08:15:60",
    ] {
        let refused = boss.patch(&path, &json!({"last_login": text})).refused(400);
        assert_eq!(refused, json!({"last_login": [WRONG_TIME]}), "{text}");
        let refused = app
            .get(&format!(
                "/api/developers/?last_login__gt={}",
                encoded(text)
            ))
            .refused(400);
        assert_eq!(refused, json!({"last_login__gt": [WRONG_TIME]}), "{text}");
        // A comma ends the cell of a file.
        if !text.contains(',') {
            let refused = imported(&app, text).failed();
            assert!(
                refused.contains(&format!("last_login: {WRONG_TIME}")),
                "{refused}"
            );
        }
    }
    for date in ["2026-11-31", "0000-01-01", "26-11-20", "2026-1-01"] {
        let refused = app.get(&format!("/api/developers/?created_at={date}"));
        assert_eq!(
            refused.refused(400),
            json!({"created_at": [WRONG_TIME]}),
            "{date}"
        );
    }
    assert_eq!(app.get(&path).ok(), before);
}
