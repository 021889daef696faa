//! Canaries: secrets in everything that is read and typed. None is found in the data folder, in what is printed, logged, counted, posted
//! or put before the model, plain or in another spelling; what is no secret is found, so that the search can fail.

mod places;
mod scan;

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use runlore_bot::chat::{Event, Incoming, Platform};
use runlore_bot::model::scripted::{ScriptedModel, Turn};
use runlore_bot::serve::{self, ServeSettings, Service, health_router};
use runlore_bot::store::{Store, Verdict};
use runlore_indexer::config::Settings;
use runlore_tests::team::Team;
use tokio::net::TcpListener;

use self::places::{BESIDE, Canaries};
use self::scan::Scan;
use super::core::app;
use super::core::platform::{Recording, asked};

/// What who typed a secret is told.
const TOOK_SECRET: &str = "I took a secret out of your question";

/// Everything that came out of the program or its service, with where it came from.
type Said = Vec<(String, Vec<u8>)>;

#[tokio::test(flavor = "multi_thread")]
async fn no_canary_is_found_anywhere() -> Result<()> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let canaries = Canaries::fresh();
    let team = Team::new("[channels.public]\nslack = \"C1\"\nspaces = [\"team\"]\n")?;
    canaries.plant(team.folder())?;
    let mut said = run_commands(&team, &canaries)?;
    let prompts = serve_questions(&team, &canaries, &mut said).await?;
    let mut everything = said;
    everything.push(("prompts".to_owned(), prompts.clone().into_bytes()));
    files(&team.data(), &mut everything)?;

    let scan = Scan::of(canaries.all());
    let found: Vec<String> = everything.iter().flat_map(|(place, bytes)| scan.find(bytes, place)).collect();
    ensure!(found.is_empty(), "{} canaries are found:\n{}", found.len(), found.join("\n"));

    // The same search finds what is no secret in each of these places.
    let plain = Scan::of([("beside", BESIDE)]);
    for place in ["catalog.db", "bot.db", "search --json", "prompts", "feedback"] {
        let is_there = everything.iter().any(|(name, bytes)| name.contains(place) && !plain.find(bytes, name).is_empty());
        ensure!(is_there, "`{BESIDE}` is not found in {place}");
    }
    ensure!(prompts.contains("[redacted:groq-key]"), "the question did not get to the model: {prompts}");
    Ok(())
}

/// Indexes and asks by the commands, with all that can be logged.
fn run_commands(team: &Team, canaries: &Canaries) -> Result<Said> {
    let asks = format!("Which run in vessel-detect is {BESIDE}? {}", canaries.of("groq"));
    let shows = format!("run {}", places::RUN);
    let commands: [&[&str]; 10] = [
        &["index", "--json"],
        &["index"],
        &["status", "--json"],
        &["status"],
        &["search", "--json", BESIDE],
        &["search", BESIDE],
        &["search", canaries.of("huggingface")],
        &["ask", "--json", "--no-model", &asks],
        &["ask", "--no-model", &shows],
        &["verify"],
    ];
    let mut said = Said::new();
    for arguments in commands {
        let output = team.command(arguments).env("RUST_LOG", "debug").output()?;
        ensure!(output.status.code().is_some_and(|code| code <= 1), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        let form = if arguments.contains(&"--json") { " --json" } else { "" };
        said.push((format!("{}{form}", arguments[0]), output.stdout.clone()));
        said.push((format!("log of {}", arguments[0]), output.stderr));
        if arguments == ["index", "--json"] {
            counts_are_told(&output.stdout)?;
        }
    }
    let found =
        said.iter().find(|(place, _)| place == "search --json").map(|(_, bytes)| String::from_utf8_lossy(bytes)).unwrap_or_default();
    ensure!(found.contains("[redacted:huggingface-token]") && found.contains("[redacted:private-key]"), "{found}");
    let status = team.json(&["status", "--json"], &[0])?;
    let notes = status["sources"].as_array().into_iter().flatten().find(|source| source["name"] == "notes").context("no notes")?;
    ensure!(notes["n_hidden"] == 3 && notes["n_redacted"].as_u64() >= Some(4), "{notes}");
    Ok(said)
}

fn counts_are_told(report: &[u8]) -> Result<()> {
    let report: serde_json::Value = serde_json::from_slice(report)?;
    let notes = report["sources"].as_array().into_iter().flatten().find(|source| source["source"] == "notes").context("no notes")?;
    ensure!(notes["n_hidden"] == 3, "{notes}");
    let complaints = report.to_string();
    ensure!(complaints.contains("broken.json"), "the broken file is not complained of: {complaints}");
    Ok(())
}

/// Asks on a platform, changes the question, says why the answer was not useful; gives the prompts.
async fn serve_questions(team: &Team, canaries: &Canaries, said: &mut Said) -> Result<String> {
    let settings = Settings::read(&team.config())?;
    let model = Arc::new(ScriptedModel::new(vec![Turn::from("{\"tool\":\"best\",\"which\":\"best\"}"), Turn::from("nothing")]));
    let mut serve_settings = ServeSettings::from(&settings)?;
    serve_settings.health.set_port(0);
    let platform = Arc::new(Recording::default());
    let store = Store::open(&settings.state_url).await?;
    let service = Service::new(Arc::new(app(team, Some(model.clone())).await?), store, serve_settings);
    let service = Arc::new(service.with(Platform::Slack, platform.clone()));
    let running = tokio::spawn(serve::run(Arc::clone(&service)));

    let question = "Which run in vessel-detect has the best val/map besides turquoise elephants?";
    let asked = asked("C1", "1", "ada", &format!("{question} {BESIDE} My key is {}", canaries.of("groq")));
    service.take_in(&asked).await?;
    until("an answer that tells of it", || async {
        Ok(platform.standing().iter().any(|standing| standing.reply.notices.join(" ").contains(TOOK_SECRET)))
    })
    .await?;
    let Event::Asked(event) = &asked.event else { anyhow::bail!("no question") };
    let place = event.place.clone();
    let edited = Event::Edited { place, message: "1".to_owned(), text: format!("{BESIDE} {}", canaries.of("replicate")) };
    service.take_in(&Incoming { key: "edited".to_owned(), event: edited }).await?;
    service.store.judge(&asked.id(), "ada", Verdict::NotUseful, 1).await?;
    let (platform_name, person) = (Platform::Slack, "ada".to_owned());
    let note = format!("{BESIDE} {}", canaries.of("nvidia"));
    let reasoned = Event::Reasoned { platform: platform_name, person, question: asked.id(), reason: "other".to_owned(), note };
    service.take_in(&Incoming { key: "reasoned".to_owned(), event: reasoned }).await?;
    until("the reason", || async { Ok(service.store.feedback().await?.iter().any(|feedback| feedback.note.is_some())) }).await?;

    said.push(("metrics".to_owned(), metrics(&service).await?.into_bytes()));
    said.push(("posted".to_owned(), format!("{:?} {:?}", platform.standing(), service.store.kept(&asked.id()).await?).into_bytes()));
    said.push(("feedback".to_owned(), format!("{:?}", service.store.feedback().await?).into_bytes()));
    service.stop().cancel();
    running.await??;
    Ok(model.requests().iter().map(|request| format!("{request:?}\n")).collect())
}

async fn metrics(service: &Arc<Service>) -> Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let server = tokio::spawn(axum::serve(listener, health_router(Arc::clone(service))).into_future());
    let text = reqwest::get(format!("http://{address}/metrics")).await?.error_for_status()?.text().await?;
    server.abort();
    ensure!(text.contains("runlore_events"), "{text}");
    Ok(text)
}

async fn until<F: Future<Output = Result<bool>>>(what: &str, look: impl Fn() -> F) -> Result<()> {
    for _ in 0..600 {
        if look().await? {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    anyhow::bail!("there is not {what}")
}

/// Every file below a folder; what goes away meanwhile, such as a reader's own folder, holds nothing any more.
fn files(folder: &Path, found: &mut Said) -> Result<()> {
    let is_gone = |error: &std::io::Error| error.kind() == std::io::ErrorKind::NotFound;
    let listing = match fs::read_dir(folder) {
        Err(error) if is_gone(&error) => return Ok(()),
        listing => listing?,
    };
    for entry in listing {
        let path = entry?.path();
        if path.is_dir() {
            files(&path, found)?;
            continue;
        }
        match fs::read(&path) {
            Err(error) if is_gone(&error) => {}
            bytes => found.push((path.display().to_string(), bytes?)),
        }
    }
    Ok(())
}
