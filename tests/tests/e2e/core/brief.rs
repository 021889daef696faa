//! The weekly brief comes by itself: once, late after being away, behind questions, and only to whom it was made for.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use jiff::Timestamp;
use runlore_bot::app::{App, ModelUse};
use runlore_bot::chat::{Button, Event, Incoming, Platform, Press};
use runlore_bot::model::LanguageModel;
use runlore_bot::model::scripted::{ScriptedModel, Turn};
use runlore_bot::serve::{self, ServeSettings, Service, post_test};
use runlore_bot::store::{AuditFilter, Store};
use runlore_indexer::config::Settings;
use runlore_tests::team::Team;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::platform::{Goes, Recording, Standing, asked};
use super::service::QUESTION;
use super::team;

const CHANNELS: &str = r#"
[channels.public]
slack = "C1"
spaces = ["team"]
askers = ["ada"]
brief = "0 10 * * MON"
brief_zone = "Europe/Berlin"

# The clock of these tests is not the machine's, by which the state forgets.
[serve]
keep_days = 36500
"#;

/// A minute before a brief is due, when it is, and how long until the next one.
const BEFORE: &str = "2026-11-16T08:59:00Z";
const DUE: &str = "2026-11-16T09:00:01Z";
const WEEK_MS: i64 = 7 * 24 * 60 * 60 * 1_000;

/// A clock for each test, which it sets.
static CLOCKS: [AtomicI64; 5] = [const { AtomicI64::new(0) }; 5];

fn clock<const N: usize>() -> Timestamp {
    Timestamp::from_millisecond(CLOCKS[N].load(Ordering::Relaxed)).unwrap_or_default()
}

/// A team whose channel gets a brief, its platform and a service that can be stopped and started.
struct Office<const N: usize> {
    team: Team,
    platform: Arc<Recording>,
    model: Arc<ScriptedModel>,
    running: Option<(Arc<Service>, JoinHandle<Result<()>>)>,
}

impl<const N: usize> Office<N> {
    async fn open(turns: Vec<Turn>) -> Result<Self> {
        let (platform, model) = (Arc::new(Recording::default()), Arc::new(ScriptedModel::new(turns)));
        let mut office = Self { team: team(CHANNELS)?, platform, model, running: None };
        office.set(BEFORE)?;
        office.start().await?;
        let is_marked = async |store: &Store| anyhow::Ok(!store.brief_marks().await?.is_empty());
        office.until("the schedule is known", is_marked).await?;
        Ok(office)
    }

    fn set(&self, at: &str) -> Result<()> {
        CLOCKS[N].store(at.parse::<Timestamp>()?.as_millisecond(), Ordering::Relaxed);
        Ok(())
    }

    async fn service(&self) -> Result<Service> {
        let settings = Settings::read(&self.team.config())?;
        let model: Arc<dyn LanguageModel> = self.model.clone();
        let app = App::open(settings.clone(), ModelUse::None).await?.with(Some(model), clock::<N>);
        let mut serve_settings = ServeSettings::from(&settings)?;
        serve_settings.health.set_port(0);
        let store = Store::open(&settings.state_url).await?;
        Ok(Service::new(Arc::new(app), store, serve_settings).with(Platform::Slack, self.platform.clone()))
    }

    async fn start(&mut self) -> Result<()> {
        let service = Arc::new(self.service().await?);
        let task = tokio::spawn(serve::run(Arc::clone(&service)));
        self.running = Some((service, task));
        Ok(())
    }

    async fn stop(&mut self) -> Result<()> {
        let (service, task) = self.running.take().context("nothing runs")?;
        service.stop().cancel();
        task.await?
    }

    fn running(&self) -> Result<&Arc<Service>> {
        self.running.as_ref().map(|(service, _)| service).context("nothing runs")
    }

    async fn until(&self, what: &str, look: impl AsyncFn(&Store) -> Result<bool>) -> Result<()> {
        let (begun, store) = (Instant::now(), &self.running()?.store);
        while !look(store).await? {
            ensure!(begun.elapsed() < Duration::from_secs(60), "not within a minute: {what}; {:?}", store.brief_states("public").await?);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    /// Waits until so many briefs have their receipt, and gives what stands there.
    async fn until_posted(&self, n: usize) -> Result<Vec<Standing>> {
        let are_posted = async |store: &Store| {
            let receipts = store.brief_receipts("public").await?;
            anyhow::Ok(receipts.iter().filter(|receipt| receipt.state == "posted" && !receipt.message.is_empty()).count() >= n)
        };
        self.until("the brief is posted", are_posted).await?;
        Ok(self.messages())
    }

    /// What stands there, pictures apart.
    fn messages(&self) -> Vec<Standing> {
        self.platform.standing().into_iter().filter(|standing| standing.reply.picture.is_none()).collect()
    }

    async fn press(&self, channel: &str, question: &str) -> Result<()> {
        let Event::Asked(asked) = asked(channel, "1", "grace", "").event else { anyhow::bail!("a question") };
        let (person, button, question) = ("grace".to_owned(), Button::Useful, question.to_owned());
        let press = Press { place: asked.place, person, button, question, trigger: String::new(), private_to: None };
        let key = format!("press in {channel}");
        let incoming = Incoming { key, event: Event::Pressed(press) };
        self.running()?.take_in(&incoming).await?;
        let id = incoming.id();
        self.until("the press is answered", async |store: &Store| anyhow::Ok(store.open_entry(&id).await?.is_none())).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_brief_comes_once_and_after_an_absence_late_with_what_was_missed() -> Result<()> {
    let mut office = Office::<0>::open(Vec::new()).await?;
    ensure!(office.platform.standing().is_empty(), "nothing is due yet");
    office.set(DUE)?;
    let standing = office.until_posted(1).await?;
    let notices = standing[0].reply.notices.join(" ");
    ensure!(!notices.contains("late; it was due") && !notices.contains("I was away"), "{notices}");
    let rows = office.running()?.store.audit_rows(&AuditFilter::default(), 9).await?;
    ensure!(rows.len() == 1 && rows[0].surface == "brief" && rows[0].audience == "channel public", "{rows:?}");
    // A restart posts nothing again: the next message is that of the next brief.
    office.stop().await?;
    office.start().await?;

    // Who reads the channel may judge it, though who may ask is another matter; elsewhere its button does nothing.
    let question = standing[0].question.clone();
    office.press("C2", &question).await?;
    ensure!(office.running()?.store.feedback_counts().await?.n_useful == 0, "it was pressed in another channel");
    office.press("C1", &question).await?;
    ensure!(office.running()?.store.feedback_counts().await?.n_useful == 1);
    office.stop().await?;

    office.set("2026-12-07T12:00:00Z")?;
    office.start().await?;
    let standing = office.until_posted(2).await?;
    let notices = standing[1].reply.notices.join(" ");
    ensure!(notices.contains("3 hours late") && notices.contains("Monday, 2026-12-07 at 10:00 (Europe/Berlin)"), "{notices}");
    ensure!(notices.contains("2026-W47, 2026-W48.") && !notices.contains("2026-W46"), "{notices}");

    CLOCKS[0].fetch_add(WEEK_MS, Ordering::Relaxed);
    let standing = office.until_posted(3).await?;
    ensure!(standing.len() == 3, "{standing:?}");
    ensure!(!standing[2].reply.notices.join(" ").contains("I was away"), "what was missed is mentioned once: {:?}", standing[2].reply);
    let states = office.running()?.store.brief_states("public").await?;
    let expected = [("46", "posted"), ("47", "mentioned"), ("48", "mentioned"), ("49", "posted"), ("50", "posted")];
    let expected: Vec<(String, String)> = expected.iter().map(|(week, state)| (format!("2026-W{week}"), (*state).to_owned())).collect();
    ensure!(states == expected, "{states:?}");
    office.stop().await
}

/// Who may read changes between making and posting: a sentence comes instead.
#[tokio::test(flavor = "multi_thread")]
async fn a_brief_is_not_shown_where_others_read_meanwhile() -> Result<()> {
    let mut office = Office::<1>::open(Vec::new()).await?;
    office.platform.next_sends(&[Goes::NotDelivered, Goes::NotDelivered, Goes::NotDelivered]);
    office.set(DUE)?;
    let is_stored = async |store: &Store| anyhow::Ok(store.brief_states("public").await?.iter().any(|(_, state)| state == "stored"));
    office.until("the brief is stored", is_stored).await?;
    office.platform.channel.lock().unwrap().is_shared = true;
    let standing = office.until_posted(1).await?;
    ensure!(standing.len() == 1 && standing[0].reply.headline.contains("changed while I wrote the brief"), "{standing:?}");
    ensure!(standing[0].reply.lines.is_empty() && standing[0].reply.citations.is_empty(), "{standing:?}");
    office.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_brief_waits_while_a_question_is_answered() -> Result<()> {
    let (let_go, held) = oneshot::channel();
    let mut office = Office::<2>::open(vec![Turn::Held(held, "Nothing else comes near {a}.".to_owned())]).await?;
    office.running()?.take_in(&asked("C1", "1", "ada", QUESTION)).await?;
    let facts = Arc::clone(&office.platform);
    office.until("the facts are there", async |_: &Store| anyhow::Ok(!facts.standing().is_empty())).await?;
    office.set(DUE)?;
    let state = async |store: &Store| anyhow::Ok(store.brief_states("public").await?.into_iter().map(|(_, state)| state).next());
    office.until("the brief is noted", async |store: &Store| anyhow::Ok(state(store).await?.is_some())).await?;
    // More than a round.
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    ensure!(state(&office.running()?.store).await?.as_deref() == Some("due"), "it does not wait");
    ensure!(let_go.send(()).is_ok(), "the question is answered already");
    ensure!(office.until_posted(1).await?.len() == 2);
    office.stop().await
}

/// What is kept of a brief is forgotten as what is kept of an answer is: with the records that it rests on.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_of_a_brief_can_be_forgotten() -> Result<()> {
    let mut office = Office::<3>::open(Vec::new()).await?;
    office.set(DUE)?;
    let standing = office.until_posted(1).await?;
    let store = &office.running()?.store;
    let kept = store.kept(&standing[0].question).await?.context("nothing is kept")?;
    ensure!(kept.audience == "channel public" && kept.reply.headline == standing[0].reply.headline, "{kept:?}");
    ensure!(store.made().await?.iter().any(|made| made.question == standing[0].question), "it would not be forgotten");
    office.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_post_shows_that_a_brief_would_arrive() -> Result<()> {
    let mut office = Office::<4>::open(Vec::new()).await?;
    office.stop().await?;
    let service = office.service().await?;
    let arrivals = post_test(&service, "public").await?;
    ensure!(arrivals.len() == 1 && (arrivals[0].platform, arrivals[0].channel.as_str()) == (Platform::Slack, "C1"), "{arrivals:?}");
    let said: Vec<String> = office.messages().into_iter().map(|standing| standing.reply.headline).collect();
    ensure!(said.len() == 1 && said[0].contains("This is a test"), "{said:?}");
    ensure!(said[0].contains("Monday, 2026-11-16 at 10:00 (Europe/Berlin)"), "{said:?}");
    let rows = service.store.audit_rows(&AuditFilter::default(), 9).await?;
    ensure!(rows.len() == 1 && rows[0].surface == "note" && rows[0].audience == "channel public", "{rows:?}");
    ensure!(service.store.brief_states("public").await?.is_empty(), "a test is no brief");

    office.platform.channel.lock().unwrap().is_shared = true;
    let error = format!("{:#}", post_test(&service, "public").await.expect_err("others read there"));
    ensure!(error.contains("shared with another organisation"), "{error}");
    ensure!(post_test(&service, "elsewhere").await.is_err() && office.platform.standing().len() == 1);
    Ok(())
}
