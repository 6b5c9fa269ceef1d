//! Doors that no longer lead to the database that was opened, or to nobody who could write: nothing is acknowledged then.

use std::{
    fs,
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use diesel::{
    connection::{SimpleConnection as _, TransactionManager as _},
    dsl::sql,
    prelude::*,
    sql_types::Integer,
};
use roster::{
    db::{Db, DbConnection, Error, Readiness, schema::skills},
    models::SkillDraft,
};

use crate::support::{Place, add_skill};

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

fn ready(db: &Db) -> Result<(), String> {
    runtime()
        .block_on(db.ready())
        .map_err(|error| error.to_string())
}

fn insert(db: &Db) -> Result<(), Error> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let skill = SkillDraft {
        name: format!("skill {}", NEXT.fetch_add(1, Ordering::Relaxed)),
        category: "Tool".to_owned(),
    };
    db.write_blocking(move |conn| Ok(skill.insert(conn, None).map(|_| ())?))
}

fn count(db: &Db) -> i64 {
    db.read_blocking(|conn| Ok::<_, Error>(skills::table.count().get_result(conn)?))
        .unwrap()
}

/// Waits for what happens within seconds, however busy the machine is.
fn eventually(mut happens: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !happens() {
        assert!(begun.elapsed() < Duration::from_mins(1), "it never happens");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn nothing_is_written_into_files_that_are_not_in_their_places() {
    for suffix in ["", "-wal", "-shm"] {
        let place = Place::embedded();
        let db = place.open();
        add_skill(&db, "Rust");
        let (path, away) = (format!("{}{suffix}", place.url()), place.path("away"));

        fs::rename(&path, &away).unwrap();
        let refused = insert(&db).unwrap_err();
        assert!(matches!(refused, Error::Lost(_)), "{suffix}: {refused}");
        let reason = ready(&db).unwrap_err();
        assert!(reason.contains(" is gone: "), "{suffix}: {reason}");
        assert!(!reason.contains(&place.path("")), "{reason}");

        // The same bytes, and yet another file.
        fs::copy(&away, &path).unwrap();
        assert!(matches!(insert(&db), Err(Error::Lost(_))), "{suffix}");
        let reason = ready(&db).unwrap_err();
        assert!(reason.contains(" was replaced "), "{suffix}: {reason}");
        assert_eq!(count(&db), 1, "{suffix}: what is there is read");

        fs::rename(&away, &path).unwrap();
        insert(&db).unwrap();
        ready(&db).unwrap();
        assert_eq!(count(&db), 2, "{suffix}");
    }
}

#[test]
fn nothing_is_written_when_the_folder_is_gone() {
    let place = Place::embedded();
    let folder = place.path("folder");
    fs::create_dir(&folder).unwrap();
    let target = format!("{folder}/roster.db").parse().unwrap();
    let db = Db::open(&target, Readiness::CreateWhenNew).unwrap();
    insert(&db).unwrap();
    fs::rename(&folder, place.path("elsewhere")).unwrap();
    assert!(matches!(insert(&db), Err(Error::Lost(_))));
    fs::remove_dir_all(place.path("elsewhere")).unwrap();
    assert!(matches!(insert(&db), Err(Error::Lost(_))));
    assert!(ready(&db).is_err());
}

#[test]
fn an_old_server_does_not_write_into_what_a_newer_one_has_migrated() {
    let place = Place::new();
    let db = place.open();
    insert(&db).unwrap();
    let mut other = DbConnection::connect(&place.url().parse().unwrap()).unwrap();
    other
        .batch_execute("INSERT INTO __diesel_schema_migrations (version) VALUES ('29991231000000')")
        .unwrap();
    let reason = ready(&db).unwrap_err();
    assert!(reason.contains("a newer roster"), "{reason}");
    assert!(!reason.contains(&place.path("")), "{reason}");
    // It is looked at once a second.
    std::thread::sleep(Duration::from_millis(1_100));
    for _ in 0..2 {
        let refused = insert(&db).unwrap_err();
        assert!(matches!(refused, Error::Lost(_)), "{refused}");
    }
    assert_eq!(count(&db), 1);

    other
        .batch_execute("DELETE FROM __diesel_schema_migrations WHERE version = '29991231000000'")
        .unwrap();
    ready(&db).unwrap();
    add_skill(&db, "another");
    assert_eq!(count(&db), 2);
}

/// Makes Diesel lose count of the transactions, as a connection that breaks in the middle of one does.
fn break_connection(db: &Db) {
    let broken = db.write_blocking(|conn| {
        type Manager = <DbConnection as Connection>::TransactionManager;
        Manager::transaction_manager_status_mut(conn).set_in_error();
        Ok::<_, Error>(())
    });
    assert!(matches!(broken, Err(Error::Unavailable(_))), "{broken:?}");
}

#[test]
fn a_connection_that_breaks_is_replaced() {
    let place = Place::new();
    let db = place.open();
    for number in 0..10 {
        break_connection(&db);
        add_skill(&db, &number.to_string());
        ready(&db).unwrap();
    }
    assert_eq!(count(&db), 10);
}

#[test]
fn a_writer_without_a_connection_is_not_ready_until_it_has_one() {
    let place = Place::embedded();
    let db = place.open();
    let (path, away) = (place.url(), place.path("away"));
    fs::rename(&path, &away).unwrap();
    break_connection(&db);
    assert_eq!(
        ready(&db).unwrap_err(),
        "the writer has no connection that works"
    );
    assert!(matches!(insert(&db), Err(Error::Unavailable(_))));
    fs::rename(&away, &path).unwrap();
    // It tries again by itself: nobody sends writes to a server that is not ready.
    eventually(|| ready(&db).is_ok());
    insert(&db).unwrap();
}

#[test]
fn a_server_that_closes_is_not_ready() {
    let place = Place::embedded();
    let db = place.open();
    ready(&db).unwrap();
    db.close();
    assert_eq!(ready(&db).unwrap_err(), "the database is being closed");
}

struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("of the test's own");
    }
}

#[test]
fn a_result_that_panics_when_nobody_waits_for_it_harms_nobody() {
    let place = Place::embedded();
    let db = place.open();
    {
        let write = db.write(|_| Ok::<_, Error>(Bomb));
        let mut write = Box::pin(write);
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        // It is queued when it is polled; the answer may be there at once.
        if let std::task::Poll::Ready(bomb) = write.as_mut().poll(&mut context) {
            std::mem::forget(bomb);
        }
    }
    insert(&db).unwrap();
    ready(&db).unwrap();
}

#[test]
fn a_glance_waits_for_no_lock_and_goes_where_it_may_wait_when_it_must() {
    let place = Place::embedded();
    let db = place.open();
    let glanced = runtime().block_on(db.glance(|conn| match patience(conn)? {
        0 => Err(Error::Unavailable("database is locked".to_owned())),
        patience => Ok(patience),
    }));
    assert_eq!(glanced.unwrap(), 5_000);
    assert_eq!(runtime().block_on(db.glance(patience)).unwrap(), 0);
}

/// How long a statement of the connection waits for a lock, in milliseconds.
fn patience(conn: &mut DbConnection) -> Result<i32, Error> {
    let timeout = sql::<Integer>("timeout FROM pragma_busy_timeout");
    match conn {
        DbConnection::Sqlite(conn) => Ok(diesel::select(timeout).get_result(conn)?),
        #[cfg(feature = "postgres")]
        DbConnection::Postgres(_) => unreachable!(),
    }
}

/// While writes hold every connection and others wait for one, a read finds a thread.
#[test]
fn writes_that_wait_hold_no_thread() {
    let place = Place::new();
    let db = place.open();
    let connections = usize::try_from(roster::db::readers()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(connections + 1)
        .build()
        .unwrap();
    runtime.block_on(async {
        let (release, released) = std::sync::mpsc::channel::<()>();
        let released = std::sync::Arc::new(std::sync::Mutex::new(released));
        let writes: Vec<_> = (0..connections + 20)
            .map(|_| {
                let (db, released) = (db.clone(), released.clone());
                tokio::spawn(async move {
                    db.write(move |_| {
                        let _ = released.lock().map(|released| released.recv());
                        Ok::<_, Error>(())
                    })
                    .await
                })
            })
            .collect();
        // Each of them gets as far as it can.
        tokio::time::sleep(Duration::from_millis(200)).await;
        let read = db.read(|_| Ok::<_, Error>(()));
        let read = tokio::time::timeout(Duration::from_secs(20), read).await;
        drop(release);
        read.unwrap().unwrap();
        for write in writes {
            let _ = write.await.unwrap();
        }
    });
}

#[cfg(feature = "postgres")]
#[test]
fn connections_that_the_server_of_databases_has_closed_are_replaced() {
    let place = Place::new();
    if !place.url().starts_with("postgres") {
        return;
    }
    let name = format!("roster_closed_{}", std::process::id());
    let target = format!("{}&application_name={name}", place.url());
    let db = Db::open(&target.parse().unwrap(), Readiness::CreateWhenNew).unwrap();
    add_skill(&db, "before");
    let mut other = DbConnection::connect(&place.url().parse().unwrap()).unwrap();
    let mut close = || {
        other
            .batch_execute(&format!(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '{name}'"
            ))
            .unwrap();
    };
    let runtime = runtime();
    for number in 0..5 {
        close();
        add_skill(&db, &number.to_string());
        close();
        let glance = db.glance(|conn| Ok::<i64, Error>(skills::table.count().get_result(conn)?));
        assert_eq!(runtime.block_on(glance).unwrap(), number + 2);
        close();
        assert_eq!(count(&db), number + 2);
    }
}
