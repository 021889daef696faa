//! Runlore's one binary: reads arguments, sets up what the whole process shares, and makes one call.

#![forbid(unsafe_code)]

use std::process::ExitCode;

use clap::Parser;
use runlore_bot::cli::{self, Cli};
use runlore_bot::telemetry;

fn main() -> ExitCode {
    // Before anything can open a connection: the build has one provider of cryptography, and libraries must not look for another.
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        eprintln!("error: another provider of cryptography is installed already");
        return ExitCode::from(3);
    }
    let cli = Cli::parse();
    telemetry::set_up();
    match tokio::runtime::Runtime::new() {
        Ok(runtime) => {
            let exit = runtime.block_on(cli::run(cli));
            // A thread that waits for a key or computes must not keep the process.
            runtime.shutdown_background();
            exit.into()
        }
        Err(e) => {
            eprintln!("error: cannot start: {e}");
            ExitCode::from(3)
        }
    }
}
