//! A large directory, the same at every run.

use std::fmt::Write as _;

use super::raw::Connection;

pub const COMPANIES: usize = 2_000;
pub const SKILLS: usize = 600;
pub const DEVELOPERS: usize = 100_000;
pub const LINKS_EACH: usize = 5;

pub struct Developer {
    pub name: String,
    pub company: usize,
    pub years: i64,
    pub last_login: Option<String>,
    pub created_at: String,
    /// Distinct places in the list of skills.
    pub skills: Vec<usize>,
}

/// Knuth's generator: enough for data, and the same everywhere.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }
}

pub fn company(number: usize) -> String {
    format!("Company Number {number} Ltd")
}

pub fn skill(number: usize) -> String {
    format!("Skill {number}")
}

/// A moment of `seconds` after the beginning of 2020.
fn moment(seconds: usize) -> String {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let (year, day) = (2020 + days / 336, days % 336);
    format!(
        "{year}-{:02}-{:02} {:02}:{:02}:{:02}.{:06}",
        day / 28 + 1,
        day % 28 + 1,
        rest / 3_600,
        rest / 60 % 60,
        rest % 60,
        seconds % 1_000_000
    )
}

pub fn developers() -> Vec<Developer> {
    let mut numbers = Numbers(2_026);
    (0..DEVELOPERS)
        .map(|number| {
            let mut skills = Vec::with_capacity(LINKS_EACH);
            while skills.len() < LINKS_EACH {
                // Few skills are common and many rare, as in life.
                let skill = numbers.below(SKILLS) * numbers.below(SKILLS) * numbers.below(SKILLS)
                    / SKILLS
                    / SKILLS;
                if !skills.contains(&skill) {
                    skills.push(skill);
                }
            }
            let created = number * 1_500 + numbers.below(1_500);
            Developer {
                name: format!("Ada Number {number} Łovelace"),
                company: numbers.below(COMPANIES),
                years: i64::try_from(numbers.below(45)).unwrap(),
                last_login: (numbers.below(12) > 0)
                    .then(|| moment(created + numbers.below(10_000_000))),
                created_at: moment(created),
                skills,
            }
        })
        .collect()
}

/// The directory as import files, in memory.
pub fn csv(developers: &[Developer]) -> [(&'static str, String); 3] {
    let mut companies = "name,founded_year\n".to_owned();
    for number in 0..COMPANIES {
        let _ = writeln!(companies, "{},{}", company(number), 1900 + number % 120);
    }
    let mut skills = "name,category\n".to_owned();
    for number in 0..SKILLS {
        let _ = writeln!(skills, "{},Category {}", skill(number), number % 30);
    }
    let mut rows = "name,company,years_experience,last_login,created_at,skills\n".to_owned();
    for developer in developers {
        let names: Vec<String> = developer
            .skills
            .iter()
            .map(|number| skill(*number))
            .collect();
        let utc = |time: &str| format!("{}Z", time.replace(' ', "T"));
        let last_login = developer.last_login.as_deref().map(utc).unwrap_or_default();
        let Developer { name, years, .. } = developer;
        let (company, created) = (company(developer.company), utc(&developer.created_at));
        let _ = writeln!(
            rows,
            "{name},{company},{years},{last_login},{created},{}",
            names.join(";")
        );
    }
    [
        ("companies.csv", companies),
        ("skills.csv", skills),
        ("developers.csv", rows),
    ]
}

/// Fills a migrated database by prepared inserts in one transaction, the way it is done by hand.
pub fn insert(connection: &Connection, developers: &[Developer]) {
    const NOW: &str = "2026-11-22 00:00:00.000000";
    connection.run("BEGIN IMMEDIATE");
    // As an import does, which keeps the indices of the search out of the loop.
    let (mut dropped, mut created) = (String::new(), String::new());
    let triggers = connection.prepare(
        "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND name LIKE '%\\_search\\_%' ESCAPE '\\'",
    );
    while triggers.step() {
        let _ = write!(
            dropped,
            "DROP TRIGGER {};",
            String::from_utf8_lossy(triggers.text(0))
        );
        let _ = write!(created, "{};", String::from_utf8_lossy(triggers.text(1)));
    }
    drop(triggers);
    connection.run(&dropped);
    let statement = connection.prepare("INSERT INTO companies VALUES (?1, ?2, ?3, ?3, ?4, ?5, ?6)");
    for number in 0..COMPANIES {
        let (name, key) = (company(number), company(number).to_lowercase());
        statement.bind_int(1, i64::try_from(number + 1).unwrap());
        statement.bind_text(2, &name);
        statement.bind_text(3, &key);
        statement.bind_int(4, i64::try_from(1900 + number % 120).unwrap());
        statement.bind_text(5, NOW);
        statement.bind_text(6, NOW);
        statement.run();
    }
    let statement = connection.prepare("INSERT INTO skills VALUES (?1, ?2, ?3, ?3, ?4, ?5, ?5)");
    for number in 0..SKILLS {
        let (name, category) = (skill(number), format!("Category {}", number % 30));
        let (key, category_key) = (name.to_lowercase(), category.to_lowercase());
        statement.bind_int(1, i64::try_from(number + 1).unwrap());
        statement.bind_text(2, &name);
        statement.bind_text(3, &key);
        statement.bind_text(4, &category);
        statement.bind_text(5, &category_key);
        statement.run();
    }
    let statement = connection
        .prepare("INSERT INTO developers VALUES (?1, ?2, ?3, ?9, ?4, ?5, ?6, ?7, ?8, NULL)");
    let link = connection.prepare("INSERT INTO developer_skills VALUES (?, ?)");
    for (developer, id) in developers.iter().zip(1..) {
        let key = developer.name.to_lowercase();
        statement.bind_int(1, id);
        statement.bind_text(2, &developer.name);
        statement.bind_text(3, &key);
        statement.bind_int(4, i64::try_from(developer.company + 1).unwrap());
        statement.bind_int(5, developer.years);
        match &developer.last_login {
            Some(time) => statement.bind_text(6, time),
            None => statement.bind_null(6),
        }
        statement.bind_text(7, &developer.created_at);
        statement.bind_text(8, &developer.created_at);
        statement.bind_text(9, &key);
        statement.run();
        for skill in &developer.skills {
            link.bind_int(1, id);
            link.bind_int(2, i64::try_from(skill + 1).unwrap());
            link.run();
        }
    }
    drop((statement, link));
    for table in ["companies", "skills", "developers"] {
        connection.run(&format!(
            "INSERT INTO {table}_search ({table}_search) VALUES ('rebuild')"
        ));
    }
    connection.run(&created);
    connection.run("COMMIT");
}
