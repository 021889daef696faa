//! `runlore index` and `runlore watch`.

mod forget;
mod progress;

use std::time::Duration;

use clap::Args;
use runlore_indexer::config::Settings;
use runlore_indexer::pipeline::{self, Deletions, Order};
use runlore_indexer::redact::{Taken, redact};
use runlore_indexer::report::{Report, SourceReport};
use runlore_indexer::search::Corpus;

use self::forget::forget_gone;
use self::progress::Reporter;
use super::{Exit, Form, Options, WrongUse, open_corpus, out};

/// Complaints of one source that are printed; `runlore status` has them all.
const MAX_PRINTED: usize = 20;

#[derive(Debug, Args)]
pub(super) struct IndexArgs {
    /// Delete what the sources no longer list, even where that is more than a fifth
    #[arg(long)]
    accept_deletions: bool,
    /// Only this source
    #[arg(long, value_name = "SOURCE")]
    only: Option<String>,
    /// Afterwards check that catalog and indexes agree
    #[arg(long)]
    verify: bool,
}

#[derive(Debug, Args)]
pub(super) struct WatchArgs {
    /// How long to wait between two rounds: 30s, 5m, 1h
    #[arg(long, default_value = "60s", value_parser = wait, value_name = "TIME")]
    every: Duration,
}

fn wait(text: &str) -> Result<Duration, String> {
    let wait: jiff::SignedDuration = text.parse().map_err(|_| "no length of time; write it as 30s, 5m or 1h".to_owned())?;
    Duration::try_from(wait).ok().filter(|wait| *wait >= Duration::from_secs(1)).ok_or_else(|| "it must be 1s or more".to_owned())
}

/// Reads the sources once.
pub(super) async fn index(args: &IndexArgs, options: &Options) -> anyhow::Result<Exit> {
    let settings = options.settings()?;
    check_only(&settings, args.only.as_deref())?;
    let corpus = open_corpus(&settings).await?;
    let deletions = if args.accept_deletions { Deletions::Accept } else { Deletions::Ask };
    let report = read_sources(&settings, &corpus, &Order { deletions, only: args.only.clone() }).await?;
    print(&report, options.form)?;
    if settings.sources.is_empty() {
        eprintln!("note: the settings `{}` name no source; add a `[[source]]`", settings.file.display());
    }
    let agree = if args.verify { super::verify::check(&corpus, options.form).await? } else { Exit::Fine };
    Ok(exit_of(&report).max(agree))
}

/// Reads the sources, with progress on standard error.
pub(super) async fn read_sources(settings: &Settings, corpus: &Corpus, order: &Order) -> anyhow::Result<Report> {
    let reporter = Reporter::new();
    let report = pipeline::index(settings, corpus, order, &|progress| reporter.take(progress)).await;
    reporter.end();
    let report = report?;
    forget_gone(settings, corpus).await;
    Ok(report)
}

/// Reads the sources again and again, as the settings name and place them by then. A round that fails is told and does not end the watch.
pub(super) async fn watch(args: &WatchArgs, options: &Options) -> anyhow::Result<Exit> {
    let mut settings = options.settings()?;
    let corpus = open_corpus(&settings).await?;
    if options.form == Form::Text {
        eprintln!("reading {} every {}; Ctrl-C ends it", out::count(settings.sources.len() as u64, "source"), shown(args.every));
    }
    let mut last: Option<Report> = None;
    // Being stopped in the middle is no harm: indexing goes on where it stopped.
    let stopped = tokio::signal::ctrl_c();
    tokio::pin!(stopped);
    loop {
        match options.settings() {
            // Catalog and indexes stay where they were opened.
            Ok(now) => (settings.sources, settings.access) = (now.sources, now.access),
            Err(error) => eprintln!("error: {error:#}; the last good settings stay"),
        }
        let round = async {
            match pipeline::index(&settings, &corpus, &Order::default(), &|_| {}).await {
                Ok(report) => {
                    if last.as_ref().is_none_or(|last| is_news(&report, last)) {
                        print(&report, options.form)?;
                    }
                    last = Some(report);
                    forget_gone(&settings, &corpus).await;
                }
                Err(error) => eprintln!("error: {}; the next round tries again", redact(&error.to_string()).0),
            }
            tokio::time::sleep(args.every).await;
            anyhow::Ok(())
        };
        tokio::select! {
            done = round => done?,
            _ = &mut stopped => return Ok(Exit::Fine),
        }
    }
}

fn shown(wait: Duration) -> String {
    jiff::SignedDuration::try_from(wait).map_or_else(|_| format!("{wait:?}"), |wait| format!("{wait:#}"))
}

fn check_only(settings: &Settings, only: Option<&str>) -> Result<(), WrongUse> {
    let names: Vec<&str> = settings.sources.iter().map(|source| source.source.name.as_str()).collect();
    match only {
        Some(name) if !names.contains(&name) => Err(WrongUse(format!("no source `{name}`; there are {}", names.join(", ")))),
        _ => Ok(()),
    }
}

/// Something changed, or something else is wrong than the last time.
fn is_news(report: &Report, last: &Report) -> bool {
    let has_changes = |s: &SourceReport| s.n_added + s.n_changed + s.n_deleted > 0;
    let wrongs =
        |r: &Report| -> Vec<_> { r.sources.iter().map(|s| (s.complaints.clone(), s.failure.clone(), s.question.clone())).collect() };
    report.sources.iter().any(has_changes) || wrongs(report) != wrongs(last) || report.vectors_failure != last.vectors_failure
}

/// The exit code of a report.
pub(super) fn exit_of(report: &Report) -> Exit {
    match report {
        report if report.is_failure() => Exit::Failure,
        report if report.is_clean() => Exit::Fine,
        _ => Exit::Complaints,
    }
}

/// Prints a report.
pub(super) fn print(report: &Report, form: Form) -> anyhow::Result<()> {
    match form {
        Form::Json => out::json(report)?,
        Form::Text => out::line(&text(report))?,
    }
    Ok(())
}

fn text(report: &Report) -> String {
    let rows: Vec<Vec<String>> = report.sources.iter().map(row).collect();
    let mut lines = vec![out::table(&rows)];
    lines.extend(report.sources.iter().flat_map(wrongs));
    if let Some(failure) = &report.vectors_failure {
        lines.push(format!("no vectors: {failure}; until then keywords alone answer, `runlore doctor` says what to do"));
    }
    let seconds = report.duration_ms as f64 / 1000.0;
    lines.push(format!("{} indexed, {} embedded, in {seconds:.1} s", out::count(report.n_applied, "chunk"), report.n_embedded));
    lines.retain(|line| !line.is_empty());
    lines.join("\n")
}

fn row(source: &SourceReport) -> Vec<String> {
    let state = if source.failure.is_some() { "not read" } else { "read" };
    let mut counts =
        vec![format!("{} new", source.n_added), format!("{} changed", source.n_changed), format!("{} same", source.n_unchanged)];
    if source.n_deleted > 0 {
        counts.push(format!("{} removed", source.n_deleted));
    }
    counts.extend(taken_out(Taken { n_secrets: source.n_redacted, n_hidden: source.n_hidden }));
    vec![source.source.clone(), state.to_owned(), counts.join(", ")]
}

/// What was taken out, where anything was: `2 secrets and 3 hidden characters taken out`.
pub(super) fn taken_out(taken: Taken) -> Option<String> {
    let counts = [(taken.n_secrets, "secret"), (taken.n_hidden, "hidden character")];
    let told: Vec<String> = counts.into_iter().filter(|(n, _)| *n > 0).map(|(n, what)| out::count(n, what)).collect();
    (!told.is_empty()).then(|| format!("{} taken out", told.join(" and ")))
}

fn wrongs(source: &SourceReport) -> Vec<String> {
    let name = &source.source;
    let mut lines: Vec<String> = source.failure.iter().map(|failure| format!("{name}: {failure}")).collect();
    lines.extend(source.question.clone());
    lines.extend(
        source.complaints.iter().take(MAX_PRINTED).map(|complaint| format!("{name}: `{}`: {}", complaint.place, complaint.message)),
    );
    if source.complaints.len() > MAX_PRINTED {
        lines.push(format!("{name}: {} more complaints; `runlore status` lists them", source.complaints.len() - MAX_PRINTED));
    }
    lines
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use runlore_indexer::report::PlacedComplaint;

    use super::*;

    fn report() -> Report {
        let complaint = PlacedComplaint { place: "a.md:3".to_owned(), message: "no front matter".to_owned() };
        let notes =
            SourceReport { source: "notes".to_owned(), n_added: 3, n_deleted: 1, complaints: vec![complaint], ..SourceReport::default() };
        let runs = SourceReport { source: "runs".to_owned(), failure: Some("`db` is locked".to_owned()), ..SourceReport::default() };
        Report { sources: vec![notes, runs], n_applied: 1, n_embedded: 1, duration_ms: 1234, ..Report::default() }
    }

    #[test]
    fn a_report_lists_every_source_and_every_wrong() {
        expect![[r#"
            notes  read      3 new, 0 changed, 0 same, 1 removed
            runs   not read  0 new, 0 changed, 0 same
            notes: `a.md:3`: no front matter
            runs: `db` is locked
            1 chunk indexed, 1 embedded, in 1.2 s"#]]
        .assert_eq(&text(&report()));
    }

    #[test]
    fn what_was_taken_out_is_told() {
        let taken = |n_secrets, n_hidden| taken_out(Taken { n_secrets, n_hidden });
        assert_eq!(taken(0, 0), None);
        assert_eq!(taken(1, 0).as_deref(), Some("1 secret taken out"));
        assert_eq!(taken(2, 3).as_deref(), Some("2 secrets and 3 hidden characters taken out"));
    }

    #[test]
    fn exit_codes_tell_complaints_from_failure() {
        let mut report = report();
        assert_eq!(exit_of(&report), Exit::Complaints);
        report.sources.remove(0);
        assert_eq!(exit_of(&report), Exit::Failure);
        assert_eq!(exit_of(&Report::default()), Exit::Fine);
    }

    #[test]
    fn a_watch_tells_changes_and_new_wrongs_only() {
        let quiet = |report: Report| Report {
            sources: report.sources.into_iter().map(|s| SourceReport { n_added: 0, n_deleted: 0, ..s }).collect(),
            ..report
        };
        assert!(is_news(&report(), &report()));
        assert!(!is_news(&quiet(report()), &report()));
        assert!(is_news(&Report { vectors_failure: Some("gone".to_owned()), ..quiet(report()) }, &report()));
    }
}
