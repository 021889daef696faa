//! The service with a recording platform: every question ends once, whatever the model does; askers are served fairly.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, ensure};
use runlore_bot::chat::{Event, Platform};
use runlore_bot::model::scripted::{ScriptedModel, Turn};
use runlore_bot::serve::{self, ServeSettings, Service};
use runlore_bot::store::{AuditFilter, Store};
use runlore_indexer::config::Settings;
use runlore_tests::team::Team;
use tokio::task::JoinHandle;

use super::platform::{Goes, Recording, asked};
use super::{app, team};

pub const QUESTION: &str = "Which run in vessel-detect has the best val/map?";
pub const CHANNELS: &str = "[channels.public]\nslack = \"C1\"\nspaces = [\"team\"]\n";

/// A running service and its platform.
pub struct Bench {
    pub service: Arc<Service>,
    /// Slack, where most of it happens.
    pub platform: Arc<Recording>,
    pub discord: Arc<Recording>,
    pub model: Arc<ScriptedModel>,
    pub team: Team,
    running: JoinHandle<anyhow::Result<()>>,
}

impl Bench {
    pub async fn open(more: &str, turns: Vec<Turn>) -> Result<Self> {
        Self::over(team(&format!("{CHANNELS}{more}"))?, turns).await
    }

    /// A service over a team that is indexed already.
    pub async fn over(team: Team, turns: Vec<Turn>) -> Result<Self> {
        let settings = Settings::read(&team.config())?;
        let model: Arc<ScriptedModel> = Arc::new(ScriptedModel::new(turns));
        let app = app(&team, Some(model.clone())).await?;
        let mut serve_settings = ServeSettings::from(&settings)?;
        serve_settings.health.set_port(0);
        let (platform, discord) = (Arc::new(Recording::default()), Arc::new(Recording::default()));
        let store = Store::open(&settings.state_url).await?;
        let service = Service::new(Arc::new(app), store, serve_settings);
        let service = service.with(Platform::Slack, platform.clone()).with(Platform::Discord, discord.clone());
        let service = Arc::new(service);
        let running = tokio::spawn(serve::run(Arc::clone(&service)));
        Ok(Self { service, platform, discord, model, team, running })
    }

    pub async fn ask(&self, message: &str, asker: &str, text: &str) -> Result<()> {
        Ok(self.service.take_in(&asked("C1", message, asker, text)).await?)
    }

    /// Waits until so many questions have ended in this state.
    pub async fn until_ended(&self, state: &str, n: i64) -> Result<()> {
        for _ in 0..600 {
            let counts = self.service.store.question_counts().await?;
            if counts.iter().any(|(name, count)| name == state && *count >= n) {
                return self.until_posted().await;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        anyhow::bail!("no {n} questions are {state}: {:?}", self.service.store.question_counts().await?)
    }

    pub async fn until_standing(&self, n: usize) -> Result<()> {
        for _ in 0..400 {
            if self.platform.standing().len() >= n {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        anyhow::bail!("{n} messages do not stand there: {:?}", self.platform.standing())
    }

    pub async fn until_posted(&self) -> Result<()> {
        for _ in 0..600 {
            if self.service.store.due(i64::MAX, 1).await?.is_empty() {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        anyhow::bail!("not all is posted: {:?}", self.service.store.outbox_counts().await?)
    }

    pub async fn end(self) -> Result<()> {
        self.service.stop().cancel();
        self.running.await??;
        drop(self.team);
        Ok(())
    }

    pub fn headlines(&self) -> Vec<String> {
        self.platform.standing().into_iter().map(|standing| standing.reply.headline).collect()
    }
}

#[tokio::test]
async fn a_model_that_hangs_breaks_off_or_talks_nonsense_costs_only_its_sentence() -> Result<()> {
    let panics = Turn::Computed(Box::new(|_| panic!("the model takes the task down")));
    let bench = Bench::open("[serve]\ndeadline_s = 2\n", vec![Turn::Hangs, Turn::from("@channel 17 http://evil.example"), panics]).await?;
    for (i, asker) in ["ada", "grace", "alan"].iter().enumerate() {
        bench.ask(&i.to_string(), asker, QUESTION).await?;
    }
    bench.until_ended("answered", 2).await?;
    bench.until_ended("failed", 1).await?;
    let headlines = bench.headlines();
    ensure!(headlines.len() == 3, "{headlines:?}");
    ensure!(headlines.iter().filter(|headline| headline.contains("val/map")).count() == 2, "{headlines:?}");
    ensure!(headlines.iter().filter(|headline| headline.contains("Something went wrong on my side")).count() == 1, "{headlines:?}");
    ensure!(!format!("{:?}", bench.platform.standing()).contains("evil"));
    bench.end().await
}

#[tokio::test]
async fn the_same_event_twice_is_one_question_and_a_flood_is_told_so() -> Result<()> {
    let bench = Bench::open("[serve]\nwaiting_per_asker = 2\n[limits]\nper_asker = 8\n", vec![Turn::Hangs]).await?;
    for _ in 0..3 {
        bench.ask("1", "ada", "best val/map in vessel-detect").await?;
    }
    bench.until_ended("answered", 1).await?;
    ensure!(bench.platform.standing().len() == 1);
    bench.ask("2", "ada", QUESTION).await?;
    // Its facts stand, its sentence hangs.
    for _ in 0..200 {
        if bench.platform.standing().len() == 2 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    for i in 3..12 {
        bench.ask(&i.to_string(), "ada", "best val/map in vessel-detect").await?;
    }
    // Two wait behind the one that hangs; the next are too many of hers, and then too many for a minute.
    bench.until_ended("refused", 6).await?;
    let headlines = bench.headlines().join("\n");
    ensure!(headlines.contains("I am still at your other questions") && headlines.contains("You have asked a lot"), "{headlines}");
    Ok(())
}

#[tokio::test]
async fn taken_back_and_reworded_questions() -> Result<()> {
    let bench = Bench::open("", vec![Turn::Hangs, Turn::Hangs, Turn::from("no")]).await?;
    bench.ask("1", "ada", QUESTION).await?;
    let place = match asked("C1", "1", "ada", "").event {
        Event::Asked(asked) => asked.place,
        other => anyhow::bail!("{other:?}"),
    };
    for _ in 0..200 {
        if !bench.platform.standing().is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let edited = Event::Edited { place: place.clone(), message: "1".to_owned(), text: "count in vessel-detect".to_owned() };
    bench.service.take_in(&runlore_bot::chat::Incoming { key: "e1".to_owned(), event: edited }).await?;
    bench.until_ended("answered", 1).await?;
    ensure!(bench.headlines().len() == 1 && bench.headlines()[0].contains("runs"), "{:?}", bench.headlines());

    bench.ask("2", "ada", QUESTION).await?;
    let deleted = Event::Deleted { place, message: "2".to_owned() };
    bench.service.take_in(&runlore_bot::chat::Incoming { key: "e2".to_owned(), event: deleted }).await?;
    bench.until_ended("cancelled", 1).await?;
    for _ in 0..200 {
        if bench.platform.standing().iter().skip(1).all(|standing| standing.key == "removed") {
            return bench.end().await;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    anyhow::bail!("the facts of a question that was taken back still stand: {:?}", bench.platform.standing())
}

#[tokio::test]
async fn stop_said_in_the_thread_stops_ones_own_question_alone() -> Result<()> {
    let bench = Bench::open("", vec![Turn::Hangs]).await?;
    bench.ask("1", "ada", QUESTION).await?;
    bench.until_standing(1).await?;
    let stop = |message: &str, asker: &str| {
        let mut incoming = asked("C1", message, asker, "Stop!");
        if let Event::Asked(asked) = &mut incoming.event {
            asked.place.thread = Some("1".to_owned());
        }
        incoming
    };
    bench.service.take_in(&stop("2", "grace")).await?;
    tokio::time::sleep(Duration::from_millis(300)).await;
    ensure!(bench.platform.standing()[0].key != "removed", "somebody else stopped it");
    bench.service.take_in(&stop("3", "ada")).await?;
    bench.until_ended("cancelled", 2).await?;
    ensure!(bench.platform.standing()[0].key == "removed", "{:?}", bench.platform.standing());
    bench.end().await
}

/// A channel that is shared with another organisation while an answer is made does not get it.
#[tokio::test]
async fn who_may_read_is_asked_again_before_posting() -> Result<()> {
    let bench = Bench::open("[serve]\ndeadline_s = 2\n", vec![Turn::Hangs]).await?;
    bench.ask("1", "ada", QUESTION).await?;
    bench.until_standing(1).await?;
    ensure!(bench.headlines()[0].contains("val/map"), "{:?}", bench.headlines());
    bench.platform.channel.lock().unwrap().is_shared = true;
    bench.until_ended("answered", 1).await?;
    ensure!(bench.headlines().len() == 1 && bench.headlines()[0].contains("changed while I answered"), "{:?}", bench.headlines());
    let rows = bench.service.store.audit_rows(&AuditFilter::default(), 9).await?;
    let surfaces: Vec<(&str, bool)> = rows.iter().map(|row| (row.surface.as_str(), row.records.is_empty())).collect();
    ensure!(surfaces == [("facts", false), ("answer", false), ("refusal", true)], "{rows:?}");
    bench.end().await
}

#[tokio::test]
async fn what_a_restart_finds_open_is_answered() -> Result<()> {
    let bench = Bench::open("", vec![Turn::Hangs]).await?;
    bench.ask("1", "ada", QUESTION).await?;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let settings = Settings::read(&bench.team.config())?;
    bench.running.abort();
    // The same state under a new service, whose platform loses the first message without a word.
    let app = app(&bench.team, None).await?;
    let mut serve_settings = ServeSettings::from(&settings)?;
    serve_settings.health.set_port(0);
    bench.platform.next_sends(&[Goes::Unsaid]);
    let service = Service::new(Arc::new(app), Store::open(&settings.state_url).await?, serve_settings);
    let service = Arc::new(service.with(Platform::Slack, bench.platform.clone()));
    let running = tokio::spawn(serve::run(Arc::clone(&service)));
    let again =
        Bench { service, platform: bench.platform.clone(), discord: bench.discord.clone(), model: bench.model, team: bench.team, running };
    again.until_ended("answered", 1).await?;
    ensure!(again.platform.standing().len() == 1, "{:?}", again.platform.standing());
    again.end().await
}
