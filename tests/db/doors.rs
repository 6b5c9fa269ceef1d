//! The read door and the write door.

use std::{
    pin::Pin,
    sync::mpsc,
    task::{Context, Waker},
    time::Duration,
};

use diesel::{dsl::count_star, prelude::*};
use roster::{
    db::{Db, DbConnection, Error, Patience, Readiness, Target, schema::skills},
    models::SkillDraft,
};

use crate::support::{Place, add_skill};

fn insert(conn: &mut DbConnection, name: &str) -> Result<i64, Error> {
    let skill = SkillDraft {
        name: name.to_owned(),
        category: "Tool".to_owned(),
    };
    Ok(skill.insert(conn, None)?)
}

fn count(conn: &mut DbConnection) -> Result<i64, Error> {
    Ok(skills::table.select(count_star()).first(conn)?)
}

fn names(db: &Db) -> Vec<String> {
    db.read_blocking(|conn| {
        Ok::<_, Error>(
            skills::table
                .select(skills::name)
                .order(skills::name)
                .load(conn)?,
        )
    })
    .unwrap()
}

#[test]
fn a_write_that_fails_leaves_nothing() {
    let place = Place::new();
    let db = place.open();
    let failed = db.write_blocking(|conn| {
        insert(conn, "Rust")?;
        Err::<(), _>(Error::Unavailable("of the test's own".to_owned()))
    });
    assert!(matches!(failed, Err(Error::Unavailable(reason)) if reason == "of the test's own"));
    assert!(names(&db).is_empty());
}

/// Where the processors are short the reads go first.
#[cfg(target_os = "linux")]
#[test]
fn the_writer_gives_way() {
    /// Of the calling thread: the 19th field of `proc_pid_stat(5)`, and the 17th behind the name in parentheses.
    fn niceness() -> i32 {
        let stat = std::fs::read_to_string("/proc/thread-self/stat").unwrap();
        let (_, fields) = stat.rsplit_once(')').unwrap();
        let nice = fields.split_whitespace().nth(16).unwrap();
        nice.parse().unwrap()
    }
    let place = Place::embedded();
    let db = place.open();
    let reading = db.read_blocking(|_| Ok::<_, Error>(niceness())).unwrap();
    let writing = db.write_blocking(|_| Ok::<_, Error>(niceness())).unwrap();
    assert!(writing > reading, "{writing} is not above {reading}");
}

#[test]
fn the_read_door_does_not_write() {
    let place = Place::new();
    let db = place.open();
    assert!(matches!(
        db.read_blocking(|conn| insert(conn, "Rust")),
        Err(Error::Query(_))
    ));
    assert!(names(&db).is_empty());
}

#[test]
fn a_read_sees_one_snapshot() {
    let place = Place::new();
    let db = place.open();
    let writer = db.clone();
    let counts = db.read_blocking(|conn| {
        let before = count(conn)?;
        add_skill(&writer, "Rust");
        Ok::<_, Error>((before, count(conn)?))
    });
    assert_eq!(counts.unwrap(), (0, 0));
    assert_eq!(names(&db), ["Rust"]);
}

#[test]
fn a_panic_behind_a_door_is_an_error_and_leaves_nothing() {
    let place = Place::new();
    let db = place.open();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let wrote: Result<(), Error> = runtime.block_on(db.write(|conn| {
        insert(conn, "Rust")?;
        panic!("of the test's own")
    }));
    assert!(matches!(wrote, Err(Error::Panicked)));
    // More often than there are connections: none is lost by it.
    for _ in 0..=roster::db::readers() {
        let read: Result<(), Error> = runtime.block_on(db.read(|_| panic!("of the test's own")));
        assert!(matches!(read, Err(Error::Panicked)));
    }
    assert!(names(&db).is_empty());
    add_skill(&db, "SQL");
    assert_eq!(names(&db), ["SQL"]);
}

/// Keeps the writer busy until told, so that what is submitted meanwhile waits together.
struct Hold(mpsc::Sender<()>, std::thread::JoinHandle<()>);

impl Hold {
    fn on(db: &Db) -> Self {
        let (release, released) = mpsc::channel();
        let (busy, begun) = mpsc::channel();
        let db = db.clone();
        let thread = std::thread::spawn(move || {
            db.write_blocking(move |_| {
                busy.send(()).unwrap();
                released.recv().unwrap();
                // A group of its own: it has nothing to commit.
                Err::<(), _>(Error::Unavailable(String::new()))
            })
            .unwrap_err();
        });
        begun.recv().unwrap();
        Self(release, thread)
    }

    fn release(self) {
        self.0.send(()).unwrap();
        self.1.join().unwrap();
    }
}

#[test]
fn one_of_a_group_that_panics_or_fails_harms_no_other() {
    let place = Place::new();
    let db = place.open();
    let hold = Hold::on(&db);
    let (queued, all_queued) = mpsc::channel();
    let threads: Vec<_> = (0..30)
        .map(|number| {
            let (db, queued) = (db.clone(), queued.clone());
            std::thread::spawn(move || {
                queued.send(()).unwrap();
                let result = db.write_blocking(move |conn| {
                    insert(conn, &format!("{number:02}"))?;
                    match number % 3 {
                        0 => Ok(()),
                        1 => Err(Error::Unavailable(String::new())),
                        // In the middle of a transaction of its own.
                        _ => conn.transaction(|conn| {
                            insert(conn, &format!("{number:02} inner"))?;
                            panic!("of the test's own")
                        }),
                    }
                });
                (number, result)
            })
        })
        .collect();
    for _ in 0..30 {
        all_queued.recv().unwrap();
    }
    std::thread::sleep(std::time::Duration::from_millis(100));
    hold.release();
    for thread in threads {
        let (number, result) = thread.join().unwrap();
        match number % 3 {
            0 => result.unwrap(),
            1 => assert!(matches!(result, Err(Error::Unavailable(_)))),
            _ => assert!(matches!(result, Err(Error::Panicked))),
        }
    }
    let expected: Vec<String> = (0..30)
        .step_by(3)
        .map(|number| format!("{number:02}"))
        .collect();
    assert_eq!(names(&db), expected);
    add_skill(&db, "afterwards");
}

/// Puts a write into the queue behind a [`Hold`], and leaves it waiting there.
fn queued<T>(write: impl Future<Output = T>) -> Pin<Box<impl Future<Output = T>>> {
    let mut write = Box::pin(write);
    let mut context = Context::from_waker(Waker::noop());
    assert!(write.as_mut().poll(&mut context).is_pending());
    write
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(future)
}

#[test]
fn those_who_wait_together_are_committed_together_and_answered_after_it() {
    let place = Place::embedded();
    let db = place.open();
    let hold = Hold::on(&db);
    let first = queued(db.write(|conn| insert(conn, "first")));
    // In the first's group: it sees the first's row, which no reader sees yet.
    let reader = db.clone();
    let second = queued(db.write(move |conn| Ok::<_, Error>((count(conn)?, names(&reader)))));
    hold.release();
    block_on(first).unwrap();
    assert_eq!(names(&db), ["first"]);
    assert_eq!(block_on(second).unwrap(), (1, Vec::new()));
}

#[test]
fn what_waits_when_the_doors_close_is_written() {
    let place = Place::embedded();
    let db = place.open();
    let hold = Hold::on(&db);
    let writes: Vec<_> = (0..5)
        .map(|number| queued(db.write(move |conn| insert(conn, &number.to_string()))))
        .collect();
    let closing = {
        let db = db.clone();
        std::thread::spawn(move || db.close())
    };
    hold.release();
    for write in writes {
        block_on(write).unwrap();
    }
    closing.join().unwrap();
    assert_eq!(names(&db).len(), 5);
    let late = db.write_blocking(|conn| insert(conn, "late"));
    assert!(matches!(late, Err(Error::Unavailable(_))));
    let log = std::fs::metadata(place.path("roster.db-wal")).map_or(0, |file| file.len());
    assert_eq!(log, 0, "the log was merged into the file");
}

#[test]
fn a_database_that_another_process_holds_is_unavailable_and_comes_back() {
    use diesel::connection::SimpleConnection;

    let place = Place::embedded();
    let db = place.open();
    let mut other = diesel::SqliteConnection::establish(&place.url()).unwrap();
    other.batch_execute("BEGIN IMMEDIATE").unwrap();
    let refused = db.write_blocking(|conn| insert(conn, "Rust"));
    assert!(matches!(refused, Err(Error::Unavailable(_))), "{refused:?}");
    other.batch_execute("ROLLBACK").unwrap();
    add_skill(&db, "SQL");
    assert_eq!(names(&db), ["SQL"]);
}

#[test]
fn when_more_wait_than_can_be_read_in_time_new_ones_are_sent_away() {
    let place = Place::new();
    let target: Target = place.url().parse().unwrap();
    let db = Db::open_patient(
        &target,
        Readiness::CreateWhenNew,
        Patience {
            queue: Duration::from_millis(1),
            query: None,
        },
    )
    .unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let read = || {
            let db = db.clone();
            tokio::spawn(async move {
                db.read(|_| {
                    std::thread::sleep(Duration::from_millis(2));
                    Ok::<_, Error>(())
                })
                .await
            })
        };
        // Those who are there before anybody knows how long it takes, and some who come later.
        let mut reads: Vec<_> = (0..400).map(|_| read()).collect();
        while reads[..400].iter().any(|read| !read.is_finished()) {
            tokio::time::sleep(Duration::from_millis(1)).await;
            reads.push(read());
        }
        let (mut served, mut refused) = (0, 0);
        for read in reads {
            match read.await.unwrap() {
                Ok(()) => served += 1,
                Err(Error::Unavailable(reason)) => {
                    assert!(reason.contains("than it can serve in time"), "{reason}");
                    refused += 1;
                }
                Err(error) => panic!("{error}"),
            }
        }
        assert!(served > 0, "nobody was served");
        assert!(refused > 0, "nobody was sent away");
        assert_eq!(db.read(count).await.unwrap(), 0);
    });
}

#[test]
fn a_connection_that_keeps_very_many_statements_is_replaced() {
    use diesel::{connection::SimpleConnection as _, dsl::sql, sql_types::Integer};

    let place = Place::embedded();
    let db = place.open();
    // Each of these is another statement, which Diesel keeps.
    let ask = |length: i64| {
        db.read_blocking(move |conn| {
            let mut query = skills::table.select(skills::id).into_boxed();
            for id in 0..length {
                query = query.or_filter(skills::id.eq(id));
            }
            query.load::<i64>(conn)?;
            let timeout = sql::<Integer>("timeout FROM pragma_busy_timeout");
            Ok::<i32, Error>(diesel::select(timeout).get_result(conn)?)
        })
        .unwrap()
    };
    let mark = |conn: &mut DbConnection| {
        conn.batch_execute("PRAGMA busy_timeout = 1234")?;
        Ok::<_, Error>(())
    };
    db.read_blocking(mark).unwrap();
    assert_eq!(ask(1), 1234);
    assert_eq!(ask(1), 1234, "the connection was replaced too early");
    for length in 2..=600 {
        ask(length);
    }
    assert_ne!(ask(1), 1234, "it still keeps all of them");
}
