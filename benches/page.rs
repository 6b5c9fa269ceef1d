//! One page of 25 developers with company and skills, as JSON: through Diesel, and by hand over SQLite's C interface.
//!
//! `cargo bench --bench page`

#![allow(
    clippy::unwrap_used,
    reason = "a benchmark that fails has nothing to say"
)]

mod common;

use common::{caller::signed_in, directory, raw};
use criterion::Criterion;
use diesel::connection::SimpleConnection as _;
use roster::{
    api::developers::DeveloperBody,
    auth::{Keys, Secret},
    db::{Access, Db, DbConnection, Readiness, Stamp, Target, prepare},
    models::{Developer, UserDraft},
    query::{Cursor, Order, Page, Value, Window},
};

const SIZE: usize = 25;
/// Rows before the deep page.
const DEPTH: i64 = 90_000;

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("roster.db").to_str().unwrap().to_owned();
    let target: Target = path.parse().unwrap();
    let mut conn = prepare(&target, Readiness::CreateWhenNew).unwrap();
    conn.settle(Access::Write).unwrap();
    drop(conn);
    directory::insert(&raw::Connection::open(&path), &directory::developers());

    let by_hand = ByHand::new(&path);
    let mut conn = DbConnection::connect(&target).unwrap();
    conn.settle(Access::Read).unwrap();

    let first = Window {
        order: Order::default_of_list(),
        cursor: None,
        size: SIZE,
    };
    let deep = Window {
        order: Order::default_of_list(),
        cursor: Some(by_hand.place(DEPTH)),
        size: SIZE,
    };
    let hand = String::from_utf8(by_hand.page()).unwrap();
    assert_eq!(
        hand,
        String::from_utf8(through_diesel(&mut conn, &first)).unwrap(),
        "both give the same bytes"
    );

    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("page");
    group.bench_function("by hand", |bencher| bencher.iter(|| by_hand.page()));
    group.bench_function("diesel first", |bencher| {
        bencher.iter(|| through_diesel(&mut conn, &first));
    });
    group.bench_function("diesel deep", |bencher| {
        bencher.iter(|| through_diesel(&mut conn, &deep));
    });
    group.finish();

    let mut group = criterion.benchmark_group("settings");
    for (mmap, cache) in [
        (0, 2_000),
        (0, 4_096),
        (0, 65_536),
        (1_073_741_824, 2_000),
        (1_073_741_824, 4_096),
    ] {
        let name = format!("map of {mmap} bytes, cache of {cache} KiB");
        conn.batch_execute(&format!(
            "PRAGMA mmap_size = {mmap}; PRAGMA cache_size = -{cache}"
        ))
        .unwrap();
        group.bench_function(format!("{name}, first"), |bencher| {
            bencher.iter(|| through_diesel(&mut conn, &first));
        });
        let mut window = Window {
            order: Order::default_of_list(),
            cursor: None,
            size: SIZE,
        };
        group.bench_function(format!("{name}, walking"), |bencher| {
            bencher.iter(|| window.cursor = next(&mut conn, &window));
        });
    }
    group.finish();

    who_is_calling(&mut criterion, &target);
    criterion.final_summary();
}

/// What finding out who is calling costs a request: the signature, and the rights as the database has them now, at once and
/// by way of another thread.
fn who_is_calling(criterion: &mut Criterion, target: &Target) {
    let db = Db::open(target, Readiness::MustExist).unwrap();
    let draft = UserDraft {
        username: "ada".to_owned(),
        ..UserDraft::new(Stamp::now())
    };
    let secret = "x".repeat(32);
    let (identity, token) = signed_in(&db, draft, &secret);
    let keys = Keys::new(&Secret::new(secret).unwrap());
    let system = actix_web::rt::System::new();
    let find = move |conn: &mut DbConnection| identity.found(conn);
    let mut group = criterion.benchmark_group("who is calling");
    group.bench_function("the token", |bencher| bencher.iter(|| keys.read(&token)));
    group.bench_function("the rights, at once", |bencher| {
        bencher.iter(|| system.block_on(db.glance(find)));
    });
    group.bench_function("the rights, on another thread", |bencher| {
        bencher.iter(|| system.block_on(db.read(find)));
    });
    group.finish();
    db.close();
}

/// What a request does behind the read door, and its JSON.
fn through_diesel(conn: &mut DbConnection, window: &Window<Developer>) -> Vec<u8> {
    let slice = conn
        .within(Access::Read, |conn| {
            let slice = window.cut(conn, Developer::all())?;
            Ok::<_, roster::error::Error>(slice.try_map(|rows| Developer::with_skills(conn, rows))?)
        })
        .unwrap();
    let results: Vec<DeveloperBody> = slice.rows.into_iter().map(DeveloperBody::from).collect();
    serde_json::to_vec(&Page {
        next: None,
        previous: None,
        results,
        added: serde_json::Map::new(),
    })
    .unwrap()
}

/// The page behind this one, or the first: every page of the directory in turn.
fn next(conn: &mut DbConnection, window: &Window<Developer>) -> Option<Cursor> {
    let slice = conn.within(Access::Read, |conn| {
        let slice = window.cut(conn, Developer::all())?;
        Ok::<_, roster::error::Error>(slice.try_map(|rows| Developer::with_skills(conn, rows))?)
    });
    slice.unwrap().next
}

/// The same page by prepared statements and one buffer.
struct ByHand {
    // Before the connection, for they go first.
    developers: raw::Statement,
    skills: raw::Statement,
    place: raw::Statement,
    _connection: raw::Connection,
}

impl ByHand {
    fn new(path: &str) -> Self {
        let connection = raw::Connection::open(path);
        connection.run(
            "PRAGMA mmap_size = 1073741824; PRAGMA cache_size = -4096; PRAGMA query_only = ON",
        );
        Self {
            developers: connection.prepare(
                "SELECT d.id, d.name, c.id, c.name, c.founded_year, d.years_experience, d.last_login, d.created_at,
                        d.updated_at, u.username
                 FROM developers d JOIN companies c ON c.id = d.company_id LEFT JOIN users u ON u.id = d.user_id
                 ORDER BY d.created_at DESC, d.id DESC LIMIT 26",
            ),
            skills: connection.prepare(&format!(
                "SELECT l.developer_id, s.id, s.name, s.category
                 FROM developer_skills l JOIN skills s ON s.id = l.skill_id WHERE l.developer_id IN ({})",
                vec!["?"; SIZE].join(", ")
            )),
            place: connection.prepare(
                "SELECT created_at, id FROM developers ORDER BY created_at DESC, id DESC LIMIT 1 OFFSET ?",
            ),
            _connection: connection,
        }
    }

    /// The place of the row of that number in the default order.
    fn place(&self, number: i64) -> Cursor {
        self.place.bind_int(1, number);
        assert!(self.place.step());
        let time = String::from_utf8(self.place.text(0).to_vec()).unwrap();
        let place = vec![
            Value::Time(roster::db::Stamp::parse(&time).unwrap()),
            Value::Int(self.place.int(1)),
        ];
        self.place.reset();
        Cursor {
            backward: false,
            inclusive: false,
            place,
        }
    }

    fn page(&self) -> Vec<u8> {
        let mut rows: Vec<(i64, Row)> = Vec::with_capacity(SIZE);
        while rows.len() < SIZE && self.developers.step() {
            rows.push((self.developers.int(0), Row::read(&self.developers)));
        }
        self.developers.reset();
        for ((id, _), place) in rows.iter().zip(1..) {
            self.skills.bind_int(place, *id);
        }
        while self.skills.step() {
            let id = self.skills.int(0);
            if let Some((_, row)) = rows.iter_mut().find(|(known, _)| *known == id) {
                let mut skill = b"{\"id\":".to_vec();
                number(&mut skill, self.skills.int(1));
                skill.extend(b",\"name\":");
                string(&mut skill, self.skills.text(2));
                skill.extend(b",\"category\":");
                string(&mut skill, self.skills.text(3));
                skill.push(b'}');
                row.skills.push((self.skills.text(2).to_vec(), skill));
            }
        }
        self.skills.reset();
        let mut out = b"{\"next\":null,\"previous\":null,\"results\":[".to_vec();
        for (place, (_, row)) in rows.iter_mut().enumerate() {
            if place > 0 {
                out.push(b',');
            }
            row.write(&mut out);
        }
        out.extend(b"]}");
        out
    }
}

/// A developer's JSON before and behind its skills.
struct Row {
    before: Vec<u8>,
    behind: Vec<u8>,
    skills: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Row {
    fn read(row: &raw::Statement) -> Self {
        let mut before = b"{\"id\":".to_vec();
        number(&mut before, row.int(0));
        before.extend(b",\"name\":");
        string(&mut before, row.text(1));
        before.extend(b",\"company\":{\"id\":");
        number(&mut before, row.int(2));
        before.extend(b",\"name\":");
        string(&mut before, row.text(3));
        before.extend(b",\"founded_year\":");
        number(&mut before, row.int(4));
        before.extend(b"},\"skills\":[");
        let mut behind = b"],\"years_experience\":".to_vec();
        number(&mut behind, row.int(5));
        behind.extend(b",\"last_login\":");
        if row.is_null(6) {
            behind.extend(b"null");
        } else {
            time(&mut behind, row.text(6));
        }
        behind.extend(b",\"user\":");
        if row.is_null(9) {
            behind.extend(b"null");
        } else {
            string(&mut behind, row.text(9));
        }
        behind.extend(b",\"created_at\":");
        time(&mut behind, row.text(7));
        behind.extend(b",\"updated_at\":");
        time(&mut behind, row.text(8));
        behind.push(b'}');
        Self {
            before,
            behind,
            skills: Vec::new(),
        }
    }

    fn write(&mut self, out: &mut Vec<u8>) {
        out.extend(&self.before);
        self.skills.sort_unstable();
        for (place, (_, skill)) in self.skills.iter().enumerate() {
            if place > 0 {
                out.push(b',');
            }
            out.extend(skill);
        }
        out.extend(&self.behind);
    }
}

fn number(out: &mut Vec<u8>, number: i64) {
    use std::io::Write as _;
    write!(out, "{number}").unwrap();
}

fn string(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'"');
    for byte in text {
        match byte {
            b'"' | b'\\' => out.extend([b'\\', *byte]),
            0..0x20 => panic!("the generated directory has no control characters"),
            _ => out.push(*byte),
        }
    }
    out.push(b'"');
}

fn time(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'"');
    out.extend(&text[..10]);
    out.push(b'T');
    out.extend(&text[11..]);
    out.extend(b"Z\"");
}
