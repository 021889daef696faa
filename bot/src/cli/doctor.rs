//! `runlore doctor`: checks settings, models, stores, sources and platforms, and says what to do.

mod models;
mod platforms;
mod sources;

use std::path::Path;

use runlore_indexer::config::Settings;
use runlore_indexer::pipeline;
use runlore_indexer::space::Space;
use serde::Serialize;

use super::{Exit, Form, Options, out};
use crate::config::BotSettings;

/// Free space below which indexing may stop in the middle, in bytes.
const LITTLE_SPACE: u64 = 1 << 30;

/// What one check found.
#[derive(Debug, Serialize)]
struct Check {
    name: String,
    state: State,
    /// What was found.
    detail: String,
    /// What to do.
    advice: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Ok,
    /// It works, but not as it could.
    Warning,
    Broken,
}

impl Check {
    fn ok(name: &str, detail: impl Into<String>) -> Self {
        Self { name: name.to_owned(), state: State::Ok, detail: detail.into(), advice: None }
    }

    fn warning(name: &str, detail: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { name: name.to_owned(), state: State::Warning, detail: detail.into(), advice: Some(advice.into()) }
    }

    fn broken(name: &str, detail: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { name: name.to_owned(), state: State::Broken, detail: detail.into(), advice: Some(advice.into()) }
    }
}

/// The checks so far; each is printed as soon as it is made.
struct Findings {
    form: Form,
    checks: Vec<Check>,
}

impl Findings {
    fn add(&mut self, check: Check) -> std::io::Result<()> {
        if self.form == Form::Text {
            out::line(&text(&check))?;
        }
        self.checks.push(check);
        Ok(())
    }
}

/// Makes every check.
pub(super) async fn doctor(options: &Options) -> anyhow::Result<Exit> {
    let settings = Settings::read(&Settings::find(options.config.as_deref())?)?;
    let bot = BotSettings::from(&settings)?;
    let mut findings = Findings { form: options.form, checks: Vec::new() };
    findings
        .add(Check::ok("settings", format!("`{}`, {}", settings.file.display(), out::count(settings.sources.len() as u64, "source"))))?;
    findings.add(data_folder(&settings.data))?;
    findings.add(models::embedding(&settings.embed).await)?;
    findings.add(models::chat(&bot.model).await)?;
    for check in stores(&settings).await {
        findings.add(check)?;
    }
    for source in &settings.sources {
        findings.add(sources::reach(&source.source).await)?;
    }
    if settings.sources.is_empty() {
        findings.add(Check::warning(
            "sources",
            "the settings name none",
            "add a `[[source]]`; config/runlore.toml is an example to copy",
        ))?;
    }
    for check in platforms::platforms(&settings).await {
        findings.add(check)?;
    }
    if options.form == Form::Json {
        out::json(&findings.checks)?;
    }
    Ok(exit_of(&findings.checks))
}

fn exit_of(checks: &[Check]) -> Exit {
    match checks {
        _ if checks.iter().any(|check| check.state == State::Broken) => Exit::Failure,
        _ if checks.iter().any(|check| check.state == State::Warning) => Exit::Complaints,
        _ => Exit::Fine,
    }
}

fn text(check: &Check) -> String {
    let state = match check.state {
        State::Ok => "ok     ",
        State::Warning => "warning",
        State::Broken => "broken ",
    };
    let advice = check.advice.as_ref().map(|advice| format!("\n         -> {advice}")).unwrap_or_default();
    format!("{state}  {}: {}{advice}", check.name, check.detail)
}

fn data_folder(data: &Path) -> Check {
    let shown = data.display();
    let probe = data.join(".doctor");
    let written = std::fs::create_dir_all(data).and_then(|()| std::fs::write(&probe, "")).and_then(|()| std::fs::remove_file(&probe));
    if let Err(e) = written {
        return Check::broken(
            "data folder",
            format!("cannot write to `{shown}`: {e}"),
            "give this user the right to write there, or change `[data] path`",
        );
    }
    match fs4::available_space(data) {
        Ok(free) if free < LITTLE_SPACE => {
            Check::warning("data folder", format!("`{shown}`, only {} MB free", free >> 20), "make room, or change `[data] path`")
        }
        Ok(free) => Check::ok("data folder", format!("`{shown}`, {} GB free", free >> 30)),
        Err(e) => Check::ok("data folder", format!("`{shown}`, free space unknown: {e}")),
    }
}

async fn stores(settings: &Settings) -> Vec<Check> {
    let rebuild = "remove what is broken and run `runlore index`: catalog and indexes are rebuilt from the sources";
    let corpus = match pipeline::open(settings).await {
        Ok(corpus) => corpus,
        Err(e) => return vec![Check::broken("stores", e.to_string(), rebuild)],
    };
    let (change, spaces) = match (corpus.catalog.last_change().await, corpus.catalog.spaces().await) {
        (Ok(change), Ok(spaces)) => (change, spaces),
        (Err(e), _) | (_, Err(e)) => return vec![Check::broken("catalog", e.to_string(), rebuild)],
    };
    let catalog = match change {
        0 => Check::warning("catalog", "empty", "run `runlore index`"),
        n => Check::ok("catalog", format!("up to change {n}, {}", out::count(spaces.len() as u64, "space"))),
    };
    // An index that has nothing yet must answer too.
    let spaces = if spaces.is_empty() { Space::new("probe").into_iter().collect() } else { spaces };
    let (keyword, vectors) = (corpus.keyword, corpus.vectors);
    let probed = tokio::task::spawn_blocking(move || {
        let keyword = spaces.iter().try_for_each(|space| keyword.applied(space).map(|_| ())).map_err(|e| e.to_string());
        let vector = spaces.iter().try_for_each(|space| vectors.applied(space).map(|_| ())).map_err(|e| e.to_string());
        (keyword, vector)
    });
    let (keyword, vector) = probed.await.unwrap_or_else(|e| (Err(e.to_string()), Err(e.to_string())));
    let index = |name: &str, probed: Result<(), String>, advice: &str| match probed {
        Ok(()) => Check::ok(name, "serves"),
        Err(e) => Check::broken(name, e, advice),
    };
    let vector_advice = "where `[index] vectors` is `qdrant`, check that the server runs; else remove the folder and run `runlore index`";
    vec![catalog, index("keyword index", keyword, rebuild), index("vector index", vector, vector_advice)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_check_decides() {
        let (ok, warning, broken) = (Check::ok("a", ""), Check::warning("b", "", ""), Check::broken("c", "", ""));
        assert_eq!(exit_of(&[]), Exit::Fine);
        assert_eq!(exit_of(&[ok, warning]), Exit::Complaints);
        assert_eq!(exit_of(&[broken, Check::ok("a", "")]), Exit::Failure);
    }
}
