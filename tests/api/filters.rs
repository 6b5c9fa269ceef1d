//! Filters and orders: what each list takes, and what it refuses.

use serde_json::{Value, json};

use crate::support::{App, Dev, add_company, add_skill, stamp};

fn names(app: &App, path: &str) -> Vec<String> {
    app.get(path).names()
}

fn refusal(app: &App, path: &str) -> Value {
    let answer = app.get(path);
    assert_eq!(answer.status, 400, "{path}: {}", answer.body);
    answer.json()
}

fn directory() -> App {
    let app = App::new();
    let acme = add_company(&app.db, "Acme", "2020-01-01T00:00:00Z");
    let zeta = add_company(&app.db, "Zeta", "2021-01-01T00:00:00Z");
    let (rust, sql, c) = (
        add_skill(&app.db, "Rust"),
        add_skill(&app.db, "SQL"),
        add_skill(&app.db, "C++"),
    );
    let login = Some(stamp("2026-05-01T12:00:00Z"));
    Dev {
        years: 3,
        skills: &[rust],
        last_login: login,
        ..Dev::new("Ada", acme)
    }
    .add(&app.db);
    Dev {
        years: 7,
        skills: &[rust, sql],
        ..Dev::new("Bob", acme)
    }
    .add(&app.db);
    Dev {
        years: 7,
        skills: &[rust, sql, c],
        ..Dev::new("Éva", zeta)
    }
    .add(&app.db);
    Dev {
        years: 0,
        ..Dev::new("Dan", zeta)
    }
    .add(&app.db);
    app
}

#[test]
fn companies_and_skills_are_filtered_and_ordered() {
    let app = directory();
    assert_eq!(names(&app, "/api/companies/?name=Acme"), ["Acme"]);
    assert_eq!(names(&app, "/api/companies/?name=acme"), [""; 0]);
    assert_eq!(names(&app, "/api/companies/?name__icontains=ET"), ["Zeta"]);
    assert_eq!(
        names(&app, "/api/companies/?founded_year=1999&ordering=-name"),
        ["Zeta", "Acme"]
    );
    assert_eq!(
        names(&app, "/api/companies/?founded_year__gt=1999"),
        [""; 0]
    );
    assert_eq!(names(&app, "/api/companies/?ordering=id"), ["Acme", "Zeta"]);
    assert_eq!(
        names(&app, "/api/companies/?ordering=founded_year"),
        ["Acme", "Zeta"]
    );
    assert_eq!(
        names(&app, "/api/companies/?ordering=-founded_year"),
        ["Zeta", "Acme"]
    );
    assert_eq!(
        names(&app, "/api/companies/?ordering=created_at"),
        ["Acme", "Zeta"]
    );
    assert_eq!(names(&app, "/api/skills/?name__istartswith=r"), ["Rust"]);
    assert_eq!(
        names(&app, "/api/skills/?category=Tool&ordering=-id"),
        ["C++", "SQL", "Rust"]
    );
    assert_eq!(
        names(
            &app,
            "/api/skills/?category__in=Tool,Toy&ordering=category,-name"
        ),
        ["SQL", "Rust", "C++"]
    );
}

#[test]
fn developers_are_filtered_across_relations() {
    let app = directory();
    let dev = |query: &str| names(&app, &format!("/api/developers/?ordering=id&{query}"));
    assert_eq!(dev("company__name__istartswith=AC"), ["Ada", "Bob"]);
    assert_eq!(
        dev("company__founded_year__lte=1999&name__icontains=%C3%89"),
        ["Éva"]
    );
    assert_eq!(dev("skills__name=SQL"), ["Bob", "Éva"]);
    assert_eq!(dev("skills__category=Tool"), ["Ada", "Bob", "Éva"]);
    assert_eq!(dev("skills__name=SQL&skills__name=C%2B%2B"), ["Éva"]);
    assert_eq!(dev("skills__isnull=true"), ["Dan"]);
    assert_eq!(dev("last_login__isnull=false"), ["Ada"]);
    assert_eq!(dev("last_login__gte=2026-05-01T14:00:00%2B02:00"), ["Ada"]);
    assert_eq!(dev("last_login__gt=2026-05-01"), ["Ada"]);
    assert_eq!(dev("years_experience__in=3,0"), ["Ada", "Dan"]);
    assert_eq!(
        dev("years_experience__gte=3&years_experience__lt=7"),
        ["Ada"]
    );
    let id = app.get("/api/skills/?name=SQL").column("id")[0].clone();
    assert_eq!(dev(&format!("skills={id}")), ["Bob", "Éva"]);
    let id = app.get("/api/companies/?name=Zeta").column("id")[0].clone();
    assert_eq!(dev(&format!("company={id}")), ["Éva", "Dan"]);
}

#[test]
fn a_relation_to_many_neither_repeats_a_row_nor_hides_one() {
    let app = directory();
    assert_eq!(
        names(
            &app,
            "/api/developers/?skills__category__icontains=o&ordering=id"
        ),
        ["Ada", "Bob", "Éva"]
    );
    let page = app
        .get("/api/developers/?skills__category=Tool&ordering=id&page_size=2")
        .ok();
    assert_eq!(page["results"].as_array().unwrap().len(), 2);
    assert_eq!(names(&app, page["next"].as_str().unwrap()), ["Éva"]);
}

#[test]
fn skills_by_set() {
    let app = directory();
    let dev = |query: &str| names(&app, &format!("/api/developers/?ordering=id&{query}"));
    let rust = app.get("/api/skills/?name=Rust").column("id")[0].clone();
    assert_eq!(dev("skills__all=rust,SQL"), ["Bob", "Éva"]);
    assert_eq!(dev(&format!("skills__all={rust},c%2B%2B")), ["Éva"]);
    assert_eq!(dev("skills__any=SQL,Cobol"), ["Bob", "Éva"]);
    assert_eq!(dev("skills__none=SQL"), ["Ada", "Dan"]);
    assert_eq!(dev("skills__min=2:Rust,SQL,C%2B%2B"), ["Bob", "Éva"]);
    assert_eq!(dev(&format!("skills__min=2:Rust,{rust}")), [""; 0]);
    for wrong in ["2", "x:Rust", "0:Rust", ":Rust", "2:", "-1:Rust"] {
        let body = refusal(&app, &format!("/api/developers/?skills__min={wrong}"));
        assert_eq!(
            body,
            json!({"skills__min": ["Enter a number, a colon and skills, such as 2:Rust,SQL,Docker."]})
        );
    }
    for name in ["skills__all", "skills__any", "skills__none"] {
        let body = refusal(&app, &format!("/api/developers/?{name}=Rust,,SQL"));
        assert_eq!(
            body,
            json!({name: ["Enter up to 100 names or ids of skills, with commas between them."]})
        );
    }
}

#[test]
fn values_that_do_not_fit_are_400_under_their_parameter() {
    let app = directory();
    let number = "A valid integer is required.";
    let time = "Datetime has wrong format. Use one of these formats instead: \
                YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z].";
    let boolean = "Must be a valid boolean.";
    for (name, value, message) in [
        ("years_experience__gte", "x", number),
        ("years_experience", "", number),
        ("years_experience", "1.0", number),
        ("years_experience__in", "1,,2", number),
        ("years_experience__in", "", number),
        ("skills", "Rust", number),
        ("company__founded_year__lt", "%00", number),
        ("created_at", "yesterday", time),
        ("created_at__lt", "", time),
        ("last_login__in", "2026-01-01T00:00:00Z,", time),
        ("last_login__isnull", "", boolean),
        ("last_login__isnull", "1", boolean),
        ("name", "%00", "Null characters are not allowed."),
        (
            "name__icontains",
            "a%00",
            "Null characters are not allowed.",
        ),
        (
            "skills__name__in",
            "a,%00",
            "Null characters are not allowed.",
        ),
        (
            "ordering",
            "colour",
            "Select a valid choice. colour is not one of the available choices.",
        ),
        (
            "ordering",
            "name,-colour",
            "Select a valid choice. -colour is not one of the available choices.",
        ),
        (
            "ordering",
            "company__name",
            "Select a valid choice. company__name is not one of the available choices.",
        ),
        (
            "ordering",
            "--name",
            "Select a valid choice. --name is not one of the available choices.",
        ),
    ] {
        assert_eq!(
            refusal(&app, &format!("/api/developers/?{name}={value}")),
            json!({name: [message]}),
            "{name}={value}"
        );
    }
}

#[test]
fn lookups_that_a_type_does_not_allow_are_unknown() {
    let app = directory();
    for (path, name) in [
        ("/api/developers/", "years_experience__icontains"),
        ("/api/developers/", "created_at__istartswith"),
        ("/api/developers/", "colour__gte"),
        ("/api/developers/", "_"),
        ("/api/developers/", "name__regex"),
        ("/api/skills/", "updated_at"),
        ("/api/skills/", "founded_year"),
        ("/api/companies/", "senior"),
    ] {
        let body = refusal(&app, &format!("{path}?{name}=1"));
        let message = body[name][0].as_str().unwrap();
        assert!(message.starts_with("Unknown query parameter."), "{message}");
    }
}

#[test]
fn a_misspelt_parameter_is_told_the_nearest() {
    let app = directory();
    for (wrong, right) in [
        ("seniour", "senior"),
        ("years_experiance__gte", "years_experience__gte"),
        ("page_sise", "page_size"),
        ("company_name", "company__name"),
        ("Skill", "skill"),
    ] {
        let message = format!("Unknown query parameter. Did you mean \"{right}\"?");
        assert_eq!(
            refusal(&app, &format!("/api/developers/?{wrong}=1")),
            json!({wrong: [message]})
        );
    }
}

#[test]
fn a_very_long_parameter_name_is_400_at_once() {
    let app = directory();
    let name = "x".repeat(60_000);
    let body = refusal(&app, &format!("/api/developers/?{name}=1"));
    assert_eq!(body, json!({name: ["Unknown query parameter."]}));
}

#[test]
fn a_number_that_no_column_holds_is_400() {
    let app = directory();
    let over = "9223372036854775808";
    let body = refusal(
        &app,
        &format!("/api/developers/?years_experience__lte={over}"),
    );
    assert_eq!(
        body,
        json!({"years_experience__lte": ["Ensure this value is less than or equal to 9223372036854775807."]})
    );
    app.get(&format!("/api/developers/?page_size={over}")).ok();
}

#[test]
fn very_many_or_very_long_values_are_400() {
    let app = directory();
    let many = vec!["1"; 10_000].join(",");
    let body = refusal(
        &app,
        &format!("/api/developers/?years_experience__in={many}"),
    );
    assert_eq!(
        body,
        json!({"years_experience__in": ["Ensure there are no more than 200 values."]})
    );
    assert_eq!(
        names(
            &app,
            &format!(
                "/api/developers/?years_experience__in={}",
                vec!["3"; 200].join(",")
            )
        ),
        ["Ada"]
    );
    let body = refusal(
        &app,
        &format!("/api/developers/?name__icontains={}", "x".repeat(60_000)),
    );
    assert_eq!(
        body,
        json!({"name__icontains": ["Ensure this field has no more than 1000 characters."]})
    );
    assert_eq!(
        names(
            &app,
            &format!("/api/developers/?name__icontains={}", "%25".repeat(1_000))
        ),
        [""; 0]
    );
    let skills = vec!["Rust"; 101].join(",");
    let body = refusal(&app, &format!("/api/developers/?skills__any={skills}"));
    assert_eq!(
        body,
        json!({"skills__any": ["Enter up to 100 names or ids of skills, with commas between them."]})
    );
    let answer = app.raw(&format!(
        "GET /api/developers/?name={} HTTP/1.1\r\nhost: x\r\n\r\n",
        "x".repeat(100_000)
    ));
    assert!(
        answer.starts_with("HTTP/1.1 4"),
        "{}",
        &answer[..answer.len().min(80)]
    );
    app.get("/api/").ok();
}

#[test]
fn as_many_filters_and_values_as_are_taken_fit_into_a_statement() {
    let app = directory();
    let names = [
        "years_experience__in",
        "company__in",
        "company__founded_year__in",
        "skills__in",
        "name__in",
    ];
    let filters: Vec<String> = (0..50)
        .map(|number| {
            let values: Vec<String> = (0..180).map(|value| (value + number).to_string()).collect();
            format!("{}={}", names[number % names.len()], values.join(","))
        })
        .collect();
    let query = filters.join("&");
    assert!(query.len() < 60_000);
    assert_eq!(app.get(&format!("/api/developers/?{query}")).status, 200);
    let any: Vec<String> = (0..100).map(|number| format!("skill{number}")).collect();
    for name in ["skills__all", "skills__any", "skills__none"] {
        let answer = app.get(&format!(
            "/api/developers/?{name}={0}&{name}={0},x",
            any[..99].join(",")
        ));
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
}

#[test]
fn a_cursor_is_bound_to_the_order() {
    let app = directory();
    let page = app
        .get("/api/developers/?ordering=-years_experience,name&page_size=1")
        .ok();
    let cursor = page["next"]
        .as_str()
        .unwrap()
        .split("cursor=")
        .nth(1)
        .unwrap();
    app.get(&format!(
        "/api/developers/?ordering=-years_experience,name&cursor={cursor}"
    ))
    .ok();
    for other in [
        "",
        "years_experience,name",
        "-years_experience",
        "-years_experience,-name",
        "name",
    ] {
        let answer = app.get(&format!(
            "/api/developers/?ordering={other}&cursor={cursor}"
        ));
        assert_eq!(answer.status, 404, "{other}");
        assert_eq!(
            answer.json(),
            json!({"detail": "Invalid cursor", "code": "not_found"})
        );
    }
}

#[test]
fn every_list_is_filtered_and_ordered_by_what_all_objects_have() {
    let app = directory();
    let ada = app.get("/api/developers/?name=Ada").column("id")[0].clone();
    let eva = app.get("/api/developers/?name=%C3%89va").column("id")[0].clone();
    let dev = |query: &str| names(&app, &format!("/api/developers/?{query}"));
    assert_eq!(dev(&format!("id={ada}")), ["Ada"]);
    assert_eq!(
        dev(&format!("id__in={eva},{ada},99999&ordering=id")),
        ["Ada", "Éva"]
    );
    assert_eq!(
        dev(&format!("id__gt={ada}&id__lte={eva}&ordering=id")),
        ["Bob", "Éva"]
    );
    assert_eq!(dev("id__isnull=true"), [""; 0]);
    let changed = app.get(&format!("/api/developers/{eva}/")).ok()["updated_at"].clone();
    let changed = changed.as_str().unwrap();
    assert!(dev(&format!("updated_at={changed}")).contains(&"Éva".to_owned()));
    assert_eq!(
        dev(&format!(
            "updated_at__gt={changed}&updated_at__lt={changed}"
        )),
        [""; 0]
    );
    assert_eq!(dev("updated_at__isnull=true"), [""; 0]);
    let staff = app.staff("boss");
    for list in [
        "companies",
        "skills",
        "developers",
        "projects",
        "users",
        "audit",
    ] {
        let path = format!("/api/{list}/?id__in=1,2&id__gte=1&ordering=-id");
        staff.get(&path).ok();
        let refused = staff.get(&format!("/api/{list}/?_=123"));
        assert_eq!(
            refused.refused(400),
            json!({"_": ["Unknown query parameter."]})
        );
        let refused = staff.get(&format!("/api/{list}/?id="));
        assert_eq!(
            refused.refused(400),
            json!({"id": ["A valid integer is required."]})
        );
    }
    for list in ["companies", "developers", "projects"] {
        let path = format!("/api/{list}/?updated_at__gte=2020-01-01&ordering=-updated_at,name");
        staff.get(&path).ok();
    }
    assert_eq!(
        names(&app, "/api/companies/?created_at__lt=2020-06-01"),
        ["Acme"]
    );
    assert_eq!(names(&app, "/api/companies/?ordering=updated_at").len(), 2);
}

#[test]
fn a_blank_order_is_the_default_order() {
    let app = directory();
    for (ordering, same) in [
        ("", "-created_at"),
        (",", "-created_at"),
        ("name,", "name"),
        (",-id", "-id"),
    ] {
        let one = names(&app, &format!("/api/developers/?ordering={ordering}"));
        assert_eq!(
            one,
            names(&app, &format!("/api/developers/?ordering={same}")),
            "{ordering}"
        );
    }
}

#[test]
fn a_company_is_named_by_id_or_name() {
    let app = directory();
    add_company(&app.db, "C++", "2022-01-01T00:00:00Z");
    let dev = |query: &str| names(&app, &format!("/api/developers/?ordering=id&{query}"));
    let id = app.get("/api/companies/?name=Zeta").column("id")[0].clone();
    for zeta in ["Zeta", "zETA", "%20zeta+", &id.to_string()] {
        assert_eq!(dev(&format!("company={zeta}")), ["Éva", "Dan"], "{zeta}");
        assert_eq!(
            dev(&format!("company__in={zeta},nobody")),
            ["Éva", "Dan"],
            "{zeta}"
        );
    }
    assert_eq!(dev(&format!("company__in=ACME,{id}")).len(), 4);
    assert_eq!(dev("company=nobody"), [""; 0]);
    assert_eq!(dev("company=C++"), [""; 0]);
    assert_eq!(dev(&format!("company__lt={id}")), ["Ada", "Bob"]);
    for (name, value, message) in [
        ("company", "", "This field may not be blank."),
        ("company__in", "Acme,", "This field may not be blank."),
        ("company__gt", "Acme", "A valid integer is required."),
        ("company", "%00", "Null characters are not allowed."),
        (
            "company",
            "9223372036854775808",
            "Ensure this value is less than or equal to 9223372036854775807.",
        ),
    ] {
        let body = refusal(&app, &format!("/api/developers/?{name}={value}"));
        assert_eq!(body, json!({name: [message]}), "{name}={value}");
    }
}

#[test]
fn names_of_skills_are_read_in_one_way_by_all_filters() {
    let app = directory();
    let c = add_skill(&app.db, "C");
    let acme = add_company(&app.db, "Letters", "2022-01-01T00:00:00Z");
    Dev {
        skills: &[c],
        ..Dev::new("Kay", acme)
    }
    .add(&app.db);
    let dev = |query: &str| names(&app, &format!("/api/developers/?ordering=id&{query}"));
    for filter in ["skill=", "skills__all=", "skills__any=", "skills__min=1:"] {
        // No name ends with a blank: one that arrives was a plus.
        for name in ["C++", "c%2B%2B", "%20C++", "C%20%20"] {
            assert_eq!(dev(&format!("{filter}{name}")), ["Éva"], "{filter}{name}");
        }
        for name in ["C", "c%20", "+C", "C+"] {
            assert_eq!(dev(&format!("{filter}{name}")), ["Kay"], "{filter}{name}");
        }
    }
    assert_eq!(dev("skills__any=C++,C"), ["Éva", "Kay"]);
    assert_eq!(dev("skills__none=C++,rust"), ["Dan", "Kay"]);
}

#[test]
fn sets_of_skills_join() {
    let app = directory();
    let dev = |query: &str| names(&app, &format!("/api/developers/?ordering=id&{query}"));
    assert_eq!(dev("skill=rust&skills__all=SQL&skill=c%2B%2B"), ["Éva"]);
    assert_eq!(
        dev("skill=rust&skills__any=SQL,Cobol&skills__none=c%2B%2B"),
        ["Bob"]
    );
    assert_eq!(dev("skills__none=SQL&skills__none=Rust"), ["Dan"]);
    assert_eq!(dev("skills__none=Cobol"), ["Ada", "Bob", "Éva", "Dan"]);
    assert_eq!(dev("skills__all=rust,Cobol"), [""; 0]);
    assert_eq!(dev("skills__all=rust,Rust,RUST"), ["Ada", "Bob", "Éva"]);
    assert_eq!(dev("skills__min=2:rust,Cobol"), [""; 0]);
    assert_eq!(dev("skills__min=2:rust,Cobol,SQL"), ["Bob", "Éva"]);
}

#[test]
fn filters_that_cost_a_row_a_sub_select_are_few() {
    let app = directory();
    let filters = |count: usize| -> Vec<String> {
        let filters = (0..count).map(|number| format!("skills__category__icontains={number}"));
        filters.collect()
    };
    names(&app, &format!("/api/developers/?{}", filters(10).join("&")));
    assert_eq!(
        refusal(&app, &format!("/api/developers/?{}", filters(11).join("&"))),
        json!({"skills__category__icontains": ["Ensure there are no more than 10 filters across relations."]})
    );
    let any = (0..100)
        .map(|number| number.to_string())
        .collect::<Vec<_>>();
    let any: Vec<String> = (0..6)
        .map(|number| format!("skills__any={},{number}", any[1..].join(",")))
        .collect();
    assert_eq!(
        refusal(&app, &format!("/api/developers/?{}", any.join("&"))),
        json!({"skills__any": ["Ensure there are no more than 500 names in all filters together."]})
    );
}
