use std::io::{self, Write as _};

use tempfile::TempDir;

use super::{Failure, import};
use crate::{
    config::Serve,
    db::{Db, Readiness, Target},
    server::{self, Signals},
};

pub fn run(target: &Target, args: &Serve) -> Result<(), Failure> {
    // Kept until the end, for it removes the folder with the database.
    let demo = if args.demo { Some(demo()?) } else { None };
    let target = demo.as_ref().map_or(target, |(_, target)| target);
    let db = Db::open(target, Readiness::CreateWhenNew)?;
    if demo.is_some() {
        import::sample(&db)?;
    }
    let ended = actix_web::rt::System::new().block_on(serve(&db, target, args));
    db.close();
    ended
}

/// A folder that lasts as long as its guard, and the database in it.
fn demo() -> Result<(TempDir, Target), Failure> {
    let folder = TempDir::with_prefix(format!("roster-demo-{}-", std::process::id()))?;
    let target = Target::Sqlite(folder.path().join("roster.db"));
    Ok((folder, target))
}

async fn serve(db: &Db, target: &Target, args: &Serve) -> Result<(), Failure> {
    let settings = server::Settings {
        bind: args.bind.clone(),
        workers: args.workers.map_or_else(cores, usize::from),
        shutdown_timeout: args.shutdown_timeout,
    };
    // Before anybody can know that there is a server.
    let signals = Signals::catch()?;
    let (server, addresses) = server::listen(db, &settings)
        .map_err(|error| Failure::new(format!("cannot listen on {}: {error}", settings.bind)))?;
    let mut out = io::stdout();
    for address in addresses {
        writeln!(
            out,
            "roster {} serves {target} at http://{address}/api/",
            env!("CARGO_PKG_VERSION")
        )?;
        if args.demo {
            greet(&mut out, &format!("http://{address}/api"))?;
        }
    }
    out.flush()?;
    let handle = server.handle();
    let (ended, ()) = tokio::join!(server, signals.end(handle));
    Ok(ended?)
}

fn greet(out: &mut impl io::Write, api: &str) -> io::Result<()> {
    writeln!(
        out,
        "It is the sample directory, and it is gone when this ends (Ctrl-C). Try:"
    )?;
    writeln!(out, "  curl '{api}/developers/?page_size=2'")?;
    writeln!(
        out,
        "  curl '{api}/developers/?senior=true&skill=Rust&skill=Linux&page_size=1'"
    )?;
    writeln!(out, "  curl '{api}/companies/1/'")
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
