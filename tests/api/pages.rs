//! Cursor pagination.

use std::collections::BTreeSet;

use diesel::prelude::*;
use proptest::prelude::*;
use roster::db::{Error, schema::developers};
use serde_json::{Value, json};

use crate::support::{App, Dev, add_company, add_skill, cases, stamp};

fn link(page: &Value, name: &str) -> Option<String> {
    page[name].as_str().map(ToOwned::to_owned)
}

fn ids(page: &Value) -> Vec<i64> {
    page["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|object| object["id"].as_i64().unwrap())
        .collect()
}

/// Follows a link to the end; the pages in the order they came.
fn follow(app: &App, first: &str, name: &str) -> Vec<Vec<i64>> {
    let mut pages = Vec::new();
    let mut next = Some(first.to_owned());
    while let Some(url) = next {
        let page = app.get(&url).ok();
        pages.push(ids(&page));
        next = link(&page, name);
    }
    pages
}

#[test]
fn a_page_has_25_unless_asked_and_100_at_most() {
    let app = App::sample();
    for (query, size) in [
        ("", 25),
        ("page_size=1", 1),
        ("page_size=100", 100),
        ("page_size=101", 100),
        ("page_size=007", 7),
        ("page_size=99999999999999999999999999", 100),
        ("page_size=3&page_size=4", 4),
        ("cursor=", 25),
    ] {
        assert_eq!(
            app.get(&format!("/api/developers/?{query}"))
                .column("id")
                .len(),
            size,
            "{query}"
        );
    }
}

#[test]
fn a_size_that_is_no_positive_number_is_400() {
    let app = App::new();
    for (size, message) in [
        ("", "A valid integer is required."),
        ("x", "A valid integer is required."),
        ("1.5", "A valid integer is required."),
        ("0x10", "A valid integer is required."),
        ("0", "Ensure this value is greater than or equal to 1."),
        ("-1", "Ensure this value is greater than or equal to 1."),
        (
            "-99999999999999999999999",
            "Ensure this value is greater than or equal to 1.",
        ),
    ] {
        for path in ["/api/companies/", "/api/skills/", "/api/developers/"] {
            let answer = app.get(&format!("{path}?page_size={size}"));
            assert_eq!(answer.status, 400, "{size}");
            assert_eq!(answer.json(), json!({"page_size": [message]}), "{size}");
        }
    }
}

#[test]
fn links_are_absolute_and_keep_the_other_parameters() {
    let app = App::sample();
    let page = app
        .get("/api/developers?senior=true&page_size=2&skill=C%2B%2B")
        .ok();
    let next = link(&page, "next").unwrap();
    let start = app.url("/api/developers/?senior=true&page_size=2&skill=C%2B%2B&cursor=");
    assert!(next.starts_with(&start), "{next}");
    assert_eq!(page["previous"], Value::Null);
    let second = app.get(&next).ok();
    assert!(link(&second, "previous").unwrap().starts_with(&start));
    assert_eq!(link(&second, "next").unwrap().matches("cursor=").count(), 1);
    assert_eq!(
        ids(&app.get(&link(&second, "previous").unwrap()).ok()),
        ids(&page)
    );
}

#[test]
fn the_sample_directory_is_walked_whole_both_ways() {
    let app = App::sample();
    for (path, total) in [
        ("/api/companies/?page_size=100", 1185),
        ("/api/skills/?page_size=60", 589),
        ("/api/developers/?page_size=99", 2000),
    ] {
        let forward = follow(&app, path, "next");
        let all: Vec<i64> = forward.concat();
        assert_eq!(all.len(), total, "{path}");
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), total, "{path}");
        let mut last = path.to_owned();
        while let Some(next) = link(&app.get(&last).ok(), "next") {
            last = next;
        }
        let mut backward = follow(&app, &last, "previous");
        backward.reverse();
        assert_eq!(backward.concat(), all, "{path}");
    }
}

#[test]
fn a_cursor_that_is_damaged_is_404() {
    let app = App::sample();
    let next = link(&app.get("/api/developers/").ok(), "next").unwrap();
    let cursor = next.split("cursor=").nth(1).unwrap();
    let damaged: Vec<String> = (0..cursor.len())
        .map(|place| {
            let other = if &cursor[place..=place] == "A" {
                "B"
            } else {
                "A"
            };
            format!("{}{other}{}", &cursor[..place], &cursor[place + 1..])
        })
        .chain([
            cursor[1..].to_owned(),
            cursor[..cursor.len() - 1].to_owned(),
            format!("{cursor}A"),
        ])
        .chain(["x", "%00", "%ff", "====", "null", "0", "-1", "cD0yMDI2"].map(ToOwned::to_owned))
        .chain([cursor.repeat(500)])
        .collect();
    for cursor in damaged {
        let answer = app.get(&format!("/api/developers/?cursor={cursor}"));
        assert_eq!(answer.status, 404, "{cursor}");
        assert_eq!(
            answer.json(),
            json!({"detail": "Invalid cursor", "code": "not_found"})
        );
    }
}

#[test]
fn a_cursor_is_bound_to_its_list_and_filters_but_not_to_the_size() {
    let app = App::sample();
    let company = app.get("/api/developers/7/").ok()["company"]["id"].clone();
    let next = link(
        &app.get("/api/developers/?senior=true&skill=Rust&skill=Linux&page_size=2")
            .ok(),
        "next",
    )
    .unwrap();
    let cursor = next.split("cursor=").nth(1).unwrap();
    for same in [
        "senior=true&skill=Rust&skill=Linux",
        "skill=Linux&page_size=100&skill=Rust&senior=true",
    ] {
        app.get(&format!("/api/developers/?{same}&cursor={cursor}"))
            .ok();
        app.get(&format!("/api/developers?cursor={cursor}&{same}"))
            .ok();
    }
    for other in [
        "",
        "senior=false&skill=Rust&skill=Linux",
        "senior=true&skill=Rust",
        "skill=Rust&skill=Linux",
    ] {
        assert_eq!(
            app.get(&format!("/api/developers/?{other}&cursor={cursor}"))
                .status,
            404,
            "{other}"
        );
    }
    let all = link(&app.get("/api/developers/?page_size=1").ok(), "next").unwrap();
    let cursor = all.split("cursor=").nth(1).unwrap();
    for path in [
        "/api/companies/".to_owned(),
        "/api/skills/".to_owned(),
        format!("/api/companies/{company}/developers/"),
    ] {
        assert_eq!(
            app.get(&format!("{path}?cursor={cursor}")).status,
            404,
            "{path}"
        );
    }
}

#[test]
fn a_page_that_has_become_empty_leads_back() {
    let app = App::new();
    let company = add_company(&app.db, "Acme", "2020-01-01T00:00:00Z");
    let ids: Vec<i64> = (0..3)
        .map(|_| Dev::new("Ada", company).add(&app.db))
        .collect();
    let first = app.get("/api/developers/?page_size=2").ok();
    delete(&app, ids[0]);
    let empty = app.get(&link(&first, "next").unwrap()).ok();
    assert_eq!(
        (&empty["results"], &empty["next"]),
        (&json!([]), &json!(null))
    );
    let back = app.get(&link(&empty, "previous").unwrap()).ok();
    assert_eq!(back["results"], first["results"]);
    assert_eq!(back["previous"], json!(null));
}

fn delete(app: &App, id: i64) {
    app.db
        .write_blocking(move |conn| {
            diesel::delete(developers::table.find(id)).execute(conn)?;
            Ok::<_, Error>(())
        })
        .unwrap();
}

fn relocate(app: &App, id: i64, day: u8) {
    let created_at = stamp(&format!("2026-01-0{day}T00:00:00Z"));
    app.db
        .write_blocking(move |conn| {
            diesel::update(developers::table.find(id))
                .set(developers::created_at.eq(created_at))
                .execute(conn)?;
            Ok::<_, Error>(())
        })
        .unwrap();
}

/// What happens to the directory while somebody pages through it.
#[derive(Debug, Clone)]
enum Change {
    Insert {
        day: u8,
    },
    /// Of a row that is not watched, if any is left.
    Delete {
        which: usize,
    },
    /// The same, but it takes another place.
    Move {
        which: usize,
        day: u8,
    },
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        (1..6u8).prop_map(|day| Change::Insert { day }),
        any::<usize>().prop_map(|which| Change::Delete { which }),
        (any::<usize>(), 1..6u8).prop_map(|(which, day)| Change::Move { which, day })
    ]
}

/// Many rows share a sort value, so the id has to break ties.
fn add(app: &App, company: i64, day: u8, skills: &[i64]) -> i64 {
    Dev {
        created_at: stamp(&format!("2026-01-0{day}T00:00:00Z")),
        skills,
        ..Dev::new("Ada", company)
    }
    .add(&app.db)
}

#[test]
fn every_row_that_stays_is_shown_once_whatever_changes_meanwhile() {
    let app = App::new();
    let company = add_company(&app.db, "Acme", "2020-01-01T00:00:00Z");
    let skill = add_skill(&app.db, "Rust");
    let rows = prop::collection::vec((1..6u8, any::<bool>()), 0..40);
    let changes = prop::collection::vec(prop::collection::vec(change(), 0..3), 0..30);
    // All rows tie in all but the day, so that the others are orders by the id.
    let ordering = prop::sample::select(vec![
        "-created_at",
        "created_at",
        "name",
        "-last_login",
        "years_experience,-created_at",
    ]);
    let question = (1..8usize, any::<bool>(), ordering);
    proptest!(cases(60), |(rows in rows, changes in changes, (size, narrow, ordering) in question)| {
        let mut stay: Vec<(u8, i64)> = Vec::new();
        let mut others: Vec<i64> = Vec::new();
        for (day, stays) in rows {
            let id = add(&app, company, day, &[skill]);
            if stays { stay.push((day, id)) } else { others.push(id) }
        }
        match ordering {
            "-created_at" => stay.sort_unstable_by(|one, other| other.cmp(one)),
            "created_at" => stay.sort_unstable(),
            "name" => stay.sort_unstable_by_key(|(_, id)| *id),
            "-last_login" => stay.sort_unstable_by_key(|(_, id)| -id),
            _ => stay.sort_unstable_by_key(|(day, id)| (-i16::from(*day), *id)),
        }
        let expected: Vec<i64> = stay.iter().map(|(_, id)| *id).collect();

        let mut changes = changes.into_iter();
        // A row that changes its place while somebody walks may be met at both.
        let mut moved = BTreeSet::new();
        let mut disturb = |moved: &mut BTreeSet<i64>| for change in changes.next().unwrap_or_default() {
            match change {
                Change::Insert { day } => others.push(add(&app, company, day, &[skill])),
                Change::Delete { which } if !others.is_empty() => {
                    let id = others.swap_remove(which % others.len());
                    delete(&app, id);
                }
                Change::Move { which, day } if !others.is_empty() => {
                    let id = others[which % others.len()];
                    moved.insert(id);
                    relocate(&app, id, day);
                }
                Change::Delete { .. } | Change::Move { .. } => {}
            }
        };
        let filter = if narrow { "&skill=Rust&senior=false&search=ada+rust" } else { "" };
        let mut page = app.get(&format!("/api/developers/?page_size={size}{filter}&ordering={ordering}")).ok();
        let mut seen = ids(&page);
        while let Some(next) = link(&page, "next") {
            disturb(&mut moved);
            page = app.get(&next).ok();
            prop_assert!(ids(&page).len() <= size);
            seen.extend(ids(&page));
        }
        seen.retain(|id| !moved.contains(id));
        prop_assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), seen.len(), "a row came twice");
        seen.retain(|id| expected.contains(id));
        prop_assert_eq!(&seen, &expected);

        let mut back = vec![ids(&page)];
        while let Some(previous) = link(&page, "previous") {
            disturb(&mut moved);
            page = app.get(&previous).ok();
            prop_assert!(ids(&page).len() <= size);
            back.push(ids(&page));
        }
        back.reverse();
        let mut seen = back.concat();
        seen.retain(|id| !moved.contains(id));
        prop_assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), seen.len(), "a row came twice");
        seen.retain(|id| expected.contains(id));
        prop_assert_eq!(&seen, &expected);

        app.db.write_blocking(|conn| {
            diesel::delete(developers::table).execute(conn)?;
            Ok::<_, Error>(())
        }).unwrap();
    });
}
