//! The search.

use diesel::prelude::*;
use roster::db::{
    Error,
    schema::{developer_skills, developers},
};
use serde_json::json;

use crate::support::{App, Dev, add_company, add_skill};

fn found(app: &App, words: &str) -> Vec<String> {
    let query: String = form_urlencoded::byte_serialize(words.as_bytes()).collect();
    app.get(&format!("/api/developers/?ordering=id&search={query}"))
        .names()
}

fn directory() -> App {
    let app = App::new();
    let munich = add_company(&app.db, "München Süd GmbH", "2020-01-01T00:00:00Z");
    let other = add_company(&app.db, "Яндекс", "2020-01-01T00:00:00Z");
    let (rust, c) = (
        add_skill(&app.db, "Rust"),
        add_skill(&app.db, "C++ Builder"),
    );
    Dev {
        skills: &[rust],
        ..Dev::new("Sébastien O'Hara", munich)
    }
    .add(&app.db);
    Dev {
        skills: &[c],
        ..Dev::new("日本 太郎", munich)
    }
    .add(&app.db);
    Dev {
        skills: &[rust, c],
        ..Dev::new("Ruslan", other)
    }
    .add(&app.db);
    app
}

#[test]
fn every_word_begins_some_word_without_case_and_accents() {
    let app = directory();
    for (words, names) in [
        ("munchen", &["Sébastien O'Hara", "日本 太郎"][..]),
        ("MÜNCH sud", &["Sébastien O'Hara", "日本 太郎"]),
        ("sebastien", &["Sébastien O'Hara"]),
        ("hara seb gmbh", &["Sébastien O'Hara"]),
        ("rus", &["Sébastien O'Hara", "Ruslan"]),
        ("rus яНД", &["Ruslan"]),
        ("日", &["日本 太郎"]),
        ("本", &[]),
        ("build", &["日本 太郎", "Ruslan"]),
        ("tool", &[]),
        ("uslan", &[]),
        ("munchen nobody", &[]),
    ] {
        assert_eq!(found(&app, words), names, "{words}");
    }
}

#[test]
fn any_input_is_data() {
    let app = directory();
    let all = ["Sébastien O'Hara", "日本 太郎", "Ruslan"];
    for nothing in [
        "", " ", "\"", "*", "-", "()", "'", "++", "\0", "😀", "%", "\\", "--", ":*", "{}",
    ] {
        assert_eq!(found(&app, nothing), all, "{nothing:?}");
    }
    for (words, names) in [
        ("\"rust\" *", &["Sébastien O'Hara", "Ruslan"][..]),
        ("rus*", &["Sébastien O'Hara", "Ruslan"]),
        ("-ruslan", &["Ruslan"]),
        ("rus\0lan", &[]),
        ("rust AND c", &[]),
        ("rust OR munchen", &[]),
        ("NEAR(rust", &[]),
        ("name_words:rust", &[]),
        ("rust' | 'x':*", &[]),
        ("rust & !c", &["Ruslan"]),
    ] {
        assert_eq!(found(&app, words), names, "{words}");
    }
    let longest = "x".repeat(1_000);
    assert_eq!(found(&app, &longest), [""; 0]);
    assert_eq!(
        found(&app, &"rust ".repeat(200)),
        ["Sébastien O'Hara", "Ruslan"]
    );
    let answer = app.get(&format!("/api/developers/?search={longest}x"));
    assert_eq!(
        answer.refused(400),
        json!({"search": ["Ensure this field has no more than 1000 characters."]})
    );
    let many: Vec<String> = (0..33).map(|number| format!("w{number:02}")).collect();
    let answer = app.get(&format!("/api/developers/?search={}", many.join("+")));
    assert_eq!(answer.status, 400);
    assert_eq!(
        answer.json(),
        json!({"search": ["Ensure there are no more than 32 words."]})
    );
}

#[test]
fn companies_and_skills_are_searched_by_their_own_texts() {
    let app = directory();
    assert_eq!(
        app.get("/api/companies/?search=sud+mun").names(),
        ["München Süd GmbH"]
    );
    assert_eq!(app.get("/api/companies/?search=%D1%8F").names(), ["Яндекс"]);
    assert_eq!(app.get("/api/skills/?search=tool+rus").names(), ["Rust"]);
    assert_eq!(
        app.get("/api/skills/?search=tool").names(),
        ["C++ Builder", "Rust"]
    );
}

#[test]
fn it_is_exact_after_every_kind_of_change() {
    let app = directory();
    let boss = app.staff("boss");
    let id = |path: &str| app.get(path).column("id")[0].as_i64().unwrap();
    let skill = format!("/api/skills/{}/", id("/api/skills/?name=Rust"));
    let company = format!("/api/companies/{}/", id("/api/companies/?search=munchen"));
    let developer = format!("/api/developers/{}/", id("/api/developers/?name=Ruslan"));

    boss.patch(&skill, &json!({"name": "Ferrous"})).ok();
    assert_eq!(found(&app, "rust"), [""; 0]);
    assert_eq!(found(&app, "ferrous"), ["Sébastien O'Hara", "Ruslan"]);

    boss.patch(&company, &json!({"name": "Zürich"})).ok();
    assert_eq!(found(&app, "munchen"), [""; 0]);
    assert_eq!(found(&app, "zurich ferr"), ["Sébastien O'Hara"]);

    boss.patch(&developer, &json!({"name": "Людмила", "company": "zürich"}))
        .ok();
    assert_eq!(found(&app, "ruslan"), [""; 0]);
    assert_eq!(found(&app, "людмила zurich"), ["Людмила"]);

    boss.patch(&developer, &json!({"skills": []})).ok();
    assert_eq!(found(&app, "ferrous"), ["Sébastien O'Hara"]);
    boss.patch(&developer, &json!({"skills": ["FERROUS"]})).ok();
    assert_eq!(found(&app, "ferrous"), ["Sébastien O'Hara", "Людмила"]);

    assert_eq!(boss.delete(&skill).status, 204);
    assert_eq!(found(&app, "ferrous"), [""; 0]);

    assert_eq!(boss.delete(&company).status, 204);
    assert_eq!(found(&app, ""), [""; 0]);
    let left = app.db.read_blocking(|conn| {
        let links: i64 = developer_skills::table.count().get_result(conn)?;
        let rows: i64 = developers::table.count().get_result(conn)?;
        Ok::<_, Error>(links + rows)
    });
    assert_eq!(left.unwrap(), 0);
    // An index that kept anything of what is gone would find it again under the next ids.
    let company = add_company(&app.db, "New", "2020-01-01T00:00:00Z");
    Dev::new("Nobody", company).add(&app.db);
    for gone in ["ferrous", "zurich", "людмила", "seb", "munchen"] {
        assert_eq!(found(&app, gone), [""; 0], "{gone}");
    }
    assert_eq!(found(&app, "new nob"), ["Nobody"]);
}

#[test]
fn a_cursor_is_bound_to_the_search() {
    let app = App::sample();
    let page = app.get("/api/developers/?search=a&page_size=2").ok();
    let cursor = page["next"]
        .as_str()
        .unwrap()
        .split("cursor=")
        .nth(1)
        .unwrap();
    app.get(&format!("/api/developers/?search=a&cursor={cursor}"))
        .ok();
    assert_eq!(
        app.get(&format!("/api/developers/?search=b&cursor={cursor}"))
            .status,
        404
    );
}

#[test]
fn an_imported_directory_is_searched_and_goes_on_being_kept() {
    // The import is large beside the empty directory, so it makes the indices anew.
    let app = App::sample();
    let before = found(&app, "rust");
    assert_eq!(app.get("/api/companies/?search=nokia").names().len(), 1);
    assert!(!before.is_empty());
    let company = add_company(&app.db, "Rustworks", "2020-01-01T00:00:00Z");
    Dev::new("Nobody", company).add(&app.db);
    assert_eq!(found(&app, "rustworks"), ["Nobody"]);
}
