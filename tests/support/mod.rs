mod app;
mod place;
mod process;

pub use app::App;
pub use place::Place;
pub use process::{Output, Served, roster, roster_with};

use roster::{
    db::{Db, Stamp},
    models::{DeveloperSkill, NewCompany, NewDeveloper, NewSkill},
};

pub fn stamp(text: &str) -> Stamp {
    Stamp::parse(text).unwrap()
}

/// What a test puts into the directory, without going through the interface that it tests.
pub fn add_company(db: &Db, name: &str, created_at: &str) -> i64 {
    let company = NewCompany::new(None, name.to_owned(), 1999, stamp(created_at));
    db.write_blocking(move |conn| Ok::<_, roster::db::Error>(company.insert(conn)?))
        .unwrap()
}

pub fn add_skill(db: &Db, name: &str) -> i64 {
    let skill = NewSkill::new(None, name.to_owned(), "Tool".to_owned());
    db.write_blocking(move |conn| Ok::<_, roster::db::Error>(skill.insert(conn)?))
        .unwrap()
}

/// A developer with what most tests do not care for.
pub struct Dev<'a> {
    pub name: &'a str,
    pub company: i64,
    pub years: i32,
    pub last_login: Option<Stamp>,
    pub created_at: Stamp,
    pub skills: &'a [i64],
}

impl<'a> Dev<'a> {
    pub fn new(name: &'a str, company: i64) -> Self {
        Self {
            name,
            company,
            years: 0,
            last_login: None,
            created_at: stamp("2026-01-01T00:00:00Z"),
            skills: &[],
        }
    }

    pub fn add(self, db: &Db) -> i64 {
        let developer = NewDeveloper {
            id: None,
            name: self.name.to_owned(),
            company_id: self.company,
            years_experience: self.years,
            last_login: self.last_login,
            created_at: self.created_at,
            updated_at: self.created_at,
        };
        let skills = self.skills.to_vec();
        db.write_blocking(move |conn| {
            let id = developer.insert(conn)?;
            DeveloperSkill::link(conn, id, &skills)?;
            Ok::<_, roster::db::Error>(id)
        })
        .unwrap()
    }
}
