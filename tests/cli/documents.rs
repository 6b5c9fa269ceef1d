//! The documents: their links, and their tables beside what the binary says.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use clap::{Arg, Command, CommandFactory as _};
use regex::Regex;
use roster::{config::Cli, files::Kind, limits::Limit, text::phrase};
use serde_json::Value;

use crate::support::{Place, Served, roster};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The text of a document, by its path from the root.
pub fn document(name: &str) -> String {
    fs::read_to_string(Path::new(ROOT).join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Every document with its path from the root.
pub fn documents() -> Vec<(String, String)> {
    let mut names = Vec::new();
    for folder in ["", "docs/"] {
        for entry in fs::read_dir(Path::new(ROOT).join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "md") {
                let name = path.file_name().unwrap().to_str().unwrap();
                names.push(format!("{folder}{name}"));
            }
        }
    }
    names.sort();
    names
        .into_iter()
        .map(|name| (name.clone(), document(&name)))
        .collect()
}

/// The lines that are not code.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut in_code = false;
    text.lines().filter(move |line| {
        let is_fence = line.trim_start().starts_with("```");
        in_code ^= is_fence;
        !in_code && !is_fence
    })
}

/// The rows of all tables of a document whose first column has this head.
fn rows(name: &str, head: &str) -> Vec<Vec<String>> {
    let text = document(name);
    let mut rows = Vec::new();
    let mut wanted = false;
    let mut before = "";
    for line in prose(&text) {
        if line.starts_with('|') {
            let line = line.replace("\\|", "\u{0}");
            let cells = line.trim_matches('|').split('|');
            let cells: Vec<_> = cells
                .map(|cell| cell.trim().replace('\u{0}', "|"))
                .collect();
            if !before.starts_with('|') {
                wanted = cells[0] == head;
            } else if wanted && !cells[0].starts_with("---") {
                rows.push(cells);
            }
        }
        before = line;
    }
    assert!(!rows.is_empty(), "{name} has no table of {head}");
    rows
}

/// What stands in a cell as code.
fn code(cell: &str) -> Vec<String> {
    let code = Regex::new("`([^`]+)`").unwrap();
    code.captures_iter(cell)
        .map(|found| found[1].to_owned())
        .collect()
}

/// The code in the first column of those tables.
fn listed(name: &str, head: &str) -> BTreeSet<String> {
    let rows = rows(name, head);
    let listed: Vec<_> = rows.iter().flat_map(|cells| code(&cells[0])).collect();
    let distinct: BTreeSet<_> = listed.iter().cloned().collect();
    assert_eq!(distinct.len(), listed.len(), "{name} repeats a {head}");
    distinct
}

fn description() -> Value {
    serde_json::from_str(&roster(&["openapi"]).ok()).unwrap()
}

/// The fragment that leads to a heading.
fn anchor(heading: &str) -> String {
    let heading = heading.to_lowercase();
    let kept = heading
        .chars()
        .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[test]
fn every_link_between_documents_leads_somewhere() {
    let link = Regex::new(r"\[[^\]]*\]\(([^)\s]+)\)").unwrap();
    let mut followed = 0;
    for (name, text) in documents() {
        let text: Vec<_> = prose(&text).collect();
        for found in link.captures_iter(&text.join("\n")) {
            let target = &found[1];
            if target.starts_with("http") {
                continue;
            }
            let (path, fragment) = target.split_once('#').unwrap_or((target, ""));
            let from = Path::new(ROOT).join(&name);
            let to = match path {
                "" => from,
                path => from.parent().unwrap().join(path),
            };
            assert!(to.exists(), "{name}: {target}");
            if !fragment.is_empty() {
                let text = fs::read_to_string(to).unwrap();
                let mut headings = prose(&text).filter_map(|line| line.strip_prefix('#'));
                let is_there = |line: &str| anchor(line.trim_start_matches('#').trim()) == fragment;
                assert!(headings.any(is_there), "{name}: {target}");
            }
            followed += 1;
        }
    }
    assert!(followed > 30, "only {followed} links were found");
}

#[test]
fn the_readme_is_short_and_leads_to_every_document() {
    let readme = document("README.md");
    assert!(readme.len() <= 10 << 10, "{} bytes", readme.len());
    for (name, _) in documents() {
        assert!(
            name == "README.md" || readme.contains(&format!("]({name})")),
            "{name}"
        );
    }
}

#[test]
fn the_map_of_the_code_is_whole() {
    let text = document("docs/architecture.md");
    let map = text.split("```").nth(1).unwrap();
    let entry = Regex::new(r"(?m)^  (\S+) ").unwrap();
    let drawn: BTreeSet<_> = entry
        .captures_iter(map)
        .map(|found| found[1].to_owned())
        .collect();
    let mut there = BTreeSet::new();
    for entry in fs::read_dir(Path::new(ROOT).join("src")).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let is_folder = entry.file_type().unwrap().is_dir();
        // The library's root has nothing but the list of the others, and the demo no code.
        if !["lib.rs", "demo"].contains(&name.as_str()) {
            there.insert(if is_folder { format!("{name}/") } else { name });
        }
    }
    assert_eq!(drawn, there);
}

/// The flags of a command, those that every command has aside.
fn flags(command: &Command) -> Vec<Arg> {
    let own = command.get_arguments().filter(|arg| {
        arg.get_long().is_some() && !["help", "version"].contains(&arg.get_id().as_str())
    });
    own.cloned().collect()
}

fn long(flag: &Arg) -> String {
    format!("--{}", flag.get_long().unwrap())
}

fn default(flag: &Arg) -> Option<String> {
    let values = flag.get_default_values();
    let takes_one = flag.get_action().takes_values();
    values
        .first()
        .filter(|_| takes_one)
        .map(|value| value.to_str().unwrap().to_owned())
}

#[test]
fn every_flag_of_the_server_is_documented_with_its_default() {
    let cli = Cli::command();
    let serve = cli.find_subcommand("serve").unwrap();
    let flags: Vec<_> = flags(&cli).into_iter().chain(flags(serve)).collect();
    let rows = rows("docs/configuration.md", "flag");
    let documented: BTreeMap<_, _> = rows
        .iter()
        .map(|cells| (code(&cells[0]).remove(0), &cells[1..]))
        .collect();
    assert_eq!(documented.len(), rows.len(), "a flag stands twice");
    let names: BTreeSet<_> = flags.iter().map(long).collect();
    assert_eq!(documented.keys().cloned().collect::<BTreeSet<_>>(), names);
    for flag in &flags {
        let name = long(flag);
        let (documented, head) = (&documented[&name][0], rows_head(&rows, &name));
        match default(flag) {
            Some(default) => assert_eq!(code(documented).first(), Some(&default), "{name}"),
            None => assert_eq!(code(documented), [] as [&str; 0], "{name}"),
        }
        let repeats = flag.get_value_delimiter().is_some();
        assert_eq!(head.contains("(repeats)"), repeats, "{name}");
        // The rule that the document states in place of a column.
        if let Some(variable) = flag.get_env() {
            let expected = name
                .replace("--", "ROSTER_")
                .replace('-', "_")
                .to_uppercase();
            assert_eq!(variable.to_str(), Some(expected.as_str()));
        }
    }
    let check = cli.find_subcommand("check").unwrap();
    let check: BTreeSet<_> = self::flags(check).iter().map(long).collect();
    let missing: Vec<_> = names.difference(&check).map(String::as_str).collect();
    assert_eq!(missing, ["--config", "--database-url", "--demo"]);
}

fn rows_head<'a>(rows: &'a [Vec<String>], flag: &str) -> &'a str {
    let quoted = format!("`{flag}`");
    let row = rows.iter().find(|cells| cells[0].starts_with(&quoted));
    row.unwrap()[0].as_str()
}

#[test]
fn every_command_is_documented_with_its_flags() {
    let cli = Cli::command();
    let rows = rows("docs/configuration.md", "command");
    let name = |cells: &Vec<String>| {
        let words = code(&cells[0]).pop().unwrap();
        words.split(' ').nth(1).unwrap().to_owned()
    };
    let documented: BTreeSet<_> = rows.iter().map(name).collect();
    let commands = cli.get_subcommands().filter(|it| it.get_name() != "help");
    let commands: BTreeMap<_, _> = commands
        .map(|command| (command.get_name().to_owned(), command))
        .collect();
    assert_eq!(documented, commands.keys().cloned().collect());
    let settings = listed("docs/configuration.md", "flag");
    for cells in &rows {
        let name = name(cells);
        for flag in flags(commands[&name]).iter().map(long) {
            let said = cells.iter().any(|cell| cell.contains(&flag));
            assert!(said || settings.contains(&flag), "{name} {flag}");
        }
    }
}

#[test]
fn every_path_is_documented() {
    let description = description();
    let paths = description["paths"].as_object().unwrap();
    let paths: BTreeSet<_> = paths.keys().cloned().collect();
    assert_eq!(listed("docs/api.md", "path"), paths);
}

/// The query parameters of a list, by name.
fn parameters(description: &Value, list: &str) -> BTreeMap<String, Value> {
    let parameters = &description["paths"][format!("/api/{list}/")]["get"]["parameters"];
    let parameters = parameters.as_array().unwrap().iter();
    parameters
        .filter(|parameter| parameter["in"] == "query")
        .map(|parameter| {
            let name = parameter["name"].as_str().unwrap().to_owned();
            (name, parameter["schema"].clone())
        })
        .collect()
}

#[test]
fn every_filter_of_a_list_is_documented() {
    let description = description();
    let lookup = Regex::new("__(gt|gte|lt|lte|in|isnull|icontains|istartswith)$").unwrap();
    let names = |cell: &String| {
        let names = code(cell).into_iter();
        names.map(|code| code.split('=').next().unwrap().to_owned())
    };
    let sets = rows("docs/api.md", "parameter");
    let sets: Vec<_> = sets.iter().flat_map(|cells| names(&cells[0])).collect();
    for cells in rows("docs/api.md", "filters of") {
        let list = cells[0].as_str();
        let mut documented: BTreeSet<_> = cells[1..].iter().flat_map(names).collect();
        documented.extend(["cursor", "page_size", "ordering", "fields"].map(str::to_owned));
        if !cells[2].contains("no search") {
            documented.insert("search".to_owned());
        }
        if list == "developers" {
            documented.extend(sets.iter().cloned());
        }
        let parameters = parameters(&description, list).into_keys();
        let fields = parameters.map(|name| lookup.replace(&name, "").into_owned());
        assert_eq!(documented, fields.collect(), "{list}");
    }
}

#[test]
fn every_order_of_a_list_is_documented() {
    let description = description();
    let list = Regex::new(r"^/api/(\w+)/$").unwrap();
    let paths = description["paths"].as_object().unwrap().iter();
    let ordered = paths.filter(|(_, path)| path["get"].to_string().contains("\"ordering\""));
    let lists: BTreeSet<_> = ordered
        .filter_map(|(path, _)| Some(list.captures(path)?[1].to_owned()))
        .collect();
    for head in ["ordering of", "filters of"] {
        let rows = rows("docs/api.md", head);
        let documented: BTreeSet<_> = rows.iter().map(|cells| cells[0].clone()).collect();
        assert_eq!(documented, lists, "{head}");
    }
    for cells in rows("docs/api.md", "ordering of") {
        let list = cells[0].as_str();
        let ordering = &parameters(&description, list)["ordering"];
        let keys = ordering["items"]["enum"].as_array().unwrap().iter();
        let keys = keys
            .map(|key| key.as_str().unwrap())
            .filter(|key| !key.is_empty() && !key.starts_with('-'));
        assert_eq!(code(&cells[1]), keys.collect::<Vec<_>>(), "{list}");
        let default = ordering["default"].as_array().unwrap();
        assert_eq!(code(&cells[2]), *default, "{list}");
    }
}

#[test]
fn every_field_of_an_object_is_documented() {
    let schemas = description()["components"]["schemas"].take();
    let schemas = schemas.as_object().unwrap();
    // An object that can be asked for in parts is one that paths show.
    let shown = schemas.keys().filter_map(|name| {
        let name = name.strip_prefix("Sparse")?;
        (name != "CompanyBrief").then_some(name)
    });
    let rows = rows("docs/api.md", "object");
    assert_eq!(rows.len(), shown.clone().count());
    let field = Regex::new(r"(?:^|, )`(\w+)`").unwrap();
    // What is said of a field stands in parentheses, and of the object behind a semicolon.
    let aside = Regex::new(r" \([^)]*\)|;[^`|]*`password`.*| or null").unwrap();
    for name in shown {
        let row = rows.iter().find(|cells| phrase(name) == cells[0]);
        let fields = aside.replace_all(&row.unwrap()[1], "").into_owned();
        let fields = field.captures_iter(&fields);
        let fields: Vec<_> = fields.map(|found| found[1].to_owned()).collect();
        let properties = schemas[name]["properties"].as_object().unwrap();
        assert_eq!(
            fields,
            properties.keys().cloned().collect::<Vec<_>>(),
            "{name}"
        );
    }
}

#[test]
fn every_status_of_an_error_is_documented() {
    let description = description();
    // No operation can say it: it belongs to methods that a path does not have.
    let mut described = BTreeSet::from(["405".to_owned()]);
    for operations in description["paths"].as_object().unwrap().values() {
        for operation in operations.as_object().unwrap().values() {
            let statuses = operation["responses"].as_object().unwrap().keys();
            described.extend(statuses.filter(|status| status.as_str() >= "400").cloned());
        }
    }
    let rows = rows("docs/api.md", "status");
    let documented: BTreeSet<_> = rows.iter().map(|cells| cells[0].clone()).collect();
    assert_eq!(documented, described);
}

#[test]
fn every_limit_is_documented_with_its_default() {
    let cli = Cli::command();
    let serve = cli.find_subcommand("serve").unwrap();
    let rows = rows("docs/api.md", "limit");
    let names: Vec<_> = rows.iter().map(|cells| code(&cells[0]).remove(0)).collect();
    assert_eq!(names, Limit::ALL.map(Limit::name));
    for (name, cells) in names.iter().zip(&rows) {
        let flag = match name.as_str() {
            "address" => "rate-limit".to_owned(),
            throttle => format!("throttle-{throttle}"),
        };
        let flag = serve
            .get_arguments()
            .find(|arg| arg.get_long() == Some(&flag));
        assert_eq!(default(flag.unwrap()).as_deref(), Some(cells[2].as_str()));
    }
}

#[test]
fn every_column_of_an_import_file_is_documented() {
    let rows = rows("docs/import-export.md", "file");
    let documented: Vec<_> = rows
        .iter()
        .map(|cells| {
            let column = Regex::new(r"(?:^|, )`(\w+)`(\*?)").unwrap();
            let columns = column.captures_iter(&cells[1]);
            let columns: Vec<_> = columns
                .map(|found| (found[1].to_owned(), !found[2].is_empty()))
                .collect();
            (code(&cells[0]).remove(0), columns)
        })
        .collect();
    let known = Kind::all().into_iter().map(|kind| {
        let columns = kind.columns.iter();
        let columns: Vec<_> = columns
            .map(|column| (column.name.to_owned(), column.needed))
            .collect();
        (kind.stem.to_owned(), columns)
    });
    let known: Vec<_> = known.collect();
    assert_eq!(documented, known);
}

#[test]
fn every_metric_is_documented_with_its_labels() {
    let place = Place::new();
    let url = place.url();
    let args = ["serve", "--bind", "127.0.0.1:0", "--database-url", &url];
    let args = [&args[..], &["--metrics-bind", "127.0.0.1:0"]].concat();
    let served = Served::start(&args, &[], 2);
    served.get("companies/");
    let metrics = served.greeting[1].split(' ').next_back().unwrap();
    let mut answer = ureq::get(metrics).call().unwrap();
    let text = answer.body_mut().read_to_string().unwrap();
    let label = Regex::new(r#"(\w+)=""#).unwrap();
    let name = Regex::new(r"(?m)^# TYPE (roster_\w+) ").unwrap();
    let mut served = BTreeMap::new();
    for found in name.captures_iter(&text) {
        let sample = Regex::new(&format!(r"(?m)^{}\w*\{{(.*)\}}", &found[1])).unwrap();
        let labels = sample.captures(&text).map(|labels| labels[1].to_owned());
        let labels = labels.unwrap_or_default();
        let labels = label
            .captures_iter(&labels)
            .map(|label| label[1].to_owned());
        let labels: BTreeSet<_> = labels.filter(|label| label != "le").collect();
        served.insert(found[1].to_owned(), labels);
    }
    let rows = rows("docs/operations.md", "metric");
    let documented: BTreeMap<_, BTreeSet<_>> = rows
        .iter()
        .map(|cells| {
            (
                code(&cells[0]).remove(0),
                code(&cells[1]).into_iter().collect(),
            )
        })
        .filter(|(name, _)| name != "process_*")
        .collect();
    assert_eq!(documented, served);
}
