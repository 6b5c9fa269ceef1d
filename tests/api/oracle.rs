//! The lists beside a plain model of the directory in memory: for random data, filters, orders and page sizes both must
//! say the same, forward and backward.

use std::cmp::Ordering;

use diesel::prelude::*;
use proptest::prelude::*;
use roster::{
    db::{
        Db, Error, Stamp,
        schema::{companies, developers, skills},
    },
    models::{CompanyDraft, DeveloperDraft, DeveloperSkill, SkillDraft},
    text::fold,
};
use serde_json::Value;

use crate::support::{App, cases, stamp};

/// Few of each, so that values tie and meet; in several scripts and letter cases, with what SQL and LIKE find special.
const NAMES: [&str; 10] = [
    "Ada",
    "ada",
    "Ada B",
    "Éva",
    "éva",
    "ΣΊΣΥΦΟΣ",
    "100%",
    "a_b",
    "日本",
    "O'Hara",
];
const SKILLS: [(&str, &str); 6] = [
    ("Rust", "Language"),
    ("SQL", "Language"),
    ("rustls", "Library"),
    ("Ärger", "library"),
    ("C++", "Language"),
    ("%", "Tool"),
];
const COMPANIES: [(&str, i32); 4] = [
    ("Acme", 1999),
    ("acme Ltd", 2001),
    ("Zeta", 1999),
    ("Ωmega", 1000),
];
const TIMES: [&str; 4] = [
    "2026-01-01T00:00:00Z",
    "2026-01-01T00:00:00.000001Z",
    "2025-06-30T23:59:59.999999Z",
    "2026-11-20T08:15:30Z",
];

#[derive(Debug, Clone)]
struct Dev {
    id: i64,
    name: &'static str,
    company: usize,
    years: i32,
    last_login: Option<Stamp>,
    created_at: Stamp,
    skills: Vec<usize>,
}

fn dev() -> impl Strategy<Value = Dev> {
    (
        prop::sample::select(NAMES.to_vec()),
        0..COMPANIES.len(),
        prop::sample::select(vec![0, 1, 4, 5, 80]),
        prop::option::weighted(0.7, prop::sample::select(TIMES.to_vec())),
        prop::sample::select(TIMES.to_vec()),
        prop::sample::subsequence((0..SKILLS.len()).collect::<Vec<_>>(), 0..4),
    )
        .prop_map(
            |(name, company, years, last_login, created_at, skills)| Dev {
                id: 0,
                name,
                company,
                years,
                last_login: last_login.map(stamp),
                created_at: stamp(created_at),
                skills,
            },
        )
}

/// A comparison by a lookup's name, of one value of a row with the text of a parameter.
fn compares<T: Ord>(lookup: &str, found: &T, read: impl Fn(&str) -> T, text: &str) -> bool {
    match lookup {
        "" => *found == read(text),
        "__gt" => *found > read(text),
        "__gte" => *found >= read(text),
        "__lt" => *found < read(text),
        "__lte" => *found <= read(text),
        "__in" => text.split(',').any(|text| *found == read(text)),
        _ => panic!("{lookup}"),
    }
}

fn text_fits(lookup: &str, found: &str, text: &str) -> bool {
    match lookup {
        "__icontains" => fold(found).contains(&fold(text)),
        "__istartswith" => fold(found).starts_with(&fold(text)),
        _ => compares(lookup, &found.to_owned(), ToOwned::to_owned, text),
    }
}

const COMPARISONS: [&str; 6] = ["", "__gt", "__gte", "__lt", "__lte", "__in"];

/// A parameter: its field, its lookup, and its text.
type Param = (&'static str, &'static str, String);

fn param() -> impl Strategy<Value = Param> {
    let texts = |values: Vec<&'static str>| prop::sample::select(values);
    let comparison = || prop::sample::select(COMPARISONS.to_vec());
    let text_lookup =
        || prop::sample::select([&COMPARISONS[..], &["__icontains", "__istartswith"]].concat());
    let words = vec![
        "Ada",
        "a",
        "É",
        "é",
        "σ",
        "Rust",
        "rust",
        "%",
        "_",
        "'",
        "日",
        "L",
        "lib",
        "acme",
        "",
        "Ωmega",
        "\\",
        "Acme,Zeta",
        "C++,%",
    ];
    prop_oneof![
        (
            texts(vec![
                "name",
                "company__name",
                "skills__name",
                "skills__category"
            ]),
            text_lookup(),
            texts(words)
        )
            .prop_map(|(field, lookup, text)| (field, lookup, text.to_owned())),
        (
            texts(vec!["years_experience", "company__founded_year"]),
            comparison(),
            texts(vec!["0", "5", "80", "-1", "1999", "9223372036854775807"])
        )
            .prop_map(|(field, lookup, text)| (field, lookup, text.to_owned())),
        (
            texts(vec!["last_login", "created_at"]),
            comparison(),
            texts(TIMES.to_vec())
        )
            .prop_map(|(field, lookup, text)| (field, lookup, text.to_owned())),
        (
            texts(vec![
                "name",
                "last_login",
                "company",
                "skills",
                "skills__name"
            ]),
            any::<bool>()
        )
            .prop_map(|(field, null)| (field, "__isnull", null.to_string())),
        (texts(vec!["senior", "active"]), any::<bool>()).prop_map(|(field, on)| (
            field,
            "",
            on.to_string()
        )),
        texts(vec!["rust", "SQL", "C++", "nothing"]).prop_map(|name| (
            "skill",
            "",
            name.to_owned()
        )),
        (
            texts(vec!["skills__all", "skills__any", "skills__none"]),
            texts(vec!["Rust", "rust,SQL", "C++,%,none", "RUSTLS,Ärger"])
        )
            .prop_map(|(field, text)| (field, "", text.to_owned())),
        texts(vec![
            "1:Rust,SQL",
            "2:Rust,SQL,C++",
            "2:rust,Rust",
            "3:Rust,SQL"
        ])
        .prop_map(|text| ("skills__min", "", text.to_owned())),
    ]
}

/// The words of a text, by a table of the letters that these tests use and not by the rules of the code under test.
fn plain_words(text: &str) -> Vec<String> {
    const FOLDED: [(char, char); 9] = [
        ('É', 'e'),
        ('é', 'e'),
        ('Ä', 'a'),
        ('Ω', 'ω'),
        ('Σ', 'σ'),
        ('Ί', 'ι'),
        ('Υ', 'υ'),
        ('Φ', 'φ'),
        ('Ο', 'ο'),
    ];
    let plain = |letter: char| {
        FOLDED
            .iter()
            .find(|(known, _)| *known == letter)
            .map_or(letter.to_ascii_lowercase(), |(_, plain)| *plain)
    };
    text.chars()
        .map(plain)
        .collect::<String>()
        .split(|letter: char| letter.is_ascii() && !letter.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(ToOwned::to_owned)
        .collect()
}

impl Dev {
    fn has(&self, name: &str) -> bool {
        self.skills
            .iter()
            .any(|skill| fold(SKILLS[*skill].0) == fold(name))
    }

    fn fits(&self, (field, lookup, text): &Param) -> bool {
        let company = COMPANIES[self.company];
        let number = |text: &str| text.parse::<i128>().unwrap();
        let list = |text: &'_ str| {
            text.split(',')
                .map(ToOwned::to_owned)
                .collect::<Vec<String>>()
        };
        let null = |is_null: bool| (text == "true") == is_null;
        match (*field, *lookup) {
            ("last_login", "__isnull") => null(self.last_login.is_none()),
            ("skills" | "skills__name", "__isnull") => null(self.skills.is_empty()),
            (_, "__isnull") => null(false),
            ("name", _) => text_fits(lookup, self.name, text),
            ("company__name", _) => text_fits(lookup, company.0, text),
            ("skills__name", _) => self
                .skills
                .iter()
                .any(|skill| text_fits(lookup, SKILLS[*skill].0, text)),
            ("skills__category", _) => self
                .skills
                .iter()
                .any(|skill| text_fits(lookup, SKILLS[*skill].1, text)),
            ("years_experience", _) => compares(lookup, &i128::from(self.years), number, text),
            ("company__founded_year", _) => compares(lookup, &i128::from(company.1), number, text),
            ("created_at", _) => compares(lookup, &self.created_at, stamp, text),
            ("last_login", _) => self
                .last_login
                .is_some_and(|time| compares(lookup, &time, stamp, text)),
            ("senior", _) => (self.years >= 5) == (text == "true"),
            ("active", _) => {
                let since = Stamp::now().days_before(30);
                self.last_login.is_some_and(|time| time >= since) == (text == "true")
            }
            ("skill", _) => self.has(text),
            ("search", _) => {
                let names = self
                    .skills
                    .iter()
                    .map(|skill| SKILLS[*skill].0)
                    .chain([self.name, company.0]);
                let found: Vec<String> = names.flat_map(plain_words).collect();
                plain_words(text)
                    .iter()
                    .all(|word| found.iter().any(|found| found.starts_with(word)))
            }
            ("skills__all", _) => list(text).iter().all(|name| self.has(name)),
            ("skills__any", _) => list(text).iter().any(|name| self.has(name)),
            ("skills__none", _) => !list(text).iter().any(|name| self.has(name)),
            ("skills__min", _) => {
                let (count, names) = text.split_once(':').unwrap();
                let mut names: Vec<String> = list(names).iter().map(|name| fold(name)).collect();
                names.sort();
                names.dedup();
                names.iter().filter(|name| self.has(name)).count()
                    >= count.parse::<usize>().unwrap()
            }
            other => panic!("{other:?}"),
        }
    }

    /// By one field of an order; rows without a value come last whatever the direction.
    fn compare(&self, other: &Self, field: &str, descending: bool) -> Ordering {
        let order = match field {
            "id" => self.id.cmp(&other.id),
            "name" => self.name.cmp(other.name),
            "years_experience" => self.years.cmp(&other.years),
            "created_at" => self.created_at.cmp(&other.created_at),
            "last_login" => match (self.last_login, other.last_login) {
                (Some(one), Some(two)) => one.cmp(&two),
                (one, two) => return one.is_none().cmp(&two.is_none()),
            },
            _ => panic!("{field}"),
        };
        if descending { order.reverse() } else { order }
    }
}

fn sort(devs: &mut [Dev], ordering: &[(&str, bool)]) {
    let id_descending = ordering[0].1;
    devs.sort_by(|one, other| {
        ordering
            .iter()
            .map(|(field, descending)| one.compare(other, field, *descending))
            .chain([one.compare(other, "id", id_descending)])
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    });
}

/// Puts the developers into an emptied directory, and gives them their ids.
fn fill(db: &Db, devs: &mut [Dev]) {
    let rows = devs.to_vec();
    let ids = db.write_blocking(move |conn| {
        diesel::delete(developers::table).execute(conn)?;
        diesel::delete(companies::table).execute(conn)?;
        diesel::delete(skills::table).execute(conn)?;
        let mut company_ids = Vec::new();
        for (name, year) in COMPANIES {
            let company = CompanyDraft {
                name: name.to_owned(),
                founded_year: year,
                ..CompanyDraft::new(stamp(TIMES[0]))
            };
            company_ids.push(company.insert(conn, None)?);
        }
        let mut skill_ids = Vec::new();
        for (name, category) in SKILLS {
            let skill = SkillDraft {
                name: name.to_owned(),
                category: category.to_owned(),
            };
            skill_ids.push(skill.insert(conn, None)?);
        }
        let mut ids = Vec::new();
        for row in rows {
            let developer = DeveloperDraft {
                name: row.name.to_owned(),
                company_id: company_ids[row.company],
                years_experience: row.years,
                last_login: row.last_login,
                user_id: None,
                created_at: row.created_at,
                updated_at: row.created_at,
            };
            let id = developer.insert(conn, None)?;
            let links: Vec<i64> = row.skills.iter().map(|skill| skill_ids[*skill]).collect();
            DeveloperSkill::link(conn, id, &links)?;
            ids.push(id);
        }
        Ok::<_, Error>(ids)
    });
    for (dev, id) in devs.iter_mut().zip(ids.unwrap()) {
        dev.id = id;
    }
}

/// The ids of all pages from this one on, and the URL of the last.
fn walk(app: &App, first: String, link: &str) -> (Vec<Vec<i64>>, String) {
    let (mut pages, mut url) = (Vec::new(), first);
    loop {
        let page = app.get(&url).ok();
        pages.push(
            page["results"]
                .as_array()
                .unwrap()
                .iter()
                .map(|row| row["id"].as_i64().unwrap())
                .collect(),
        );
        match &page[link] {
            Value::String(next) => url.clone_from(next),
            _ => return (pages, url),
        }
    }
}

#[test]
fn lists_say_what_the_model_says() {
    let app = App::new();
    let orderable = prop::sample::select(vec![
        "id",
        "name",
        "years_experience",
        "last_login",
        "created_at",
    ]);
    let ordering = prop::collection::vec((orderable, any::<bool>()), 0..4);
    let strategy = (
        prop::collection::vec(dev(), 0..30),
        prop::collection::vec(
            (prop::collection::vec(param(), 0..3), ordering, 1..9usize),
            6,
        ),
    );
    proptest!(cases(40), |((mut devs, questions) in strategy)| {
        fill(&app.db, &mut devs);
        for (params, ordering, size) in questions {
            let mut query = form_urlencoded::Serializer::new(String::new());
            for (field, lookup, text) in &params {
                query.append_pair(&format!("{field}{lookup}"), text);
            }
            let names: Vec<String> =
                ordering.iter().map(|(field, descending)| format!("{}{field}", if *descending { "-" } else { "" })).collect();
            query.append_pair("ordering", &names.join(","));
            query.append_pair("page_size", &size.to_string());
            let query = query.finish();

            let mut expected: Vec<Dev> =
                devs.iter().filter(|dev| params.iter().all(|param| dev.fits(param))).cloned().collect();
            let ordering = if ordering.is_empty() { vec![("created_at", true)] } else { ordering };
            sort(&mut expected, &ordering);
            let expected: Vec<i64> = expected.iter().map(|dev| dev.id).collect();

            let (pages, last) = walk(&app, format!("/api/developers/?{query}"), "next");
            prop_assert_eq!(pages.concat(), expected.clone(), "{}", query);
            let (mut pages, _) = walk(&app, last, "previous");
            pages.reverse();
            prop_assert_eq!(pages.concat(), expected, "backward: {}", query);
        }
    });
}
