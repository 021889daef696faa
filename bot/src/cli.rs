//! The command line: arguments, one call each, and exit codes that a script can use.

mod ask;
mod audit;
mod brief;
mod brief_test;
mod demo;
mod doctor;
mod feedback;
mod index;
mod models;
mod out;
mod runs;
mod search;
mod serve;
mod status;
mod verify;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use clap::{Args, Parser, Subcommand};
use runlore_indexer::config::{ConfigError, Settings};
use runlore_indexer::redact::redact;
use runlore_indexer::space::Audience;
use thiserror::Error;

use crate::app::{App, ModelUse};
use crate::config::BotSettings;
use crate::store::Store;
use crate::terminal::{self, ColorChoice, Terminal};

/// The teammate that has read every run: indexes an ML team's runs, notes and pulls, and answers questions about them
#[derive(Debug, Parser)]
#[command(name = "runlore", version, propagate_version = true)]
pub struct Cli {
    /// The settings file; else ./runlore.toml, else runlore/runlore.toml in the user's configuration folder
    #[arg(long, global = true, value_name = "FILE", env = "RUNLORE_CONFIG")]
    config: Option<PathBuf>,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
    /// Whether to use colour; `auto` means on a terminal without NO_COLOR
    #[arg(long, global = true, value_enum, default_value_t = ColorChoice::Auto, value_name = "WHEN")]
    color: ColorChoice,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Read the sources and bring catalog and indexes up to date
    Index(index::IndexArgs),
    /// Index again and again, until Ctrl-C
    Watch(index::WatchArgs),
    /// Answer a question, or a file of them
    Ask(ask::AskArgs),
    /// Talk in this terminal
    Chat(Asking),
    /// Answer on the platforms that the settings name, until told to end
    Serve(serve::ServeArgs),
    /// Show what people said about answers
    Feedback(feedback::FeedbackArgs),
    /// Show who was shown what, without its words, and check that nobody changed that
    Audit(audit::AuditArgs),
    /// Find notes, pulls, configs and runs by words
    Search(search::SearchArgs),
    /// List runs, newest first
    Runs(runs::RunsArgs),
    /// Tell what a week held: runs, new bests, failures and what fixed them, pulls, decisions, open items
    Brief(brief::BriefArgs),
    /// Show the sources, what is indexed, and every complaint
    Status,
    /// Check settings, models, stores and sources, and say what to do
    Doctor,
    /// Fetch the models that Runlore runs on
    Models(models::ModelsArgs),
    /// Index a made-up team and answer three questions about it
    Demo(demo::DemoArgs),
    /// Print what catalog and indexes hold, and whether they agree
    #[command(hide = true)]
    Verify,
}

/// As whom to ask, and with what.
#[derive(Debug, Args)]
struct Asking {
    /// Answer as in this channel of the settings
    #[arg(long, value_name = "CHANNEL")]
    as_channel: Option<String>,
    /// Facts and passages alone, without the model
    #[arg(long)]
    no_model: bool,
}

/// How a command ended, as a script sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// All is well: 0.
    Fine,
    /// Done, with complaints: 1.
    Complaints,
    /// Wrong use or wrong settings: 2.
    Wrong,
    /// It could not be done: 3.
    Failure,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit as u8)
    }
}

/// Something wrong with the arguments that clap cannot know.
#[derive(Debug, Error)]
#[error("{0}")]
struct WrongUse(String);

/// What every command is told.
#[derive(Debug, Clone)]
struct Options {
    config: Option<PathBuf>,
    form: Form,
    color: ColorChoice,
}

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// Runs one command. What goes wrong is printed here, once.
pub async fn run(cli: Cli) -> Exit {
    let options = Options { config: cli.config, form: if cli.json { Form::Json } else { Form::Text }, color: cli.color };
    match dispatch(cli.command, &options).await {
        Ok(exit) => exit,
        Err(error) if is_closed_pipe(&error) => Exit::Fine,
        Err(error) => {
            eprintln!("error: {}", redact(&format!("{error:#}")).0);
            let is_wrong = error.chain().any(|cause| cause.is::<WrongUse>() || cause.is::<ConfigError>());
            if is_wrong { Exit::Wrong } else { Exit::Failure }
        }
    }
}

async fn dispatch(command: Command, options: &Options) -> anyhow::Result<Exit> {
    match command {
        Command::Index(args) => index::index(&args, options).await,
        Command::Watch(args) => index::watch(&args, options).await,
        Command::Ask(args) => ask::ask(&args, options).await,
        Command::Chat(args) => chat(&args, options).await,
        Command::Serve(args) => serve::serve(&args, options).await,
        Command::Feedback(args) => feedback::feedback(&args, options).await,
        Command::Audit(args) => audit::audit(&args, options).await,
        Command::Search(args) => search::search(&args, options).await,
        Command::Runs(args) => runs::runs(&args, options).await,
        Command::Brief(args) => brief::brief(&args, options).await,
        Command::Status => status::status(options).await,
        Command::Doctor => doctor::doctor(options).await,
        Command::Models(args) => models::models(&args, options).await,
        Command::Demo(args) => demo::demo(&args, options).await,
        Command::Verify => verify::verify(options).await,
    }
}

async fn chat(asking: &Asking, options: &Options) -> anyhow::Result<Exit> {
    if options.form == Form::Json {
        return Err(WrongUse("`chat` has no JSON; `runlore ask --json --batch -` reads questions from standard input".to_owned()).into());
    }
    let settings = options.settings()?;
    let audience = asking.audience(&settings)?;
    let terminal = asking.open(settings).await?;
    terminal::chat(Arc::new(terminal), audience, options.color).await?;
    Ok(Exit::Fine)
}

impl Options {
    /// The settings of the file that was given or found, the bot's tables checked too.
    fn settings(&self) -> anyhow::Result<Settings> {
        let settings = Settings::read(&Settings::find(self.config.as_deref())?)?;
        BotSettings::from(&settings)?;
        Ok(settings)
    }
}

impl Asking {
    /// Opens what answers; the model is loaded when it is first needed.
    async fn open(&self, settings: Settings) -> anyhow::Result<Terminal> {
        let model = if self.no_model { ModelUse::None } else { ModelUse::AsConfigured };
        let state = settings.state_url.clone();
        let app = App::open(settings, model).await.context("cannot open catalog and indexes; `runlore doctor` says more")?;
        let store = Store::open(&state).await.context("what is shown cannot be noted")?;
        Ok(Terminal::new(app, store))
    }

    /// Who will see the reply.
    fn audience(&self, settings: &Settings) -> Result<Audience, WrongUse> {
        audience(settings, self.as_channel.as_deref())
    }
}

/// The terminal, or a channel that the settings know.
fn audience(settings: &Settings, channel: Option<&str>) -> Result<Audience, WrongUse> {
    let Some(name) = channel else { return Ok(Audience::Terminal) };
    if settings.access.policy.channels().any(|known| known == name) {
        return Ok(Audience::Channel(name.to_owned()));
    }
    let known: Vec<String> = settings.access.policy.channels().map(|known| format!("`{known}`")).collect();
    let known = if known.is_empty() { "the settings name none".to_owned() } else { format!("there are {}", known.join(", ")) };
    Err(WrongUse(format!("no channel `{name}`; {known}")))
}

/// Whether there is a state: before the first question there is none on SQLite.
fn has_state(settings: &Settings) -> bool {
    settings.state_url.strip_prefix("sqlite://").is_none_or(|path| std::path::Path::new(path).exists())
}

/// Opens catalog and indexes.
async fn open_corpus(settings: &Settings) -> anyhow::Result<runlore_indexer::search::Corpus> {
    runlore_indexer::pipeline::open(settings).await.context("cannot open catalog and indexes; `runlore doctor` says more")
}

/// The state, where there is one.
async fn existing_state(settings: &Settings) -> anyhow::Result<Option<Store>> {
    Ok(if has_state(settings) { Some(Store::open(&settings.state_url).await?) } else { None })
}

/// Whether the reader of our output went away, as `head` does.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.chain().filter_map(|cause| cause.downcast_ref::<std::io::Error>()).any(|e| e.kind() == std::io::ErrorKind::BrokenPipe)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        Cli::command().debug_assert();
    }
}
