//! Import files that are wrong: every error with its place, and nothing changed.

use serde_json::json;

use crate::support::{Output, Place, roster};

const COMPANIES: &str = "name,founded_year\nAcme,1999\nÉtoile,1850\n";
const SKILLS: &str = "name,category\nRust,Language\nSQL,Language\n";

fn import(place: &Place, paths: &[&str]) -> Output {
    let url = place.url();
    roster(&[&["import", "--database-url", &url], paths].concat())
}

/// The directory as an export writes it.
fn exported(place: &Place) -> Vec<String> {
    let folder = place.path("exported");
    roster(&["export", &folder, "--database-url", &place.url()]).ok();
    ["companies", "skills", "developers"]
        .iter()
        .map(|name| std::fs::read_to_string(format!("{folder}/{name}.csv")).unwrap())
        .collect()
}

/// A directory with two companies, two skills and a developer.
fn small() -> Place {
    let place = Place::new();
    let companies = place.file("companies.csv", COMPANIES);
    let skills = place.file("skills.csv", SKILLS);
    let developers = place.file(
        "developers.csv",
        "id,name,company,years_experience,last_login,created_at,skills\n\
         7,Ada,acme,12,2026-11-20T09:15:30.123456789+01:00,2026-01-01T00:00:00Z,SQL;rust\n",
    );
    import(&place, &[&companies, &skills, &developers]).ok();
    place
}

/// Imports a wrong file into the small directory; the lines behind its path.
fn errors(name: &str, content: impl AsRef<[u8]>) -> Vec<String> {
    let place = small();
    let before = exported(&place);
    let path = place.file(name, content);
    let failed = import(&place, &[&path]).failed();
    assert_eq!(exported(&place), before, "{failed}");
    let mut lines: Vec<String> = failed
        .lines()
        .map(|line| {
            line.strip_prefix(&format!("{path}:"))
                .unwrap_or(line)
                .to_owned()
        })
        .collect();
    assert!(
        lines.pop().unwrap().ends_with(": nothing was imported"),
        "{failed}"
    );
    lines
}

#[test]
fn a_wrong_header() {
    assert_eq!(
        errors("companies.csv", "name,colour,name\nAcme,red,Acme\n"),
        [
            "1: colour: Unknown column.",
            "1: name: This column stands there twice.",
            "1: founded_year: This column is required."
        ]
    );
    assert_eq!(
        errors("skills.csv", ""),
        [
            "1: name: This column is required.",
            "1: category: This column is required."
        ]
    );
    assert_eq!(
        errors("skills.csv", "name;category\nGo;Tool\n")[0],
        "1: name;category: Unknown column."
    );
}

#[test]
fn wrong_companies() {
    let next_year = roster::db::Stamp::now().year() + 1;
    let content = format!(
        "name,founded_year,id,created_at\n,1999,,\nOne,x,,\nTwo,999,,\nThree,{next_year},,\n{},1999,,\nFour,,,\n\
         Five,1999,0,\nSix,1999,,yesterday\nACME,1999,99,\nÉTOILE,1850,,\nétoile,1851,,\nSeven,1999,5,\nEight,1999,5,\n",
        "é".repeat(201)
    );
    assert_eq!(
        errors("companies.csv", content),
        [
            "2: name: This field may not be blank.".to_owned(),
            "3: founded_year: A valid integer is required.".to_owned(),
            "4: founded_year: Ensure this value is greater than or equal to 1000.".to_owned(),
            format!(
                "5: founded_year: Ensure this value is less than or equal to {}.",
                next_year - 1
            ),
            "6: name: Ensure this field has no more than 200 characters.".to_owned(),
            "7: founded_year: A valid integer is required.".to_owned(),
            "8: id: Ensure this value is greater than or equal to 1.".to_owned(),
            "9: created_at: Datetime has wrong format. Use one of these formats instead: \
             YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z]."
                .to_owned(),
            "10: name: company with this name already exists.".to_owned(),
            "12: name: company with this name already exists.".to_owned(),
            "14: id: company with this id already exists.".to_owned(),
        ]
    );
}

#[test]
fn wrong_skills() {
    let content = format!(
        "category,name\nTool,a;b\n,Go\n{},Go\nTool,rust\nTool,Go\nTool,gO\nTool,N\0L\n",
        "x".repeat(51)
    );
    assert_eq!(
        errors("skills.csv", content),
        [
            "2: name: A skill's name may not contain \";\".",
            "3: category: This field may not be blank.",
            "4: name: skill with this name already exists.",
            "4: category: Ensure this field has no more than 50 characters.",
            "6: name: skill with this name already exists.",
            "7: name: skill with this name already exists.",
            "8: name: Null characters are not allowed.",
        ]
    );
}

#[test]
fn wrong_developers() {
    let content = "name,company,years_experience,skills,last_login,user,id\n\
                   Bob,Nobody & Co.,,,,,\nBob,Acme,81,,,,\nBob,Acme,-1,,,,\nBob,Acme,,Rust;Cobol;Fortran,,,\n\
                   Bob,Acme,,,2026-02-30T00:00:00Z,,\n,,,,,,\nBob,Acme,,,,ada,\nBob,Acme,,,,,9\nBob,Acme,,,,,9\n\
                   Bob,Acme\n\"Bob\",Acme,,Rust;,,,\n";
    let wrong_time = "Datetime has wrong format. Use one of these formats instead: \
                      YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z].";
    assert_eq!(
        errors("developers.csv", content),
        [
            "2: company: Object with name=Nobody & Co. does not exist.".to_owned(),
            "3: years_experience: Ensure this value is less than or equal to 80.".to_owned(),
            "4: years_experience: Ensure this value is greater than or equal to 0.".to_owned(),
            "5: skills: Object with name=Cobol does not exist.".to_owned(),
            "5: skills: Object with name=Fortran does not exist.".to_owned(),
            format!("6: last_login: {wrong_time}"),
            "7: name: This field may not be blank.".to_owned(),
            "7: company: Object with name= does not exist.".to_owned(),
            "8: user: Object with username=ada does not exist.".to_owned(),
            "10: id: developer with this id already exists.".to_owned(),
            "11: 2 fields where the header has 7.".to_owned(),
            "12: skills: Object with name= does not exist.".to_owned(),
        ]
    );
}

#[test]
fn text_that_is_not_utf_8() {
    assert_eq!(
        errors("skills.csv", b"name,category\nGo,Tool\nC\xff,Tool\n"),
        ["3: name: Not valid UTF-8."]
    );
    assert_eq!(
        errors(
            "skills.json",
            b"[\n{\"name\": \"C\xff\", \"category\": \"Tool\"}]"
        ),
        ["2: Not valid UTF-8."]
    );
}

#[test]
fn lines_are_counted_across_quoted_breaks_and_blank_lines() {
    assert_eq!(
        errors(
            "skills.csv",
            "name,category\r\n\"Go\n\nlang\",Tool\r\n\r\n,Tool\r\nErlang,\r\n"
        ),
        [
            "6: name: This field may not be blank.",
            "7: category: This field may not be blank."
        ]
    );
}

#[test]
fn wrong_json() {
    let one = |content: &str| errors("developers.json", content);
    assert_eq!(
        one("[\n\n{\"name\": \"Bob\", \"colour\": 1}]"),
        ["3: colour: Unknown column."]
    );
    assert_eq!(
        one("[{\"name\": \"Bob\"},\n 7]"),
        ["1: company: This field is required.", "2: Not an object."]
    );
    assert_eq!(
        one("[{\"name\": [\"Bob\"], \"company\": {}, \"years_experience\": 1.5}]"),
        [
            "1: name: Not a valid string.",
            "1: company: An object here has \"id\" or \"name\".",
            "1: years_experience: A valid integer is required.",
        ]
    );
    assert_eq!(
        one(
            "[{\"name\": [\"Bob\"], \"company\": \"Acme\", \"years_experience\": 1.5, \"skills\": [\"Go\"]}]"
        ),
        [
            "1: name: Not a valid string.",
            "1: years_experience: A valid integer is required.",
            "1: skills: Object with name=Go does not exist.",
        ]
    );
    assert!(one("{\"name\": \"Bob\"}")[0].starts_with("1: Not an array of objects: "));
    assert!(one("[\n{\"name\": ")[0].starts_with("2: Not an array of objects: "));
}

#[test]
fn twenty_errors_are_shown_and_the_rest_counted() {
    let content = format!("name,category\n{}", ",Tool\n".repeat(50));
    let lines = errors("skills.csv", content);
    assert_eq!(lines.len(), 21);
    assert_eq!(lines[19], "21: name: This field may not be blank.");
    assert_eq!(lines[20], "and 30 more");
}

#[test]
fn an_error_in_one_file_undoes_the_others() {
    let place = Place::new();
    place.open().close();
    let good = place.file("companies.csv", COMPANIES);
    let bad = place.file("skills.csv", "name,category\nGo,\n");
    let failed = import(&place, &[&good, &bad]).failed();
    assert_eq!(
        failed,
        format!("{bad}:2: category: This field may not be blank.\n1 error: nothing was imported\n")
    );
    assert_eq!(exported(&place)[0], "id,name,founded_year,created_at\n");
}

#[test]
fn paths_that_hold_nothing_to_import() {
    let place = Place::new();
    for (path, reason) in [
        (
            place.path("skills.csv"),
            "No such file or directory (os error 2)",
        ),
        (
            place.file("people.csv", "x"),
            "an import file is one of companies, skills, users, developers, projects, as .csv or .json",
        ),
        (
            place.file("skills.xml", "x"),
            "an import file is one of companies, skills, users, developers, projects, as .csv or .json",
        ),
    ] {
        assert_eq!(
            import(&place, &[&path]).failed(),
            format!("{path}: {reason}\n")
        );
    }
    let empty = Place::embedded();
    let failed = import(&place, &[&empty.path("")]).failed();
    assert!(
        failed.ends_with(": there is nothing to import in this folder\n"),
        "{failed}"
    );
}

#[test]
fn a_dry_run_checks_everything_and_changes_nothing() {
    let place = small();
    let before = exported(&place);
    let skills = place.file(
        "skills.csv",
        "name,category\nRust,Systems\nGo,Tool\nSQL,Language\n",
    );
    let said = import(&place, &[&skills, "--dry-run"]).ok();
    assert_eq!(
        said,
        format!("{skills}: 1 added, 1 changed, 1 unchanged\na dry run: nothing was imported\n")
    );
    assert_eq!(exported(&place), before);
    let bad = place.file("skills.csv", "name,category\nGo,\n");
    assert!(
        import(&place, &[&bad, "--dry-run"])
            .failed()
            .contains(":2: category: ")
    );
}

#[test]
fn rows_are_matched_by_id_and_by_name() {
    let place = small();
    let companies = place.file(
        "companies.csv",
        "id,name,founded_year\n1,Acme Ltd,2001\n,étoile,1850\n50,New,2020\n",
    );
    let said = import(&place, &[&companies]).ok();
    assert_eq!(
        said,
        format!("{companies}: 1 added, 2 changed, 0 unchanged\n")
    );
    let [companies, _, developers] = &exported(&place)[..] else {
        panic!()
    };
    assert!(companies.contains("1,Acme Ltd,2001,"), "{companies}");
    assert!(companies.contains("2,étoile,1850,"), "{companies}");
    assert!(companies.contains("50,New,2020,"), "{companies}");
    assert!(developers.contains(
        "7,Ada,Acme Ltd,12,2026-11-20T08:15:30.123456Z,2026-01-01T00:00:00.000000Z,Rust;SQL,"
    ));
}

#[test]
fn a_column_that_is_not_there_changes_nothing_and_an_empty_one_does() {
    let place = small();
    let developers = place.file("developers.csv", "id,name,company\n7,Ada Lovelace,Étoile\n");
    import(&place, &[&developers]).ok();
    let expected = "7,Ada Lovelace,Étoile,12,2026-11-20T08:15:30.123456Z,2026-01-01T00:00:00.000000Z,Rust;SQL,";
    assert!(exported(&place)[2].contains(expected));
    let developers = place.file(
        "developers.csv",
        "id,name,company,years_experience,last_login,skills\n7,Ada,Acme,,,SQL\n",
    );
    import(&place, &[&developers]).ok();
    assert!(exported(&place)[2].contains("7,Ada,Acme,0,,2026-01-01T00:00:00.000000Z,SQL,"));
}

#[test]
fn ids_go_on_behind_those_of_a_file() {
    let place = small();
    let companies = place.file("companies.csv", "id,name,founded_year\n70,Seventy,2001\n");
    import(&place, &[&companies]).ok();
    let companies = place.file("companies.csv", "name,founded_year\nNext,2001\n");
    import(&place, &[&companies]).ok();
    let ids: Vec<String> = exported(&place)[0]
        .lines()
        .skip(1)
        .map(|line| line.split(',').next().unwrap().to_owned())
        .collect();
    assert_eq!(&ids[..3], ["1", "2", "70"]);
    assert!(ids[3].parse::<i64>().unwrap() > 70);
}

/// A greater id would leave none for the rows behind it, and no client in JavaScript would read it.
#[test]
fn ids_of_a_file_end_where_every_client_reads_them() {
    let place = small();
    let users = place.file("users.csv", "username\nada\n");
    import(&place, &[&users]).ok();
    let rows = |id: &str| {
        [
            (
                "companies.csv",
                format!("id,name,founded_year\n{id},New,2001\n"),
            ),
            ("skills.csv", format!("id,name,category\n{id},New,Tool\n")),
            ("users.csv", format!("id,username\n{id},new\n")),
            (
                "developers.csv",
                format!("id,name,company\n{id},New,Acme\n"),
            ),
            ("projects.csv", format!("id,owner,name\n{id},ada,New\n")),
            (
                "skills.json",
                json!([{"id": id, "name": "Newer", "category": "Tool"}]).to_string(),
            ),
        ]
    };
    for id in [
        "9007199254740992",
        "9223372036854775807",
        "9223372036854775808",
    ] {
        for (name, content) in rows(id) {
            let path = place.file(name, content);
            let refused = import(&place, &[&path]).failed();
            assert!(
                refused
                    .contains(": id: Ensure this value is less than or equal to 9007199254740991."),
                "{refused}"
            );
        }
    }
    let [(name, content), ..] = rows("9007199254740991");
    import(&place, &[&place.file(name, content)]).ok();
    let next = place.file("companies.csv", "name,founded_year\nNext,2001\n");
    import(&place, &[&next]).ok();
}

#[test]
fn json_takes_null_numbers_as_text_and_lists() {
    let place = small();
    let developers = json!([
        {"id": 8, "name": "Bob", "company": "ACME", "years_experience": "7", "last_login": null, "skills": ["Rust"]},
        {"id": "9", "name": 42, "company": "Acme", "skills": []},
    ]);
    let path = place.file("developers.json", format!("\u{feff}{developers}"));
    assert_eq!(
        import(&place, &[&path]).ok(),
        format!("{path}: 2 added, 0 changed, 0 unchanged\n")
    );
    let developers = &exported(&place)[2];
    assert!(developers.contains("8,Bob,Acme,7,,"), "{developers}");
    assert!(developers.contains("9,42,Acme,0,,"), "{developers}");
}

#[test]
fn a_new_database_is_told_of_and_a_dry_run_makes_none() {
    let place = Place::new();
    let companies = place.file("companies.csv", COMPANIES);
    let wrong = place.file("skills.csv", "name,category\n,Language\n");
    let database = std::path::Path::new(&place.path("roster.db")).to_owned();
    let dry = import(&place, &["--dry-run", &companies]);
    assert_eq!(dry.stderr, "");
    assert_eq!(
        dry.ok(),
        format!("{companies}: 2 added, 0 changed, 0 unchanged\na dry run: nothing was imported\n")
    );
    let failed = import(&place, &["--dry-run", &companies, &wrong]).failed();
    assert!(
        failed.starts_with(&format!("{wrong}:2: name: ")),
        "{failed}"
    );
    assert!(!database.exists());
    let failed = roster(&["export", &place.path("x"), "--database-url", &place.url()]).failed();
    assert!(
        failed.starts_with("there is no roster database"),
        "{failed}"
    );

    let told = format!("made a new database in {}\n", place.target());
    let first = import(&place, &[&companies]);
    assert_eq!((first.status, first.stderr), (0, told));
    let second = import(&place, &[&companies]);
    assert_eq!((second.status, second.stderr.as_str()), (0, ""));
}
