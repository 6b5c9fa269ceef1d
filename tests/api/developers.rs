//! The named filters of the developers' list, and the scopes behind them.

use proptest::prelude::*;
use roster::{
    db::{Error, Stamp},
    models::{Developer, DeveloperQuery, DeveloperScopes},
};
use serde_json::json;

use crate::support::{App, Dev, Place, add_company, add_skill, cases};

#[test]
fn active_is_a_login_within_thirty_days() {
    let app = App::new();
    let company = add_company(&app.db, "Acme", "2020-01-01T00:00:00Z");
    let now = Stamp::now();
    for (name, last_login) in [
        ("today", Some(now)),
        ("29 days", Some(now.days_before(29))),
        ("31 days", Some(now.days_before(31))),
        ("never", None),
    ] {
        Dev {
            last_login,
            ..Dev::new(name, company)
        }
        .add(&app.db);
    }
    assert_eq!(
        app.get("/api/developers/?active=true").names(),
        ["29 days", "today"]
    );
    assert_eq!(
        app.get("/api/developers/?active=false").names(),
        ["never", "31 days"]
    );
}

#[test]
fn senior_is_five_years() {
    let app = App::new();
    let company = add_company(&app.db, "Acme", "2020-01-01T00:00:00Z");
    for (name, years) in [("four", 4), ("five", 5), ("eighty", 80)] {
        Dev {
            years,
            ..Dev::new(name, company)
        }
        .add(&app.db);
    }
    assert_eq!(
        app.get("/api/developers/?senior=true").names(),
        ["eighty", "five"]
    );
    assert_eq!(app.get("/api/developers/?senior=false").names(), ["four"]);
    assert_eq!(
        app.get("/api/developers/?senior=true&senior=false").names(),
        [""; 0]
    );
}

#[test]
fn skill_is_by_name_in_any_letter_case_and_narrows_when_repeated() {
    let app = App::new();
    let company = add_company(&app.db, "Acme", "2020-01-01T00:00:00Z");
    let (rust, sql, big) = (
        add_skill(&app.db, "Rust"),
        add_skill(&app.db, "SQL"),
        add_skill(&app.db, "ΛΟΓΙΚΗ"),
    );
    for (name, skills) in [
        ("rust", &[rust][..]),
        ("both", &[rust, sql]),
        ("sql", &[sql]),
        ("greek", &[big]),
        ("none", &[]),
    ] {
        Dev {
            skills,
            ..Dev::new(name, company)
        }
        .add(&app.db);
    }
    let names = |query: &str| app.get(&format!("/api/developers/?{query}")).names();
    assert_eq!(names("skill=Rust"), ["both", "rust"]);
    assert_eq!(names("skill=rUST"), ["both", "rust"]);
    assert_eq!(
        names("skill=%CE%BB%CE%BF%CE%B3%CE%B9%CE%BA%CE%B7"),
        ["greek"]
    );
    assert_eq!(names("skill=Rust&skill=SQL"), ["both"]);
    assert_eq!(names("skill=Rust&skill=Cobol"), [""; 0]);
    for unknown in ["skill=", "skill=Rust%25", "skill='%20OR%201=1", "skill=%ff"] {
        assert_eq!(names(unknown), [""; 0], "{unknown}");
    }
}

#[test]
fn fifty_filters_are_taken_and_more_are_400() {
    let app = App::new();
    let query = |count: usize| {
        (0..count)
            .map(|number| format!("skill={number}"))
            .collect::<Vec<_>>()
            .join("&")
    };
    assert_eq!(
        app.get(&format!("/api/developers/?{}", query(50))).names(),
        [""; 0]
    );
    let answer = app.get(&format!("/api/developers/?{}", query(2_000)));
    assert_eq!(answer.status, 400);
    assert_eq!(
        answer.json(),
        json!({"skill": ["Ensure there are no more than 100 filters."]})
    );
    let same = vec!["skill=Rust"; 1_500].join("&");
    assert_eq!(
        app.get(&format!("/api/developers/?{same}")).names(),
        [""; 0]
    );
}

#[test]
fn a_skill_with_a_nul_is_400() {
    let app = App::new();
    let answer = app.get("/api/developers/?skill=Rust%00");
    assert_eq!(answer.status, 400);
    assert_eq!(
        answer.json(),
        json!({"skill": ["Null characters are not allowed."]})
    );
}

#[test]
fn a_filter_that_is_no_boolean_is_400() {
    let app = App::new();
    for value in ["", "1", "yes", "tru", "true%20", "null", "%00"] {
        let answer = app.get(&format!("/api/developers/?active={value}&senior={value}"));
        assert_eq!(answer.status, 400, "{value}");
        let message = ["Must be a valid boolean."];
        assert_eq!(answer.json(), json!({"active": message, "senior": message}));
    }
}

/// One scope of a chain, and what it means in plain words.
#[derive(Debug, Clone, Copy)]
enum Step {
    Active,
    Inactive,
    Senior,
    Junior,
    Rust,
    Sql,
    Acme,
}

impl Step {
    fn narrow(self, query: DeveloperQuery, now: Stamp, acme: i64) -> DeveloperQuery {
        match self {
            Self::Active => query.active(now),
            Self::Inactive => query.inactive(now),
            Self::Senior => query.senior(),
            Self::Junior => query.junior(),
            Self::Rust => query.by_skill("Rust"),
            Self::Sql => query.by_skill("sql"),
            Self::Acme => query.of_company(acme),
        }
    }

    /// A developer's name spells what it is: each letter one bit.
    fn holds(self, bits: usize) -> bool {
        match self {
            Self::Active => bits & 1 != 0,
            Self::Inactive => bits & 1 == 0,
            Self::Senior => bits & 2 != 0,
            Self::Junior => bits & 2 == 0,
            Self::Rust => bits & 4 != 0,
            Self::Sql => bits & 8 != 0,
            Self::Acme => bits & 16 != 0,
        }
    }
}

#[test]
fn scopes_chain_in_any_combination_and_order() {
    use diesel::prelude::*;

    let place = Place::new();
    let db = place.open();
    let now = Stamp::now();
    let (acme, other) = (
        add_company(&db, "Acme", "2020-01-01T00:00:00Z"),
        add_company(&db, "Other", "2020-01-01T00:00:00Z"),
    );
    let (rust, sql) = (add_skill(&db, "Rust"), add_skill(&db, "SQL"));
    for bits in 0..32 {
        let skills: Vec<i64> = [(4, rust), (8, sql)]
            .iter()
            .filter(|(bit, _)| bits & bit != 0)
            .map(|(_, id)| *id)
            .collect();
        Dev {
            last_login: (bits & 1 != 0).then_some(now),
            years: if bits & 2 != 0 { 5 } else { 4 },
            skills: &skills,
            ..Dev::new(&bits.to_string(), if bits & 16 != 0 { acme } else { other })
        }
        .add(&db);
    }
    let step = prop::sample::select(vec![
        Step::Active,
        Step::Inactive,
        Step::Senior,
        Step::Junior,
        Step::Rust,
        Step::Sql,
        Step::Acme,
    ]);
    proptest!(cases(64), |(steps in prop::collection::vec(step, 0..6))| {
        let expected: Vec<usize> = (0..32).filter(|bits| steps.iter().all(|step| step.holds(*bits))).collect();
        let found = db
            .read_blocking(move |conn| {
                let query = steps.iter().fold(Developer::all(), |query, step| step.narrow(query, now, acme));
                // It goes on being a query.
                let query = query.order(roster::db::schema::developers::id).limit(100);
                Ok::<_, Error>(query.load::<Developer>(conn)?)
            })
            .unwrap();
        let found: Vec<usize> = found.iter().map(|developer| developer.name.parse().unwrap()).collect();
        prop_assert_eq!(found, expected);
    });
}
