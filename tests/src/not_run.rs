//! Says that a test did not run, and why: where what it needs lies outside the repository, it must not count as passed.

use std::fs::OpenOptions;
use std::io::Write;

/// Reports that `test` was not run. The line goes to the file that `RUNLORE_NOT_RUN` names, from which `make test`
/// prints the list and the count at the end; where none is named, to standard error, past the runner's capture.
pub fn not_run(test: &str, reason: &str) {
    let line = format!("{test}: {reason}\n");
    let file = std::env::var_os("RUNLORE_NOT_RUN").and_then(|path| OpenOptions::new().create(true).append(true).open(path).ok());
    // One write for the whole line: tests of several processes append to the same file.
    let _ = match file {
        Some(mut file) => file.write_all(line.as_bytes()),
        None => std::io::stderr().write_all(format!("not run: {line}").as_bytes()),
    };
}
