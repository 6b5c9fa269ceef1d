//! The demo: the sample directory that the binary carries, in a database that lasts as long as the server.

use super::{Failure, createuser, import};
use crate::{
    auth::{self, PasswordHash},
    db::{Db, Stamp},
    files::Kind,
    models::{Company, Developer, Skill, UserDraft},
};

/// The name of the demo's staff user.
pub const ADMIN: &str = "admin";

const COMPANIES: &str = include_str!("../demo/companies.csv");
const SKILLS: &str = include_str!("../demo/skills.csv");
const DEVELOPERS: &str = include_str!("../demo/developers.csv");
/// The day up to which the developers' file tells.
const LAST_DAY: &str = "2026-11-22T00:00:00Z";
const DAY: i64 = 24 * 60 * 60;

/// Imports the sample directory, makes a staff user and returns that one's password.
pub fn fill(db: &Db) -> Result<String, Failure> {
    sample(db)?;
    let password = auth::random::<12>()?;
    let hash = PasswordHash::of(&password).map_err(Failure::new)?;
    let draft = UserDraft {
        username: ADMIN.to_owned(),
        is_staff: true,
        ..UserDraft::new(Stamp::now())
    };
    db.write_blocking(move |conn| createuser::make(conn, &draft, &hash))?;
    Ok(password)
}

/// Imports the sample directory as if it were told up to today, so that those who signed in lately still did.
///
/// # Errors
/// When the database refuses it.
pub fn sample(db: &Db) -> Result<(), Failure> {
    let told = Stamp::parse(LAST_DAY).unwrap_or(Stamp::FIRST);
    let days = Stamp::now().seconds() / DAY - told.seconds() / DAY;
    let developers = later(DEVELOPERS, days)
        .ok_or_else(|| Failure::new("the sample directory cannot be read"))?;
    import::embedded(
        db,
        [
            (Kind::of::<Company>(), COMPANIES.to_owned()),
            (Kind::of::<Skill>(), SKILLS.to_owned()),
            (Kind::of::<Developer>(), developers),
        ],
    )
}

/// The same lines with every moment that many days later.
fn later(lines: &str, days: i64) -> Option<String> {
    let mut reader = csv::Reader::from_reader(lines.as_bytes());
    let mut writer = csv::Writer::from_writer(Vec::new());
    let header = reader.headers().ok()?.clone();
    writer.write_record(&header).ok()?;
    for record in reader.records() {
        let record = record.ok()?;
        for (column, cell) in header.iter().zip(&record) {
            let moment = ["created_at", "last_login"].contains(&column);
            match Stamp::parse(cell).filter(|_| moment) {
                Some(moment) => writer
                    .write_field(moment.days_before(-days).to_string())
                    .ok()?,
                None => writer.write_field(cell).ok()?,
            }
        }
        writer.write_record(None::<&[u8]>).ok()?;
    }
    String::from_utf8(writer.into_inner().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn on_its_own_day_the_sample_is_the_file() {
        assert_eq!(later(DEVELOPERS, 0).as_deref(), Some(DEVELOPERS));
    }

    #[test]
    fn a_year_later_all_moments_are_a_year_later() {
        let lines = "name,created_at,last_login\n2026-01-01,2025-02-28T01:02:03.000004Z,\n\"a,b\",2024-02-29T00:00:00.000000Z,2026-11-21T23:00:00.000000Z\n";
        let moved = "name,created_at,last_login\n2026-01-01,2026-02-28T01:02:03.000004Z,\n\"a,b\",2025-02-28T00:00:00.000000Z,2027-11-21T23:00:00.000000Z\n";
        assert_eq!(later(lines, 365).as_deref(), Some(moved));
    }
}
