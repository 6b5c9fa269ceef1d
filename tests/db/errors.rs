//! What the engines' errors are taken for, in whatever language a server has its messages.

use roster::{
    db::{Error, Stamp},
    models::{CompanyDraft, DeveloperDraft},
};

use crate::support::{Place, add_company};

#[test]
fn a_value_that_another_row_has_is_told_by_its_column() {
    let place = Place::new();
    let db = place.open();
    add_company(&db, "Acme", "2026-01-01T00:00:00Z");
    let company = CompanyDraft {
        name: "ACME".to_owned(),
        founded_year: 1999,
        ..CompanyDraft::new(Stamp::now())
    };
    let refused = db.write_blocking(move |conn| Ok::<_, Error>(company.insert(conn, None)?));
    assert!(
        matches!(&refused, Err(Error::Taken { table, column }) if table == "companies" && column == "name_key"),
        "{refused:?}"
    );
}

#[test]
fn a_reference_to_nothing_is_told_by_its_column_where_others_write_meanwhile() {
    let place = Place::new();
    let db = place.open();
    let developer = DeveloperDraft {
        name: "Ada".to_owned(),
        company_id: 77,
        ..DeveloperDraft::new(Stamp::now())
    };
    let alone = db.read_blocking(|conn| Ok::<_, Error>(conn.writes_alone()));
    let refused = db.write_blocking(move |conn| Ok::<_, Error>(developer.insert(conn, None)?));
    match refused {
        // Nobody can have taken the row away between the look and the insert.
        Err(Error::Query(_)) => assert!(alone.unwrap()),
        Err(Error::Gone { column, id }) => assert_eq!((&*column, &*id), ("company_id", "77")),
        other => panic!("{other:?}"),
    }
}

/// PostgreSQL refuses one of two transactions that wait for one another: the same request may succeed later.
#[cfg(feature = "postgres")]
#[test]
fn a_deadlock_is_unavailable() {
    use std::sync::{Arc, Barrier};

    let place = Place::new();
    let db = place.open();
    if db
        .read_blocking(|conn| Ok::<_, Error>(conn.writes_alone()))
        .unwrap()
    {
        return;
    }
    let ids = ["Acme", "Globex"].map(|name| add_company(&db, name, "2026-01-01T00:00:00Z"));
    let both = Arc::new(Barrier::new(2));
    let threads = [[ids[0], ids[1]], [ids[1], ids[0]]].map(|[first, second]| {
        let (db, both) = (db.clone(), both.clone());
        std::thread::spawn(move || {
            db.write_blocking(move |conn| {
                conn.hold("companies", first)?;
                both.wait();
                conn.hold("companies", second)?;
                Ok::<_, Error>(())
            })
        })
    });
    let results = threads.map(|thread| thread.join().unwrap());
    let refused: Vec<_> = results
        .iter()
        .filter_map(|result| result.as_ref().err())
        .collect();
    assert!(
        matches!(refused[..], [Error::Unavailable(_)]),
        "{refused:?}"
    );
}
