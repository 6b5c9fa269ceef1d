//! Export and import as a round trip.

use std::fs;

use proptest::prelude::*;

use crate::support::{Output, Place, cases, roster};

const FILES: [&str; 5] = ["companies", "skills", "users", "developers", "projects"];

fn export(place: &Place, form: &str) -> Vec<String> {
    let folder = place.path(form);
    roster(&[
        "export",
        &folder,
        "--format",
        form,
        "--database-url",
        &place.url(),
    ])
    .ok();
    FILES
        .iter()
        .map(|name| fs::read_to_string(format!("{folder}/{name}.{form}")).unwrap())
        .collect()
}

fn sample() -> Place {
    let place = Place::new();
    let folder = format!("{}/src/demo", env!("CARGO_MANIFEST_DIR"));
    roster(&["import", &folder, "--database-url", &place.url()]).ok();
    place
}

#[test]
fn the_sample_directory_comes_back_byte_for_byte() {
    let first = sample();
    for form in ["csv", "json"] {
        let files = export(&first, form);
        let second = Place::new();
        roster(&["import", &first.path(form), "--database-url", &second.url()]).ok();
        assert_eq!(export(&second, form), files);
    }
}

#[test]
fn a_second_import_of_an_export_changes_nothing() {
    let place = sample();
    let files = export(&place, "csv");
    let said = roster(&["import", &place.path("csv"), "--database-url", &place.url()]).ok();
    let counts: Vec<&str> = said
        .lines()
        .map(|line| line.rsplit(": ").next().unwrap())
        .collect();
    let unchanged = |count| format!("0 added, 0 changed, {count} unchanged");
    let expected = [1185, 589, 0, 2000, 0].map(unchanged);
    assert_eq!(counts, expected);
    assert_eq!(export(&place, "csv"), files);
}

#[test]
fn a_second_import_of_names_changes_nothing() {
    let place = sample();
    let file = format!("{}/src/demo/companies.csv", env!("CARGO_MANIFEST_DIR"));
    let said = roster(&["import", &file, "--database-url", &place.url()]).ok();
    assert_eq!(
        said,
        format!("{file}: 0 added, 0 changed, 1185 unchanged\n")
    );
}

#[test]
fn export_says_what_it_wrote_and_replaces_what_it_wrote_before() {
    let place = sample();
    let folder = place.path("new/folder");
    for _ in 0..2 {
        let said = roster(&["export", &folder, "--database-url", &place.url()]).ok();
        assert_eq!(
            said,
            "companies.csv: 1185 written\nskills.csv: 589 written\nusers.csv: 0 written\ndevelopers.csv: 2000 written\nprojects.csv: 0 written\n"
        );
        let mut names: Vec<_> = fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        names.sort();
        assert_eq!(
            names,
            [
                "companies.csv",
                "developers.csv",
                "projects.csv",
                "skills.csv",
                "users.csv"
            ]
        );
    }
}

#[test]
fn export_needs_a_database() {
    let place = Place::embedded();
    let failed = roster(&["export", &place.path("out"), "--database-url", &place.url()]).failed();
    assert_eq!(
        failed,
        format!(
            "there is no roster database at {}: `roster migrate` makes one\n",
            place.url()
        )
    );
    assert!(!fs::exists(place.path("out")).unwrap());
    assert!(!fs::exists(place.url()).unwrap());
}

#[test]
fn an_export_to_where_nothing_can_be_written_is_one_line() {
    let place = sample();
    let file = place.file("taken", "x");
    let failed = roster(&["export", &file, "--database-url", &place.url()]).failed();
    assert_eq!(failed, format!("{file}: File exists (os error 17)\n"));
}

/// Names as people have them, and as nobody does: no blank ones, no NUL, trimmed.
fn name() -> impl Strategy<Value = String> {
    let odd = prop::sample::select(vec![
        "a,b",
        "\"",
        "'",
        "a\"\"b",
        "x\ny",
        "é",
        "İ",
        "ß",
        "日本",
        "😀",
        "\\",
        "#",
        "=1+1",
        "\u{feff}x",
    ]);
    prop_oneof![
        "[A-Za-z ,\"'é;\n-]{1,20}",
        "\\PC{1,20}",
        (odd.clone(), odd).prop_map(|(one, other)| format!("{one}{other}")),
    ]
    .prop_map(|name| name.trim().to_owned())
    .prop_filter("blank", |name| !name.is_empty())
}

proptest! {
    #![proptest_config(cases(12))]

    #[test]
    fn any_directory_comes_back(
        companies in prop::collection::btree_map(name(), (1000..2026i32, any::<u32>()), 1..6),
        skills in prop::collection::btree_map(name().prop_filter("separator", |name| !name.contains(';')), name(), 0..6),
        developers in prop::collection::vec((name(), any::<prop::sample::Index>(), 0..=80i32, any::<Option<u32>>(), any::<u8>()), 0..12),
        json: bool,
    ) {
        let mut folded = std::collections::HashSet::new();
        let companies: Vec<_> = companies.into_iter().filter(|(name, _)| folded.insert(roster::text::fold(name))).collect();
        folded.clear();
        let skills: Vec<_> = skills.into_iter().filter(|(name, _)| folded.insert(roster::text::fold(name))).collect();
        let time = |micros: u32| format!("2026-01-01T{:02}:{:02}:00.{:06}Z", micros % 24, micros % 60, micros % 1_000_000);

        let source = Place::new();
        let folder = source.path("source");
        fs::create_dir(&folder).unwrap();
        let write = |name: &str, rows: Vec<serde_json::Value>| {
            fs::write(format!("{folder}/{name}.json"), serde_json::to_string(&rows).unwrap()).unwrap();
        };
        write("companies", companies.iter().map(|(name, (year, time_of))| {
            serde_json::json!({"name": name, "founded_year": year, "created_at": time(*time_of)})
        }).collect());
        write("skills", skills.iter().map(|(name, category)| serde_json::json!({"name": name, "category": category})).collect());
        write("developers", developers.iter().map(|(name, company, years, login, bits)| {
            let skills: Vec<&String> =
                skills.iter().enumerate().filter(|(place, _)| bits & (1 << place) != 0).map(|(_, (name, _))| name).collect();
            let company = &companies[company.index(companies.len())].0;
            serde_json::json!({
                "name": name, "company": company, "years_experience": years,
                "last_login": login.map(time), "skills": skills,
            })
        }).collect());
        roster(&["import", &folder, "--database-url", &source.url()]).ok();

        let form = if json { "json" } else { "csv" };
        let files = export(&source, form);
        let copy = Place::new();
        roster(&["import", &source.path(form), "--database-url", &copy.url()]).ok();
        prop_assert_eq!(export(&copy, form), files);
    }
}

#[test]
fn what_else_is_in_the_folder_of_an_export_is_said() {
    let place = Place::new();
    place.open().close();
    let folder = place.path("out");
    let export = |form: &str| {
        let url = place.url();
        let args = ["export", &folder, "--format", form, "--database-url", &url];
        let output = roster(&args);
        assert_eq!(output.status, 0, "{output:?}");
        output.stderr
    };
    assert_eq!(export("csv"), "");
    assert_eq!(export("csv"), "", "an earlier export is replaced");
    fs::write(format!("{folder}/notes.txt"), "mine").unwrap();
    assert_eq!(
        export("json"),
        format!(
            "{folder} holds other files, which stay: companies.csv, developers.csv, notes.txt, \
             projects.csv, skills.csv and 1 more\n"
        )
    );
    assert_eq!(
        fs::read_to_string(format!("{folder}/notes.txt")).unwrap(),
        "mine"
    );
}

#[test]
fn an_export_heeds_the_umask_and_keeps_users_and_projects_to_its_owner() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::new();
    roster(&["migrate", "--database-url", &place.url()]).ok();
    for (umask, others) in [("022", 0o644), ("077", 0o600), ("002", 0o664)] {
        let folder = place.path(umask);
        let mut command = std::process::Command::new("sh");
        command
            .args(["-c", "umask $0; exec \"$@\"", umask])
            .arg(env!("CARGO_BIN_EXE_roster"))
            .args(["export", &folder, "--database-url", &place.url()]);
        Output::of(command).ok();
        for name in FILES {
            let file = fs::metadata(format!("{folder}/{name}.csv")).unwrap();
            let expected = match name {
                "users" | "projects" => 0o600,
                _ => others,
            };
            let mode = file.permissions().mode() & 0o777;
            assert_eq!(mode, expected, "{name} under {umask}");
        }
    }
}
