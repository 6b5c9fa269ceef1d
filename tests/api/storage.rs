//! A disk that is full: 503 for what would be written, answers for what is read, and all well when there is room again.

use diesel::{connection::SimpleConnection as _, prelude::*};
use roster::db::{Db, DbConnection, Error};
use serde_json::json;

use crate::support::App;

/// Lets the file of an embedded database grow by no more than `pages`, or as it likes.
fn limit(db: &Db, pages: Option<i64>) -> bool {
    let set = move |conn: &mut DbConnection| match conn {
        DbConnection::Sqlite(conn) => {
            let count =
                diesel::dsl::sql::<diesel::sql_types::BigInt>("page_count FROM pragma_page_count");
            let count: i64 = diesel::select(count).get_result(conn)?;
            let most = pages.map_or(1 << 30, |pages| count + pages);
            conn.batch_execute(&format!("PRAGMA max_page_count = {most}"))?;
            Ok::<_, Error>(true)
        }
        #[cfg(feature = "postgres")]
        DbConnection::Postgres(_) => Ok(false),
    };
    db.write_blocking(set).unwrap()
}

#[test]
fn a_full_disk_refuses_writes_and_nothing_else() {
    let app = App::new();
    let boss = app.staff("boss");
    boss.post("/api/skills/", &json!({"name": "Rust", "category": "Tool"}))
        .created();
    // Only the embedded engine's file can be limited from here.
    if !limit(&app.db, Some(2)) {
        return;
    }
    let before = boss.get("/api/skills/").names();
    let many: Vec<_> = (0..500)
        .map(|number| json!({"name": format!("skill {number}"), "category": "Tool"}))
        .collect();
    for _ in 0..3 {
        let answer = boss.post("/api/skills/", &json!(many));
        assert_eq!(answer.header("retry-after"), Some("1"));
        assert_eq!(answer.refused(503)["code"], "unavailable");
        assert_eq!(
            boss.get("/api/skills/").names(),
            before,
            "nothing of it is there, and reads go on"
        );
    }
    // Small ones fit until there is no page left either; many at once share a group, and all of it is refused or none.
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..8)
            .map(|writer| {
                let boss = &boss;
                scope.spawn(move || {
                    let post = |number: usize| {
                        let body = json!({"name": format!("{writer} {number}"), "description": "x ".repeat(3_000)});
                        boss.post("/api/projects/", &body).status
                    };
                    (0..4).map(post).collect::<Vec<_>>()
                })
            })
            .collect();
        writers
            .into_iter()
            .flat_map(|writer| writer.join().unwrap())
            .collect()
    });
    assert!(
        statuses.iter().all(|status| [201, 503].contains(status)),
        "{statuses:?}"
    );
    assert!(statuses.contains(&503), "{statuses:?}");
    let made = statuses.iter().filter(|status| **status == 201).count();
    assert_eq!(boss.get("/api/projects/?page_size=100").names().len(), made);
    assert_eq!(
        boss.get("/api/audit/?object_type=project&page_size=100")
            .column("id")
            .len(),
        made
    );

    limit(&app.db, None);
    boss.post("/api/skills/", &json!(many)).created();
    boss.post("/api/projects/", &json!({"name": "Engine"}))
        .created();
}
