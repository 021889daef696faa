//! A team with a bot, and a second one that differs only in what the scripts' audience may not read.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, ensure};
use runlore_bot::app::{App, ModelUse};
use runlore_bot::chat::{Incoming, Platform};
use runlore_bot::model::LanguageModel;
use runlore_bot::serve::{self, NotTakenIn, ServeSettings, Service};
use runlore_bot::store::Store;
use runlore_indexer::config::Settings;
use runlore_indexer::pipeline::{self, Deletions, Order};
use runlore_tests::dice::Dice;
use serde_json::Value;
use tempfile::TempDir;
use tokio::task::JoinHandle;

use super::clock;
use super::paper::Paper;
use super::records::{For, later_run, lines, passing_note};

/// The channel of the others, which reads everything; the person with an entry of their own, who may too.
pub const CLOSED: &str = "CLOSED";
pub const BOSS: &str = "UBOSS";

/// What one team has: lines of the push format, by space.
#[derive(Debug, Clone, Default)]
pub struct Records {
    pub open: Vec<Value>,
    pub wide: Vec<Value>,
    pub closed: Vec<Value>,
    /// Read at first and gone afterwards.
    pub passing: Vec<Value>,
    /// Runs that came when the rest was read already; also in `open`.
    pub later: Vec<Value>,
}

/// What two teams have, and what the audience of the scripts may read of it.
#[derive(Debug, Clone)]
pub struct Twins {
    pub one: Records,
    pub other: Records,
    pub spaces: Vec<&'static str>,
}

impl Twins {
    /// Of a seed. Every second pair's audience reads two spaces of three.
    pub fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let n = 12 + dice.below(20);
        let open = lines(&mut dice, "open", n, For::Audience);
        let reads_wide = seed.is_multiple_of(2);
        let wide = lines(&mut dice, "wide", n / 2, if reads_wide { For::Audience } else { For::Others });
        let one = Records { open: open.clone(), wide: wide.clone(), ..Records::default() };
        let other = Records { open, wide: if reads_wide { wide } else { Vec::new() }, ..Records::default() };
        // Some of what is hidden is the same in both, some is different under the same id, some is there in one alone.
        let (n_one, n_other) = (8 + dice.below(20), 8 + dice.below(20));
        let mut twins = Self { one, other, spaces: if reads_wide { vec!["open", "wide"] } else { vec!["open"] } };
        twins.one.closed = lines(&mut dice.clone(), "closed", n_one, For::Others);
        dice.roll();
        twins.other.closed = lines(&mut dice, "closed", n_other, For::OtherOthers);
        let later: Vec<Value> = (0..3).map(|i| later_run(&mut dice, i)).collect();
        (twins.one.later, twins.other.later) = (later.clone(), later);
        twins.other.passing = (0..6).map(|i| passing_note(&mut dice, i)).collect();
        twins
    }
}

/// One team and its bot.
pub struct World {
    pub service: Arc<Service>,
    pub slack: Arc<Paper>,
    pub discord: Arc<Paper>,
    pub folder: TempDir,
    running: JoinHandle<Result<()>>,
}

impl World {
    /// Indexes the records and starts the service; its `n_channels` channels `C0`... read these spaces.
    ///
    /// # Errors
    /// Where something does not start.
    pub async fn open(records: &Records, spaces: &[&str], n_channels: usize, model: Arc<dyn LanguageModel>) -> Result<Self> {
        // In memory where the machine has such a folder: what is proved hangs on no disk.
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() { tempfile::tempdir_in(memory)? } else { tempfile::tempdir()? };
        let settings = indexed(&folder, records, spaces, n_channels).await?;
        Self::start(folder, settings, model).await
    }

    async fn start(folder: TempDir, settings: Settings, model: Arc<dyn LanguageModel>) -> Result<Self> {
        let app = App::open(settings.clone(), ModelUse::None).await?.with(Some(model), clock);
        let mut serve_settings = ServeSettings::from(&settings)?;
        serve_settings.pace = Duration::ZERO;
        let (slack, discord) = (Arc::new(Paper::new(Platform::Slack)), Arc::new(Paper::new(Platform::Discord)));
        let service = Service::new(Arc::new(app), Store::open(&settings.state_url).await?, serve_settings);
        let service = service.with(Platform::Slack, slack.clone()).with(Platform::Discord, discord.clone());
        let service = Arc::new(service);
        let running = tokio::spawn(serve::run(Arc::clone(&service)));
        Ok(Self { service, slack, discord, folder, running })
    }

    /// The same team with a state as new, and with nothing kept from before.
    ///
    /// # Errors
    /// Where something does not start.
    pub async fn again(self, model: Arc<dyn LanguageModel>) -> Result<Self> {
        let Self { service, folder, running, .. } = self;
        end(&service, running).await?;
        let settings = Settings::read(&folder.path().join("runlore.toml"))?;
        drop(service);
        for name in ["bot.db", "bot.db-wal", "bot.db-shm"] {
            let _ = std::fs::remove_file(settings.data.join(name));
        }
        Self::start(folder, settings, model).await
    }

    pub fn paper(&self, platform: Platform) -> &Paper {
        match platform {
            Platform::Slack => &self.slack,
            Platform::Discord => &self.discord,
        }
    }

    /// Tells the service of an event; again where that takes too long, as a platform does.
    ///
    /// # Errors
    /// Where it never takes it.
    pub async fn take_in(&self, incoming: &Incoming) -> Result<()> {
        for _ in 0..20 {
            match self.service.take_in(incoming).await {
                Err(NotTakenIn::TooLong) => {}
                taken => return Ok(taken?),
            }
        }
        anyhow::bail!("storing an event takes too long, again and again")
    }

    /// Waits until an event was worked on and what is to be seen of it stands there.
    ///
    /// # Errors
    /// Where it takes a minute.
    pub async fn until_done(&self, incoming: &Incoming) -> Result<()> {
        let id = incoming.id();
        let (platform, channel) = (incoming.event.platform(), incoming.event.place().map_or("", |place| &place.channel));
        for _ in 0..30_000 {
            let is_open = self.service.store.open_entry(&id).await?.is_some();
            // What was passed over or is no question has no words any more, and nothing stands there of it.
            let is_there = || self.paper(platform).is_answered(channel, &id);
            if !is_open && (self.service.store.entry(&id).await?.is_none() || is_there() && self.is_all_posted(&id).await?) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        anyhow::bail!("nothing comes of {:?}", incoming.event)
    }

    /// Whether nothing of a question is left to be posted, such as its picture.
    async fn is_all_posted(&self, question: &str) -> Result<bool> {
        Ok(!self.service.store.due(i64::MAX, i64::MAX).await?.iter().any(|row| row.post.question == question))
    }

    /// Waits until nothing is left to be posted.
    ///
    /// # Errors
    /// Where it takes a minute.
    pub async fn until_posted(&self) -> Result<()> {
        for _ in 0..6_000 {
            if self.service.store.due(i64::MAX, 1).await?.is_empty() {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        anyhow::bail!("not all is posted: {:?}", self.service.store.outbox_counts().await?)
    }

    /// Ends the service.
    ///
    /// # Errors
    /// Where it ended badly.
    pub async fn end(self) -> Result<()> {
        let Self { service, folder, running, .. } = self;
        end(&service, running).await?;
        // The folder goes when nothing reads in it any more.
        drop(service);
        Ok(folder.close()?)
    }
}

async fn end(service: &Service, running: JoinHandle<Result<()>>) -> Result<()> {
    service.stop().cancel();
    running.await?
}

/// Writes the settings and indexes twice: with what is passing, and without it.
async fn indexed(folder: &TempDir, records: &Records, spaces: &[&str], n_channels: usize) -> Result<Settings> {
    let path = folder.path();
    std::fs::write(path.join("runlore.toml"), settings(spaces, n_channels))?;
    let write = |name: &str, lines: &[&Value]| {
        let lines: Vec<String> = lines.iter().map(ToString::to_string).collect();
        std::fs::write(path.join(name), lines.join("\n") + "\n")
    };
    write("wide.jsonl", &records.wide.iter().collect::<Vec<_>>())?;
    write("closed.jsonl", &records.closed.iter().collect::<Vec<_>>())?;
    let settings = Settings::read(&path.join("runlore.toml"))?;
    let corpus = pipeline::open(&settings).await?;
    let order = Order { deletions: Deletions::Accept, ..Order::default() };
    let first: Vec<&Value> = records.open.iter().chain(&records.passing).collect();
    let then: Vec<&Value> = records.open.iter().chain(&records.later).collect();
    for open in [first, then] {
        write("open.jsonl", &open)?;
        let report = pipeline::index(&settings, &corpus, &order, &|_| {}).await?;
        let complaints: Vec<_> = report.sources.iter().flat_map(|source| &source.complaints).collect();
        ensure!(complaints.is_empty(), "{complaints:?}");
    }
    Ok(settings)
}

/// An id as it is on a platform: no two may be the same.
pub fn on(platform: Platform, id: &str) -> String {
    match platform {
        Platform::Slack => id.to_owned(),
        Platform::Discord => format!("{id}d"),
    }
}

fn ids(id: &str) -> String {
    Platform::ALL.map(|platform| format!("{} = \"{}\"\n", platform.as_str(), on(platform, id))).concat()
}

fn settings(spaces: &[&str], n_channels: usize) -> String {
    let granted = format!("spaces = {spaces:?}\n");
    let mut text = "[data]\npath = \"data\"\n[embed]\nkind = \"hashed\"\n[model]\nkind = \"none\"\n".to_owned();
    for space in ["open", "wide", "closed"] {
        text.push_str(&format!("[[source]]\nname = \"{space}\"\nkind = \"push\"\npath = \"{space}.jsonl\"\nspace = \"{space}\"\n"));
    }
    text.push_str("[terminal]\nspaces = [\"*\"]\n[limits]\nper_asker = 1000000\nper_channel = 1000000\nper_workspace = 1000000\n");
    text.push_str("[serve]\nhealth = \"127.0.0.1:0\"\nwaiting = 100000\nwaiting_per_asker = 100000\n");
    text.push_str(&format!("[direct]\n{granted}[people.boss]\n{}spaces = [\"*\"]\n", ids(BOSS)));
    text.push_str(&format!("[channels.closed]\n{}spaces = [\"*\"]\n", ids(CLOSED)));
    for i in 0..n_channels {
        text.push_str(&format!("[channels.c{i}]\n{}{granted}", ids(&format!("C{i}"))));
        text.push_str(&format!("[channels.s{i}]\n{}{granted}", ids(&format!("SHAREDC{i}"))));
    }
    text
}

/// The names of runs in lines.
pub fn names(lines: &[Value]) -> Vec<String> {
    lines.iter().filter_map(|line| line["name"].as_str()).map(str::to_owned).collect()
}
