//! How SQLite goes about the lists: by an index that holds their order, without a sort and without reading a table from end
//! to end.

use std::sync::{Arc, Mutex};

use diesel::{
    Connection as _, QueryDsl as _, QueryableByName, RunQueryDsl as _,
    connection::InstrumentationEvent,
    dsl::sql,
    sql_types::{Bool, Text},
};
use roster::{
    db::{Access, DbConnection, Readiness, Stamp, prepare},
    models::{Company, Developer, DeveloperQuery, DeveloperScopes, Skill},
    query::{Condition, Cursor, Listed, Lookup, Name, Order, Value, Window},
};

use crate::support::{Place, roster};

/// What the build asks of SQLite has come to it: a statement is not parsed again for each value that is bound, and connections share
/// neither a lock nor what needs one.
#[test]
fn sqlite_is_compiled_as_the_build_asks() {
    let place = Place::embedded();
    let mut conn = prepare(&place.url().parse().unwrap(), Readiness::CreateWhenNew).unwrap();
    let mut is_compiled_with = |option: &str| {
        let used = sql::<Bool>(&format!("sqlite_compileoption_used('{option}')"));
        diesel::select(used).get_result::<bool>(&mut conn).unwrap()
    };
    for option in ["ENABLE_QPSG", "THREADSAFE=2", "DEFAULT_MEMSTATUS=0"] {
        assert!(is_compiled_with(option), "{option}");
    }
    assert!(!is_compiled_with("ENABLE_MEMORY_MANAGEMENT"));
}

struct Planner {
    conn: DbConnection,
    statements: Arc<Mutex<Vec<String>>>,
    /// The last statement that was planned.
    last: String,
    _place: Place,
}

#[derive(QueryableByName)]
struct Step {
    #[diesel(sql_type = Text)]
    detail: String,
}

impl Planner {
    /// On the sample directory, with the statistics that an import leaves.
    fn new() -> Self {
        let place = Place::embedded();
        let folder = format!("{}/src/demo", env!("CARGO_MANIFEST_DIR"));
        roster(&["import", &folder, "--database-url", &place.url()]).ok();
        let mut conn = prepare(&place.url().parse().unwrap(), Readiness::MustExist).unwrap();
        conn.settle(Access::Read).unwrap();
        let statements = Arc::new(Mutex::new(Vec::new()));
        let log = statements.clone();
        conn.set_instrumentation(move |event: InstrumentationEvent<'_>| {
            if let InstrumentationEvent::StartQuery { query, .. } = event {
                log.lock().unwrap().push(query.to_string());
            }
        });
        Self {
            conn,
            statements,
            last: String::new(),
            _place: place,
        }
    }

    /// The steps of the last statement that `work` runs.
    fn plan(&mut self, work: impl FnOnce(&mut DbConnection)) -> String {
        work(&mut self.conn);
        let logged = self.statements.lock().unwrap().pop().unwrap();
        let sql = logged.split(" -- binds:").next().unwrap();
        sql.clone_into(&mut self.last);
        let explain = diesel::sql_query(format!("EXPLAIN QUERY PLAN {sql}"));
        let steps: Vec<Step> = match &mut self.conn {
            DbConnection::Sqlite(conn) => explain.load(conn).unwrap(),
            #[cfg(feature = "postgres")]
            DbConnection::Postgres(_) => panic!("the plans are SQLite's"),
        };
        steps
            .into_iter()
            .map(|step| step.detail + " ")
            .collect::<Vec<_>>()
            .join("; ")
    }

    /// The plans of a list's first page, of a page behind a cursor, and of one before it.
    fn pages<M: Listed>(
        &mut self,
        ordering: &str,
        place: &[Value],
        query: impl Fn() -> M::Query,
    ) -> Vec<String> {
        let cursors = [None, Some(false), Some(true)];
        cursors
            .map(|backward| {
                let cursor = backward.map(|backward| Cursor {
                    backward,
                    inclusive: false,
                    place: place.to_vec(),
                });
                let window: Window<M> = Window {
                    order: Order::parse(ordering).unwrap(),
                    cursor,
                    size: 25,
                };
                self.plan(|conn| drop(window.cut(conn, query()).unwrap()))
            })
            .into()
    }
}

fn time() -> Value {
    Value::Time(Stamp::parse("2024-01-01T00:00:00Z").unwrap())
}

#[test]
fn every_order_is_a_range_of_an_index() {
    let mut planner = Planner::new();
    let text = || Value::Text("K".to_owned());
    let check = |plans: Vec<String>, table: &str, index: &str| {
        for (number, plan) in plans.iter().enumerate() {
            assert!(!plan.contains("TEMP B-TREE"), "{index}: {plan}");
            // The first page begins at an end of the index; the others are sought in it.
            let sought = format!("SEARCH {table} USING {index}");
            let walked = [
                format!("SCAN {table} USING {index}"),
                format!("SCAN {table} "),
            ];
            assert!(
                plan.contains(&sought)
                    || number == 0 && walked.iter().any(|walk| plan.contains(walk)),
                "{index}: {plan}"
            );
        }
    };
    for sign in ["", "-"] {
        let last_login = if sign.is_empty() {
            "INDEX developers_last_login "
        } else {
            "INDEX developers_last_login_desc"
        };
        for (field, value, index) in [
            ("id", None, "INTEGER PRIMARY KEY"),
            ("name", Some(text()), "INDEX developers_name "),
            (
                "years_experience",
                Some(Value::Int(5)),
                "INDEX developers_years_experience",
            ),
            ("last_login", Some(time()), last_login),
            ("created_at", Some(time()), "INDEX developers_created_at"),
            ("updated_at", Some(time()), "INDEX developers_updated_at"),
        ] {
            let place: Vec<Value> = value.into_iter().chain([Value::Int(7)]).collect();
            let plans =
                planner.pages::<Developer>(&format!("{sign}{field}"), &place, Developer::all);
            check(plans, "developers", index);
        }
        for (field, value, index) in [
            ("name", text(), "INDEX companies_name "),
            (
                "founded_year",
                Value::Int(1999),
                "INDEX companies_founded_year",
            ),
            ("created_at", time(), "INDEX companies_created_at"),
            ("updated_at", time(), "INDEX companies_updated_at"),
        ] {
            let plans = planner.pages::<Company>(
                &format!("{sign}{field}"),
                &[value, Value::Int(7)],
                Company::all,
            );
            check(plans, "companies", index);
        }
        for (field, index) in [
            ("name", "INDEX skills_name "),
            ("category", "INDEX skills_category "),
        ] {
            let plans = planner.pages::<Skill>(
                &format!("{sign}{field}"),
                &[text(), Value::Int(7)],
                Skill::all,
            );
            check(plans, "skills", index);
        }
    }
}

#[test]
fn named_filters_walk_the_order_of_the_list() {
    let mut planner = Planner::new();
    let now = Stamp::now();
    let queries: [&dyn Fn() -> DeveloperQuery; 5] = [
        &|| Developer::all().senior(),
        &|| Developer::all().active(now),
        &|| Developer::all().inactive(now),
        &|| Developer::all().by_skill("Rust"),
        &|| {
            Developer::all()
                .by_skill("Rust")
                .by_skill("SQL")
                .senior()
                .active(now)
        },
    ];
    for query in queries {
        for plan in planner.pages::<Developer>("-created_at", &[time(), Value::Int(7)], query) {
            assert!(
                plan.contains("developers USING INDEX developers_created_at"),
                "{plan}"
            );
            assert!(!plan.contains("TEMP B-TREE"), "{plan}");
        }
    }
    let of_company = planner.pages::<Developer>("-created_at", &[time(), Value::Int(7)], || {
        Developer::all().of_company(7)
    });
    assert!(
        of_company
            .iter()
            .all(|plan| plan.contains("INDEX developers_company_id")
                && !plan.contains("TEMP B-TREE"))
    );
}

#[test]
fn what_few_rows_hold_is_found_by_its_own_index() {
    let mut planner = Planner::new();
    // Nobody has this skill, and no word begins so.
    let skill = || roster::models::Reference::Name("nobody's".to_owned());
    let plan = planner.plan(|conn| {
        let condition = Developer::has(skill()).settled(conn).unwrap();
        drop(
            Developer::all()
                .filter(condition.of())
                .load::<Developer>(conn)
                .unwrap(),
        );
    });
    assert!(
        plan.contains("SEARCH developers USING INTEGER PRIMARY KEY"),
        "{plan}"
    );
    assert!(!plan.contains("SCAN developers"), "{plan}");
    let plan = planner.plan(|conn| {
        let condition = (Developer::HAS_WORD.unwrap())("zzz").settled(conn).unwrap();
        drop(
            Developer::all()
                .filter(condition.of())
                .load::<Developer>(conn)
                .unwrap(),
        );
    });
    assert!(
        plan.contains("SEARCH developers USING INTEGER PRIMARY KEY"),
        "{plan}"
    );
    assert!(plan.contains("developers_search VIRTUAL TABLE"), "{plan}");
}

/// The plan of all developers of whom this holds, in the list's order.
fn plan_of(planner: &mut Planner, condition: Condition) -> String {
    planner.plan(|conn| {
        let condition = condition.settled(conn).unwrap();
        let window: Window<Developer> = Window {
            order: Order::default_of_list(),
            cursor: None,
            size: 25,
        };
        drop(
            window
                .cut(conn, Developer::all().filter(condition.of()))
                .unwrap(),
        );
    })
}

fn names(names: &[&str]) -> Vec<Name> {
    names.iter().map(|name| Name::read(name)).collect()
}

#[test]
fn a_set_of_skills_is_one_sub_select_whatever_its_size() {
    let mut planner = Planner::new();
    let ids = || (1..=500).map(Name::Id).collect::<Vec<_>>();
    let common = || names(&["Linux", "SQL", "Git"]);
    // Few have them: from their links.
    for condition in [
        Developer::has_all([names(&["Linux", "Haskell"]), common()].concat()),
        Developer::has_at_least(1, names(&["Haskell"])),
        Developer::has_at_least(3, common()),
    ] {
        let plan = plan_of(&mut planner, condition);
        assert!(
            plan.contains("SEARCH developers USING INTEGER PRIMARY KEY"),
            "{plan}"
        );
        assert!(!plan.contains("SCAN developers"), "{plan}");
    }
    // Many have them, or few do not: on the way.
    for condition in [
        Developer::has_at_least(1, ids()),
        Developer::has_at_least(2, ids()),
        Developer::has_none(ids()),
        Developer::has_none(common()),
        Condition::All(
            (1..=100)
                .map(|id| Developer::has_none(vec![Name::Id(id)]))
                .collect(),
        ),
    ] {
        let plan = plan_of(&mut planner, condition);
        assert!(
            plan.contains("developers USING INDEX developers_created_at"),
            "{plan}"
        );
        assert!(!plan.contains("TEMP B-TREE"), "{plan}");
        assert_eq!(plan.matches("developer_skills").count(), 1, "{plan}");
    }
}

#[test]
fn what_nobody_has_is_sought_nowhere() {
    let mut planner = Planner::new();
    let unknown = |count: i64| {
        (0..count)
            .map(|id| Name::Id(1_000_000 + id))
            .collect::<Vec<_>>()
    };
    for condition in [
        Developer::has_at_least(1, unknown(100)),
        Developer::has_all([names(&["Linux"]), unknown(1)].concat()),
        Developer::has_at_least(2, [names(&["Linux"]), unknown(98)].concat()),
        Condition::All(vec![
            Developer::has_none(names(&["Linux"])),
            Developer::has_at_least(1, names(&["nobody's"])),
        ]),
    ] {
        plan_of(&mut planner, condition);
        let logged = planner.last.clone();
        assert!(
            logged.contains("1 = 0") && !logged.contains("developer_skills"),
            "{logged}"
        );
    }
    // And nothing is asked of whoever lacks what there is not.
    plan_of(&mut planner, Developer::has_none(unknown(100)));
    assert!(
        !planner.last.contains("developer_skills"),
        "{}",
        planner.last
    );
}

#[test]
fn objects_behind_a_relation_are_found_once_and_not_once_a_row() {
    let mut planner = Planner::new();
    let condition = |lookup, text| {
        let field = Developer::FIELDS
            .iter()
            .find(|field| field.name == "skills__category");
        field.unwrap().condition(lookup, text).unwrap()
    };
    for (lookup, text) in [(Lookup::Icontains, "a"), (Lookup::Istartswith, "z")] {
        let plan = plan_of(&mut planner, condition(lookup, text));
        let once = plan
            .find("LIST SUBQUERY")
            .unwrap_or_else(|| panic!("{plan}"));
        assert!(plan[once..].contains("skills"), "{plan}");
        assert!(!plan[..once].contains(" skills"), "{plan}");
    }
}

#[test]
fn a_company_that_is_named_is_walked_as_one_that_is_numbered() {
    let mut planner = Planner::new();
    let field = Developer::FIELDS
        .iter()
        .find(|field| field.name == "company");
    for company in ["Nokia", "1"] {
        let condition = field.unwrap().condition(Lookup::Exact, company).unwrap();
        let plan = plan_of(&mut planner, condition);
        assert!(
            plan.contains("INDEX developers_company_id") && !plan.contains("TEMP B-TREE"),
            "{plan}"
        );
    }
}

#[test]
fn a_company_that_is_not_shown_is_not_joined() {
    let mut planner = Planner::new();
    let with = planner.pages::<Developer>("-created_at", &[time(), Value::Int(7)], Developer::all);
    assert!(
        with.iter().all(|plan| plan.contains("companies")),
        "{with:?}"
    );
    let without = planner.pages::<Developer>(
        "-created_at",
        &[time(), Value::Int(7)],
        Developer::all_without_company,
    );
    assert!(
        without.iter().all(|plan| !plan.contains("companies")),
        "{without:?}"
    );
}
