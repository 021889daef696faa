//! `runlore runs`: the typed command `runs`, with its conditions as arguments.

use clap::{Args, ValueEnum};
use jiff::tz::TimeZone;
use tokio_util::sync::CancellationToken;

use super::{Asking, Exit, Form, Options, out};
use crate::chat::Question;
use crate::surface::Surface;

#[derive(Debug, Args)]
pub(super) struct RunsArgs {
    /// Only this project
    #[arg(long)]
    project: Option<String>,
    /// Only runs with this status
    #[arg(long)]
    status: Option<Status>,
    /// Only runs whose name fits; `*` stands for anything
    #[arg(long, value_name = "GLOB")]
    name: Option<String>,
    /// Started on this day or later: 2026-05-04, yesterday, "last week"
    #[arg(long, value_name = "DATE")]
    since: Option<String>,
    /// At most so many
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// List as in this channel of the settings
    #[arg(long, value_name = "CHANNEL")]
    as_channel: Option<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Status {
    Queued,
    Running,
    Finished,
    Failed,
    Crashed,
    Killed,
    Pruned,
    Unknown,
}

/// Lists runs.
pub(super) async fn runs(args: &RunsArgs, options: &Options) -> anyhow::Result<Exit> {
    let settings = options.settings()?;
    let asking = Asking { as_channel: args.as_channel.clone(), no_model: true };
    let audience = asking.audience(&settings)?;
    let terminal = asking.open(settings).await?;
    let question = Question::new(command(args), audience).in_zone(TimeZone::system());
    let answer = terminal.answer(Surface::Runs, &question, &CancellationToken::new()).await?;
    match options.form {
        Form::Json => out::json(&answer)?,
        Form::Text => out::line(&answer.answer)?,
    }
    Ok(if answer.reference.is_some() { Exit::Failure } else { Exit::Fine })
}

/// The arguments as a typed command.
fn command(args: &RunsArgs) -> String {
    let mut text = "runs".to_owned();
    let mut add = |keyword: &str, value: &str| text.push_str(&format!(" {keyword} {value}"));
    if let Some(project) = &args.project {
        add("in", &quoted(project));
    }
    let status = args.status.map(|status| format!("status={}", format!("{status:?}").to_lowercase()));
    let name = args.name.as_ref().map(|name| format!("name={}", quoted(name)));
    let conditions: Vec<String> = status.into_iter().chain(name).collect();
    if !conditions.is_empty() {
        add("where", &conditions.join(" and "));
    }
    if let Some(since) = &args.since {
        add("since", &quoted(since));
    }
    if let Some(limit) = args.limit {
        add("limit", &limit.to_string());
    }
    text
}

/// In the quotes that the text does not hold itself.
fn quoted(text: &str) -> String {
    if text.contains('"') { format!("'{text}'") } else { format!("\"{text}\"") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_become_a_typed_command() {
        let args = RunsArgs {
            project: Some("a b".to_owned()),
            status: Some(Status::Failed),
            name: Some("x-*".to_owned()),
            since: Some("last week".to_owned()),
            limit: Some(3),
            as_channel: None,
        };
        assert_eq!(command(&args), r#"runs in "a b" where status=failed and name="x-*" since "last week" limit 3"#);
    }
}
