//! The binary: reads the command line, runs the command, and sets the exit status.

use std::process::ExitCode;

use roster::{
    commands,
    config::{Cli, Cmd},
    logging,
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A command that failed.
const FAILED: u8 = 1;

fn main() -> ExitCode {
    let cli = match Cli::read(std::env::args_os()) {
        Ok(cli) => cli,
        // Help and version go to standard output with status 0, wrong usage to standard error with 2.
        Err(error) => error.exit(),
    };
    // Dropping the guard at the end writes the last lines of the log.
    let _log = if let Cmd::Serve(serve) = &cli.command {
        Some(logging::for_server(serve.settings.log_format))
    } else {
        logging::for_command();
        None
    };
    match commands::run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            for line in failure.to_string().lines() {
                let _ = std::io::Write::write_fmt(&mut std::io::stderr(), format_args!("{line}\n"));
            }
            ExitCode::from(FAILED)
        }
    }
}
