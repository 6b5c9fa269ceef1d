//! The clients that openapi-generator and orval make: many languages' ways to read one description.

use std::{fs, path::Path, process::Command};

use super::{description, directory, folder, generated::toured, npm, python, run};
use crate::support::{PASSWORD, Place};

/// The code that openapi-generator makes for that language, in a folder of the place.
fn generate(place: &Place, language: &str, properties: &str) -> String {
    let out = place.path(language);
    let complaint = run(python("openapi-generator-cli")
        .args(["generate", "--generator-name", language])
        .args(["--input-spec", &description(place), "--output", &out])
        .args(["--additional-properties", properties]));
    assert!(!complaint.contains("[main] ERROR"), "{complaint}");
    out
}

/// Compiles every file of a folder as strictly as the tour.
fn compile(folder_of_code: &str) {
    let settings = r#"{
        "compilerOptions": {
            "target": "es2022", "module": "esnext", "moduleResolution": "bundler", "lib": ["es2022", "dom", "dom.iterable"],
            "strict": true, "noEmit": true, "types": []
        },
        "include": ["**/*.ts"]
    }"#;
    let path = Path::new(folder_of_code).join("tsconfig.json");
    fs::write(&path, settings).unwrap();
    let compiler = folder("typescript").join("node_modules/.bin/tsc");
    run(Command::new(compiler).arg("--project").arg(path));
}

#[test]
#[ignore = "needs tests/clients/install"]
fn the_generators_python_works() {
    let app = directory();
    let user = app.user("ada");
    let place = Place::embedded();
    let package = generate(&place, "python", "packageName=roster_generated");
    let printed = run(python("python")
        .args(["generated_tour.py", &app.url(""), "ada", PASSWORD])
        .env("PYTHONPATH", package));
    toured(&user, &printed);
}

#[test]
#[ignore = "needs tests/clients/install"]
fn the_generators_typescript_compiles_strictly() {
    let place = Place::embedded();
    compile(&generate(&place, "typescript-fetch", "supportsES6=true"));
}

/// With the versions of its dependencies that are kept, so that a new one of theirs breaks nothing here.
#[test]
#[ignore = "needs tests/clients/install"]
fn the_generators_rust_compiles() {
    let place = Place::embedded();
    let properties = "packageName=roster_client,packageVersion=0.0.0";
    let package = generate(&place, "rust", properties);
    fs::copy(
        folder("rust").join("Cargo.lock"),
        Path::new(&package).join("Cargo.lock"),
    )
    .unwrap();
    let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join("rust-client");
    run(Command::new(env!("CARGO"))
        .args(["check", "--quiet", "--locked", "--no-default-features"])
        .current_dir(package)
        .env("CARGO_TARGET_DIR", kept));
}

#[test]
#[ignore = "needs tests/clients/install"]
fn orvals_typescript_compiles_strictly() {
    let place = Place::embedded();
    let out = place.path("orval");
    run(npm("orval")
        .env("DESCRIPTION", description(&place))
        .env("GENERATED", &out));
    compile(&out);
}

#[test]
#[ignore = "needs tests/clients/install"]
fn the_linters_have_nothing_to_say() {
    let place = Place::embedded();
    run(npm("lint").env("DESCRIPTION", description(&place)));
}
