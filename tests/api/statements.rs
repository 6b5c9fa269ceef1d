//! Query counts: they are a promise, and do not grow with what is asked for.

use crate::support::App;

#[test]
fn a_list_of_developers_is_two_statements_whatever_its_size() {
    let app = App::sample();
    for size in [1, 2, 25, 99, 100] {
        let mut page = app.get("/api/");
        let count =
            app.statements(|| page = app.get(&format!("/api/developers/?page_size={size}")));
        assert_eq!((page.column("id").len(), count), (size, 2));
    }
    let count = |filters: &str| {
        app.statements(|| drop(app.get(&format!("/api/developers/?{filters}")).ok()))
    };
    assert_eq!(
        count("active=false&senior=true&company__name=Nokia&name__icontains=a"),
        2
    );
    // What is sought by a relation, a word or a recent login costs one bounded count more, to choose the way.
    assert_eq!(count("skill=Linux"), 3);
    assert_eq!(count("search=a"), 3);
    // All names are looked up in one statement, and none needs a page when there is nothing to show.
    let unknown = (0..100).map(|id| (1_000_000 + id).to_string());
    let unknown = unknown.collect::<Vec<_>>().join(",");
    assert_eq!(count(&format!("skills__any={unknown}")), 2);
    assert_eq!(count(&format!("skill=Linux&skills__min=99:{unknown}")), 2);
    assert_eq!(
        count("skill=Linux&skills__none=Haskell&skills__any=Linux,SQL&skills__min=1:Linux,Git"),
        3
    );
    assert_eq!(
        count("search=a+b&skill=Linux&skills__category=Database&active=true&senior=true"),
        7
    );
}

#[test]
fn so_is_a_page_behind_a_cursor() {
    let app = App::sample();
    let next = app.get("/api/developers/").ok()["next"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(app.statements(|| drop(app.get(&next).ok())), 2);
}

#[test]
fn a_detail_of_a_developer_is_two() {
    let app = App::sample();
    assert_eq!(
        app.statements(|| drop(app.get("/api/developers/7/").ok())),
        2
    );
}

#[test]
fn nested_lists_are_two_when_there_is_anything() {
    let app = App::sample();
    let company = app.get("/api/developers/7/").ok()["company"]["id"].clone();
    assert_eq!(
        app.statements(|| drop(
            app.get(&format!("/api/companies/{company}/developers/"))
                .ok()
        )),
        2
    );
    let skill = app.get("/api/developers/7/").ok()["skills"][0]["id"].clone();
    assert_eq!(
        app.statements(|| drop(app.get(&format!("/api/skills/{skill}/developers/")).ok())),
        2
    );
}

#[test]
fn the_others_are_one() {
    let app = App::sample();
    for path in [
        "/api/companies/",
        "/api/companies/1/",
        "/api/skills/",
        "/api/skills/1/",
    ] {
        assert_eq!(app.statements(|| drop(app.get(path).ok())), 1, "{path}");
    }
    assert_eq!(app.statements(|| drop(app.get("/api/").ok())), 0);
}

#[test]
fn to_know_who_asks_is_one_more() {
    let app = App::sample();
    let staff = app.staff("boss");
    let count = |path: &str| app.statements(|| drop(staff.get(path).ok()));
    assert_eq!(
        (count("/api/companies/1/"), count("/api/developers/")),
        (2, 3)
    );
    assert_eq!((count("/api/"), count("/api/users/me/")), (1, 2));
}

#[test]
fn a_name_that_is_nobodys_costs_what_anybodys_costs() {
    let app = App::new();
    app.user("ada");
    let count = |username: &str| {
        let body = serde_json::json!({"username": username, "password": "wrong"});
        app.statements(|| drop(app.anonymous().post("/api/token/", &body).refused(401)))
    };
    assert_eq!(count("ada"), count("nobody"));
}

#[test]
fn an_error_of_the_parameters_reaches_no_database() {
    let app = App::sample();
    for path in [
        "/api/developers/?colour=red",
        "/api/developers/?cursor=x",
        "/api/developers/0/",
    ] {
        assert_eq!(app.statements(|| drop(app.get(path))), 0, "{path}");
    }
}
