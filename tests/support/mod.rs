mod app;
mod place;
mod process;

pub use app::{Answer, App, Client, Options, SECRET};
pub use place::Place;
pub use process::{Output, Served, roster, roster_with};

use std::sync::LazyLock;

use diesel::prelude::*;
use proptest::test_runner::{Config, FileFailurePersistence};
use roster::{
    auth::{Claims, Keys, PasswordHash, Secret, TokenType, new_jti},
    db::{Db, Error, Stamp, schema::sessions},
    models::{CompanyDraft, DeveloperDraft, DeveloperSkill, SkillDraft, UserDraft},
};

/// The password of every user that [`add_user`] makes, and its hash, which takes a while to make.
pub const PASSWORD: &str = "correct horse battery";
static HASH: LazyLock<PasswordHash> = LazyLock::new(|| PasswordHash::of(PASSWORD).unwrap());

/// So many cases of a law, and first those that once broke it: they are kept beside the test.
pub fn cases(number: u32) -> Config {
    Config {
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("regressions"))),
        ..Config::with_cases(number)
    }
}

pub fn stamp(text: &str) -> Stamp {
    Stamp::parse(text).unwrap()
}

/// What a test puts into the directory, without going through the interface that it tests.
pub fn add_company(db: &Db, name: &str, created_at: &str) -> i64 {
    let company = CompanyDraft {
        name: name.to_owned(),
        founded_year: 1999,
        ..CompanyDraft::new(stamp(created_at))
    };
    db.write_blocking(move |conn| Ok::<_, Error>(company.insert(conn, None)?))
        .unwrap()
}

pub fn add_skill(db: &Db, name: &str) -> i64 {
    let skill = SkillDraft {
        name: name.to_owned(),
        category: "Tool".to_owned(),
    };
    db.write_blocking(move |conn| Ok::<_, Error>(skill.insert(conn, None)?))
        .unwrap()
}

pub fn add_user(db: &Db, username: &str, is_staff: bool) -> i64 {
    let user = UserDraft {
        username: username.to_owned(),
        is_staff,
        ..UserDraft::new(stamp("2026-01-01T00:00:00Z"))
    };
    db.write_blocking(move |conn| Ok::<_, Error>(user.insert(conn, None, &HASH)?))
        .unwrap()
}

/// A session of that user, without a sign-in.
pub fn add_session(db: &Db, user: i64) -> i64 {
    db.write_blocking(move |conn| {
        let now = Stamp::now();
        let row = (
            sessions::user_id.eq(user),
            sessions::created_at.eq(now),
            sessions::last_used_at.eq(now),
            sessions::expires_at.eq(stamp("9999-01-01T00:00:00Z")),
        );
        diesel::insert_into(sessions::table)
            .values(row)
            .execute(conn)?;
        let last = sessions::table
            .select(sessions::id)
            .order(sessions::id.desc());
        Ok::<i64, Error>(last.first(conn)?)
    })
    .unwrap()
}

/// Claims that end in so many seconds.
pub fn claims(token_type: TokenType, user: i64, session: i64, seconds: i64) -> Claims {
    let now = Stamp::now().seconds();
    Claims {
        token_type,
        exp: now + seconds,
        iat: now,
        jti: new_jti().unwrap(),
        user_id: user.to_string(),
        sid: session.to_string(),
        is_staff: false,
    }
}

/// A token with these claims, signed with the tests' key.
pub fn signed(claims: &Claims) -> String {
    Keys::new(&Secret::new(SECRET.to_owned()).unwrap())
        .sign(claims)
        .unwrap()
}

/// A developer with what most tests do not care for.
pub struct Dev<'a> {
    pub name: &'a str,
    pub company: i64,
    pub years: i32,
    pub last_login: Option<Stamp>,
    pub user: Option<i64>,
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
            user: None,
            created_at: stamp("2026-01-01T00:00:00Z"),
            skills: &[],
        }
    }

    pub fn add(self, db: &Db) -> i64 {
        let developer = DeveloperDraft {
            name: self.name.to_owned(),
            company_id: self.company,
            years_experience: self.years,
            last_login: self.last_login,
            user_id: self.user,
            created_at: self.created_at,
            updated_at: self.created_at,
        };
        let skills = self.skills.to_vec();
        db.write_blocking(move |conn| {
            let id = developer.insert(conn, None)?;
            DeveloperSkill::link(conn, id, &skills)?;
            Ok::<_, Error>(id)
        })
        .unwrap()
    }
}
