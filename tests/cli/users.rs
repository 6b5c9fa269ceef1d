//! Users on the command line: made, given passwords, taken in and out as files.

use std::{fs, io::Write as _, os::unix::fs::PermissionsExt as _, process::Stdio};

use diesel::prelude::*;
use roster::{auth::PasswordHash, db::Error, models::AuditEntry};

use crate::support::{Output, Place, Served, roster, roster_with};

/// Runs a command with a line on its standard input.
fn with_line(args: &[&str], line: &str) -> Output {
    let mut command = roster_with(args, &[]);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A command that refuses at once does not read it.
    let _ = child.stdin.take().unwrap().write_all(line.as_bytes());
    let output = child.wait_with_output().unwrap();
    Output {
        status: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

fn createuser(place: &Place, args: &[&str], password: &str) -> Output {
    let url = place.url();
    let command = ["createuser", "--password-stdin", "--database-url", &url];
    with_line(&[&command, args].concat(), &format!("{password}\n"))
}

fn changepassword(place: &Place, username: &str, password: &str) -> Output {
    let url = place.url();
    let command = ["changepassword", "--password-stdin", "--database-url", &url];
    with_line(
        &[&command[..], &[username]].concat(),
        &format!("{password}\n"),
    )
}

fn serve(place: &Place, lines: usize) -> Served {
    let url = place.url();
    let args = ["serve", "--bind", "127.0.0.1:0", "--database-url", &url];
    Served::start(&args, &[], lines)
}

/// The status of signing in, and the refresh token.
fn sign_in(served: &Served, username: &str, password: &str) -> (u16, String) {
    let body = serde_json::json!({"username": username, "password": password});
    let (status, body) = served.post("token/", &body);
    (
        status,
        body["refresh"].as_str().unwrap_or_default().to_owned(),
    )
}

fn exported(place: &Place, name: &str) -> String {
    let folder = place.path("exported");
    roster(&["export", &folder, "--database-url", &place.url()]).ok();
    fs::read_to_string(format!("{folder}/{name}")).unwrap()
}

fn import(place: &Place, name: &str, content: &str) -> Output {
    let path = place.file(name, content);
    roster(&["import", &path, "--database-url", &place.url()])
}

#[test]
fn the_first_user_is_made_on_the_command_line() {
    let place = Place::new();
    let served = serve(&place, 1);
    assert!(
        served.greeting[0].contains("roster createuser NAME --staff"),
        "{:?}",
        served.greeting
    );
    assert_eq!(
        createuser(
            &place,
            &["boss", "--staff", "--email", "boss@example.org"],
            "analytical engine"
        )
        .ok(),
        "staff user boss made\n"
    );
    assert_eq!(
        createuser(&place, &["ada"], "difference engine\r").ok(),
        "user ada made\n"
    );
    // Beside a running server, which knows them at once.
    assert_eq!(sign_in(&served, "boss", "analytical engine").0, 200);
    assert_eq!(sign_in(&served, "ada", "difference engine").0, 200);
    assert_eq!(sign_in(&served, "ada", "difference engine\r").0, 401);
    let users = exported(&place, "users.csv");
    assert!(
        users.contains("1,boss,boss@example.org,\"$argon2id$"),
        "{users}"
    );
    drop(served);
    assert!(serve(&place, 0).greeting.is_empty());
}

#[test]
fn a_user_that_cannot_be_made_is_a_line() {
    let place = Place::new();
    createuser(&place, &["ada"], "difference engine").ok();
    let before = exported(&place, "users.csv");
    for (args, password, expected) in [
        (
            &["ADA"][..],
            "analytical engine",
            "username: user with this username already exists.\n",
        ),
        (
            &["a b"],
            "analytical engine",
            "username: Enter a valid username. This value may contain only letters, numbers, and @/./+/-/_ characters.\n",
        ),
        (
            &["bob", "--email", "x"],
            "analytical engine",
            "email: Enter a valid email address.\n",
        ),
        (
            &["countess"],
            "countess1",
            "The password is too similar to the username.\n",
        ),
        (
            &["bob"],
            "12345",
            "This password is too short. It must contain at least 8 characters.\nThis password is too common.\nThis password is entirely numeric.\n",
        ),
        (
            &["bob"],
            "",
            "This password is too short. It must contain at least 8 characters.\nThis password is entirely numeric.\n",
        ),
    ] {
        assert_eq!(
            createuser(&place, args, password).failed(),
            expected,
            "{args:?}"
        );
    }
    assert_eq!(exported(&place, "users.csv"), before);
    assert_eq!(createuser(&place, &[], "x").status, 2);
    // No password among the arguments, where everybody sees it.
    assert_eq!(
        createuser(&place, &["bob", "--password", "x"], "x").status,
        2
    );
}

#[test]
fn a_password_changed_on_the_command_line_ends_the_sessions() {
    let place = Place::new();
    createuser(&place, &["ada"], "difference engine").ok();
    let served = serve(&place, 0);
    let (_, refresh) = sign_in(&served, "ada", "difference engine");
    changepassword(&place, "ADA", "analytical engine").ok();
    assert_eq!(
        served
            .post("token/refresh/", &serde_json::json!({"refresh": refresh}))
            .0,
        401
    );
    assert_eq!(sign_in(&served, "ada", "difference engine").0, 401);
    assert_eq!(sign_in(&served, "ada", "analytical engine").0, 200);
    assert_eq!(
        changepassword(&place, "nobody", "analytical engine").failed(),
        "there is no user nobody\n"
    );
    assert_eq!(
        changepassword(&place, "ada", "12345678").failed(),
        "This password is too common.\nThis password is entirely numeric.\n"
    );
}

#[test]
fn what_the_command_line_does_to_users_is_recorded_without_their_passwords() {
    let place = Place::new();
    createuser(&place, &["ada"], "difference engine").ok();
    changepassword(&place, "ada", "analytical engine").ok();
    import(
        &place,
        "users.csv",
        "username,password\nbob,analytical engine\n",
    )
    .ok();
    let db = place.open();
    let lines: Vec<AuditEntry> = db
        .read_blocking(|conn| Ok::<_, Error>(AuditEntry::all().load(conn)?))
        .unwrap();
    db.close();
    let told: Vec<&str> = lines.iter().map(|line| line.action.as_str()).collect();
    assert_eq!(told, ["create", "update", "import"]);
    assert_eq!(lines[1].changes, "{\"password\":[null,null]}");
    for line in lines {
        assert_eq!((line.username, line.address), (None, None));
        assert!(!line.changes.contains("engine") && !line.changes.contains("argon2"));
    }
}

#[test]
fn users_and_projects_are_imported_by_the_rules() {
    let place = Place::new();
    let skills = place.file("skills.csv", "name,category\nRust,Tool\n");
    let companies = place.file("companies.csv", "name,founded_year\nAcme,1999\n");
    let users = place.file(
        "users.csv",
        "username,email,password,password_hash,is_staff,is_active\n\
         ada,ada@example.org,difference engine,,true,\n\
         bob,,,pbkdf2_sha256$1000$seasalt$mQnueSakb748zqBAC1tmWVZsZbi2zPGZarEzTGdfmso=,,false\n\
         cyd,,,,,\n",
    );
    let developers = place.file(
        "developers.csv",
        "name,company,user\nAda,Acme,ADA\nBob,Acme,\n",
    );
    let projects = place.file(
        "projects.csv",
        "owner,name,description,skills\nada,Engine,\"a\nb\",rust\nBob,Loom,,\n",
    );
    let paths = [&*projects, &developers, &users, &companies, &skills];
    let said = roster(&[&["import", "--database-url", &place.url()], &paths[..]].concat()).ok();
    assert!(
        said.contains("users.csv: 3 added") && said.contains("projects.csv: 2 added"),
        "{said}"
    );
    assert!(exported(&place, "developers.csv").contains(",ada\n"));
    assert!(exported(&place, "projects.csv").contains(",bob,Loom,,,"));
    // The same file again: plain passwords are compared, not hashed anew.
    let before = exported(&place, "users.csv");
    let said = roster(&["import", &users, "--database-url", &place.url()]).ok();
    assert!(
        said.ends_with("0 added, 0 changed, 3 unchanged\n"),
        "{said}"
    );
    assert_eq!(exported(&place, "users.csv"), before);
    let mode = fs::metadata(format!("{}/users.csv", place.path("exported")))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let served = serve(&place, 0);
    assert_eq!(sign_in(&served, "ada", "difference engine").0, 200);
    assert_eq!(
        sign_in(&served, "bob", "correct horse").0,
        401,
        "he is not active"
    );
    assert_eq!(sign_in(&served, "cyd", "").0, 400);
    assert!(
        import(&place, "users.csv", "username,is_active\nbob,true\n")
            .ok()
            .contains("1 changed")
    );
    assert_eq!(sign_in(&served, "bob", "correct horse").0, 200);
}

#[test]
fn files_of_users_and_projects_that_are_wrong() {
    let place = Place::new();
    createuser(&place, &["boss", "--staff"], "difference engine").ok();
    let before = exported(&place, "users.csv");
    let errors = |name: &str, content: &str| -> Vec<String> {
        let failed = import(&place, name, content).failed();
        let prefix = format!("{}:", place.path(name));
        let mut lines: Vec<String> = failed
            .lines()
            .map(|line| line.strip_prefix(&prefix).unwrap_or(line).to_owned())
            .collect();
        assert!(
            lines.pop().unwrap().ends_with("nothing was imported"),
            "{failed}"
        );
        lines
    };
    assert_eq!(
        errors(
            "users.csv",
            "username,email,password,password_hash,is_staff,id,date_joined\na b,,,,,,\nada,x,12345,,,,\nada,,,plain,,,\nbob,,,,perhaps,0,x\n\
             cyd,,long enough,$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc,,,\n"
                .replace("$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", "\"$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc\"")
                .as_str()
        ),
        [
            "2: username: Enter a valid username. This value may contain only letters, numbers, and @/./+/-/_ characters.",
            "3: email: Enter a valid email address.",
            "3: password: This password is too short. It must contain at least 8 characters.",
            "3: password: This password is too common.",
            "3: password: This password is entirely numeric.",
            "4: username: user with this username already exists.",
            "4: password_hash: Enter a hash of argon2id as a PHC string, or one of Django's pbkdf2_sha256.",
            "5: id: Ensure this value is greater than or equal to 1.",
            "5: is_staff: Must be a valid boolean.",
            "5: date_joined: Datetime has wrong format. Use one of these formats instead: YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z].",
            "6: password: Give a password or a password_hash, not both.",
        ]
    );
    let argon2 = "c2FsdHNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
    let django = "seasalt$mQnueSakb748zqBAC1tmWVZsZbi2zPGZarEzTGdfmso=";
    assert_eq!(
        errors(
            "users.csv",
            &format!(
                "username,password_hash\ncyd,\"$argon2id$v=19$m=1048576,t=64,p=1${argon2}\"\n\
                 dan,pbkdf2_sha256$2000001${django}\n"
            )
        ),
        [
            "2: password_hash: Ensure memory times passes of the hash are no more than 64 MiB times 10.",
            "3: password_hash: Ensure the hash has no more than 2000000 rounds.",
        ]
    );
    assert_eq!(
        errors("users.csv", "username,is_staff\nada,false\nboss,false\n"),
        ["3: The last active staff user cannot be deleted, demoted or deactivated."]
    );
    assert_eq!(
        errors("projects.csv", "owner,name,skills\n,x,\nnobody,,Go\n"),
        [
            "2: owner: Object with username= does not exist.",
            "3: owner: Object with username=nobody does not exist.",
            "3: name: This field may not be blank.",
            "3: skills: Object with name=Go does not exist.",
        ]
    );
    assert_eq!(exported(&place, "users.csv"), before);
    // One may go when another comes in the same file.
    import(
        &place,
        "users.csv",
        "username,is_staff\nboss,false\nada,true\n",
    )
    .ok();
}

#[test]
fn an_imported_password_ends_the_sessions() {
    let place = Place::new();
    createuser(&place, &["ada"], "difference engine").ok();
    let served = serve(&place, 0);
    let (_, refresh) = sign_in(&served, "ada", "difference engine");
    import(
        &place,
        "users.csv",
        "username,password\nada,analytical engine\n",
    )
    .ok();
    assert_eq!(
        served
            .post("token/refresh/", &serde_json::json!({"refresh": refresh}))
            .0,
        401
    );
    assert_eq!(sign_in(&served, "ada", "analytical engine").0, 200);
}

#[test]
fn the_key_is_made_once_and_kept_to_its_owner() {
    let place = Place::embedded();
    let url = place.url();
    let args = ["serve", "--bind", "127.0.0.1:0", "--database-url", &url];
    let key = || fs::read_to_string(place.path("roster.db.secret")).unwrap();
    createuser(&place, &["ada"], "difference engine").ok();
    let served = Served::start(&args, &[], 0);
    let (_, refresh) = sign_in(&served, "ada", "difference engine");
    drop(served);
    let first = key();
    assert!(first.trim().len() >= 43, "256 bits");
    let mode = || {
        fs::metadata(place.path("roster.db.secret"))
            .unwrap()
            .permissions()
            .mode()
            & 0o777
    };
    assert_eq!(mode(), 0o600);
    let served = Served::start(&args, &[], 0);
    assert_eq!(key(), first);
    assert_eq!(
        served
            .post("token/refresh/", &serde_json::json!({"refresh": refresh}))
            .0,
        200
    );
    drop(served);
    // One that others may read, and one that is too short.
    let set_mode = |mode| {
        fs::set_permissions(
            place.path("roster.db.secret"),
            fs::Permissions::from_mode(mode),
        )
        .unwrap();
    };
    set_mode(0o644);
    let failed = roster(&args).failed();
    assert!(
        failed.contains("others may read the secret key") && failed.lines().count() == 1,
        "{failed}"
    );
    set_mode(0o600);
    place.file("roster.db.secret", "short\n");
    assert!(
        roster(&args)
            .failed()
            .contains("the secret key is too short")
    );
    for (key, environment) in [("sesame", false), ("sesame", true), ("", false)] {
        let output = if environment {
            Output::of(roster_with(&args, &[("ROSTER_SECRET_KEY", key)]))
        } else {
            roster(&[&args[..], &["--secret-key", key]].concat())
        };
        assert_eq!(
            output.failed(),
            "the secret key is too short: it takes 32 bytes or more\n"
        );
    }
}

#[cfg(feature = "postgres")]
#[test]
fn on_postgresql_the_key_must_be_set() {
    let place = Place::new();
    if place.url().starts_with("postgres") {
        let args = [
            "serve",
            "--bind",
            "127.0.0.1:0",
            "--database-url",
            &place.url(),
        ];
        let mut command = roster_with(&args, &[]);
        command.env_remove("ROSTER_SECRET_KEY");
        assert_eq!(
            Output::of(command).failed(),
            "on PostgreSQL the secret key must be set: --secret-key, or better ROSTER_SECRET_KEY\n"
        );
    }
}

#[test]
fn the_demos_staff_user_can_sign_in() {
    let served = Served::start(&["--demo", "--bind=127.0.0.1:0"], &[], 6);
    let line = served.greeting.last().unwrap();
    let password = line.rsplit(' ').next().unwrap();
    assert!(line.contains("admin") && password.len() >= 16, "{line}");
    assert_eq!(sign_in(&served, "admin", password).0, 200);
    assert!(PasswordHash::parse(password).is_err());
}
