//! The audit: everything that is shown has its row, no row has a word of it, and a row that somebody touches is noticed.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use runlore_bot::chat::{Asked, Button, Event, Incoming, Place, PlaceKind, Platform, Press, Way};
use runlore_bot::model::scripted::Turn;
use runlore_bot::serve::{Named, Typing};
use runlore_bot::store::{AuditFilter, AuditRow, AuditState, Audited, Store};
use runlore_bot::surface::{Outcome, Shown, Surface};
use runlore_indexer::config::Settings;
use runlore_tests::not_run::not_run;
use runlore_tests::postgres::Postgres;
use runlore_tests::team::Team;
use serde_json::Value;
use tokio::sync::oneshot;

use super::core::platform::asked;
use super::core::service::Bench;
use super::core::team;

const BEST: &str = "best val/map in vessel-detect";
const DIRECT: &str = "[direct]\nspaces = [\"team\"]\n";

/// Every row that there is.
async fn rows(store: &Store) -> Result<Vec<AuditRow>> {
    Ok(store.audit_rows(&AuditFilter::default(), i64::from(u32::MAX)).await?)
}

/// Does something to the database behind the program's back.
async fn meddle(url: &str, sql: &str) -> Result<()> {
    sqlx::any::install_default_drivers();
    let pool = sqlx::AnyPool::connect(url).await?;
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned())).execute(&pool).await?;
    pool.close().await;
    Ok(())
}

/// A fresh state on a database.
struct State {
    store: Store,
    url: String,
    /// What stands before the names of its tables.
    schema: &'static str,
    _kept: (Option<tempfile::TempDir>, Option<Arc<Postgres>>),
}

async fn states() -> Result<Vec<State>> {
    let folder = tempfile::tempdir()?;
    let url = format!("sqlite://{}", folder.path().join("bot.db").display());
    let mut states = vec![State { store: Store::open(&url).await?, url, schema: "", _kept: (Some(folder), None) }];
    match Postgres::shared()? {
        Ok(server) => {
            let url = server.fresh_database()?;
            let store = Store::open(&url).await?;
            states.push(State { store, url, schema: "runlore_state.", _kept: (None, Some(server)) });
        }
        Err(reason) => not_run("the audit on PostgreSQL", &reason),
    }
    Ok(states)
}

fn place(channel: &str) -> Place {
    Place { platform: Platform::Slack, workspace: "T1".to_owned(), channel: channel.to_owned(), kind: PlaceKind::Channel, thread: None }
}

fn shown(surface: Surface, records: &[&str]) -> Shown {
    let records = records.iter().map(|record| (*record).to_owned()).collect();
    Shown { audience: "channel lab".to_owned(), scope: "s".to_owned(), records, ..Shown::plain(surface, Outcome::Shown) }
}

#[tokio::test]
async fn rows_are_numbered_and_found_again() -> Result<()> {
    for state in states().await? {
        let store = &state.store;
        let found = store.verify_audit().await?;
        ensure!(found == AuditState::Whole { n_rows: 0, chain: String::new() }, "{found:?}");
        // NUL and quotes, which a platform's id never has.
        let answer = Audited::at(&place("C1"), "U'\0\"1", "q1", shown(Surface::Answer, &["p/b", "p/a", "p/b"]));
        store.audit(&answer, 10).await?;
        store.audit(&Audited::at(&place("C2"), "U2", "", Shown::plain(Surface::Refusal, Outcome::Refused)), 20).await?;
        store.audit(&Audited::in_terminal(Shown { audience: "terminal".to_owned(), ..shown(Surface::Ask, &["n.md"]) }), 30).await?;
        let all = rows(store).await?;
        ensure!(all.iter().map(|row| row.number).eq(1..=3), "{all:?}");
        ensure!(all[0].records == ["p/a", "p/b"] && all[0].person == "U'\"1" && all[0].surface == "answer", "{all:?}");
        let found = async |channel: Option<&str>, person: Option<&str>, since_ms| -> Result<Vec<i64>> {
            let filter = AuditFilter { channel: channel.map(str::to_owned), person: person.map(str::to_owned), since_ms };
            Ok(store.audit_rows(&filter, 9).await?.iter().map(|row| row.number).collect())
        };
        ensure!(found(Some("lab"), None, None).await? == [1] && found(Some("C2"), None, None).await? == [2]);
        ensure!(found(Some("terminal"), None, None).await? == [3] && found(None, Some("U2"), None).await? == [2]);
        ensure!(found(None, None, Some(20)).await? == [2, 3] && found(Some("nowhere"), None, None).await?.is_empty());
        let last: Vec<i64> = store.audit_rows(&AuditFilter::default(), 2).await?.iter().map(|row| row.number).collect();
        ensure!(last == [2, 3], "the last ones, the newest last: {last:?}");

        let typing = Audited::at(&place("C1"), "U2", "", shown(Surface::Completion, &[]));
        for now_ms in [100_000, 100_001, 159_999, 160_000] {
            store.audit_once_a_minute(&typing, now_ms).await?;
        }
        let at: Vec<i64> = rows(store).await?.iter().filter(|row| row.surface == "completion").map(|row| row.at_ms).collect();
        ensure!(at == [100_000, 160_000], "{at:?}");
        store.prune(i64::MAX).await?;
        ensure!(rows(store).await?.len() == 5, "the audit is kept");
    }
    Ok(())
}

/// What is done to the rows, and the first that then does not fit.
const MEDDLING: [(&str, i64); 14] = [
    ("UPDATE {s}audit SET at_ms = at_ms + 1 WHERE number = 2", 2),
    ("UPDATE {s}audit SET surface = 'note' WHERE number = 2", 2),
    ("UPDATE {s}audit SET channel = '', person = 'C1U1' WHERE number = 2", 2),
    ("UPDATE {s}audit SET audience = 'channel leads' WHERE number = 1", 1),
    ("UPDATE {s}audit SET records = '[]' WHERE number = 3", 3),
    ("UPDATE {s}audit SET records = '[\"p/a\" ]' WHERE number = 3", 3),
    ("UPDATE {s}audit SET chain = 'x' WHERE number = 4", 4),
    ("UPDATE {s}audit SET number = 9 WHERE number = 2", 2),
    ("DELETE FROM {s}audit WHERE number = 1", 1),
    ("DELETE FROM {s}audit WHERE number = 2", 2),
    ("DELETE FROM {s}audit WHERE number = 4", 4),
    ("DELETE FROM {s}audit", 1),
    (
        "INSERT INTO {s}audit SELECT 5, at_ms, surface, platform, channel, audience, person, question, outcome, scope, records, prompts, \
         chain FROM {s}audit WHERE number = 4",
        5,
    ),
    // All of it written anew, and the head forgotten.
    ("UPDATE {s}audit_head SET chain = 'x'", 4),
];

#[tokio::test]
async fn a_changed_a_removed_and_a_new_row_are_noticed() -> Result<()> {
    for state in states().await? {
        for i in 0..4 {
            state.store.audit(&Audited::at(&place("C1"), "U1", "q", shown(Surface::Answer, &["p/a"])), i).await?;
        }
        let on = |sql: &str| sql.replace("{s}", state.schema);
        let keep = "CREATE TABLE kept_rows AS SELECT * FROM {s}audit; CREATE TABLE kept_head AS SELECT * FROM {s}audit_head";
        meddle(&state.url, &on(keep)).await?;
        let put_back = "DELETE FROM {s}audit; INSERT INTO {s}audit SELECT * FROM kept_rows; \
                        DELETE FROM {s}audit_head; INSERT INTO {s}audit_head SELECT * FROM kept_head";
        for (sql, number) in MEDDLING {
            meddle(&state.url, &on(sql)).await?;
            let found = state.store.verify_audit().await?;
            ensure!(found == AuditState::Broken { number }, "{sql}: {found:?}");
            meddle(&state.url, &on(put_back)).await?;
            let found = state.store.verify_audit().await?;
            ensure!(matches!(found, AuditState::Whole { n_rows: 4, .. }), "{sql}: {found:?}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn two_programs_add_rows_without_a_gap() -> Result<()> {
    for state in states().await? {
        let write = async |person: &'static str| -> Result<()> {
            let store = Store::open(&state.url).await?;
            for i in 0..25 {
                store.audit(&Audited::at(&place("C1"), person, "q", shown(Surface::Answer, &[])), i).await?;
            }
            Ok(())
        };
        let (one, other) = tokio::join!(write("U1"), write("U2"));
        one?;
        other?;
        let found = state.store.verify_audit().await?;
        ensure!(matches!(found, AuditState::Whole { n_rows: 50, .. }), "{found:?}");
    }
    Ok(())
}

impl Bench {
    /// Waits until there are so many rows.
    async fn until_rows(&self, n: usize) -> Result<Vec<AuditRow>> {
        for _ in 0..600 {
            let rows = rows(&self.service.store).await?;
            if rows.len() >= n {
                return Ok(rows);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        anyhow::bail!("no {n} rows: {:?}", rows(&self.service.store).await?)
    }

    /// Lets something happen while nothing else does, and gives the row of what is shown then.
    async fn row_of(&self, incoming: Incoming) -> Result<AuditRow> {
        while self.service.gauges.n_answering.get() > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let n = rows(&self.service.store).await?.len();
        self.service.take_in(&incoming).await?;
        self.until_rows(n + 1).await?.pop().context("no row")
    }
}

/// A question of somebody, asked in another way than by name.
fn asked_so(message: &str, asker: &str, text: &str, change: impl FnOnce(&mut Asked)) -> Incoming {
    let mut incoming = asked("C1", message, asker, text);
    if let Event::Asked(asked) = &mut incoming.event {
        change(asked);
    }
    incoming
}

fn event(key: &str, event: Event) -> Incoming {
    Incoming { key: key.to_owned(), event }
}

fn pressed(button: Button, question: &str, channel: &str) -> Incoming {
    let press = Press {
        place: place(channel),
        person: "ada".to_owned(),
        button,
        question: question.to_owned(),
        trigger: "t".to_owned(),
        private_to: Some("url".to_owned()),
    };
    event(&format!("{button:?} {question} {channel}"), Event::Pressed(press))
}

/// The model chooses and words, and each version of the answer has its row, with what the model was given for it.
#[tokio::test]
async fn a_row_holds_records_and_prompts_and_no_word_of_either() -> Result<()> {
    let question = "Which run in vessel-detect has the best val/map besides turquoise elephants?";
    let chosen = Turn::from("{\"tool\":\"best\",\"which\":\"best\"}");
    let (let_go, held) = oneshot::channel();
    let words = Turn::Held(held, "Nothing else in the project comes astonishingly near {a}.".to_owned());
    let bench = Bench::open("", vec![chosen, words]).await?;
    let id = asked("C1", "1", "ada", question).id();
    // The facts stand there before the model has its words; a model that is quicker than the post leaves one row.
    ensure!(bench.row_of(asked("C1", "1", "ada", question)).await?.surface == "facts");
    ensure!(let_go.send(()).is_ok());
    bench.until_ended("answered", 1).await?;
    let standing = bench.platform.standing();
    ensure!(standing.len() == 1 && standing[0].reply.narration.as_ref().is_some_and(|said| said.contains("astonishingly")), "{standing:?}");

    let rows = rows(&bench.service.store).await?;
    let surfaces: Vec<&str> = rows.iter().map(|row| row.surface.as_str()).collect();
    ensure!(surfaces == ["facts", "answer"], "{rows:?}");
    let prompts: Vec<String> = bench.model.requests().iter().map(|request| request.prompt.hash()).collect();
    ensure!(prompts.len() == 2 && rows[0].prompts == prompts[..1] && rows[1].prompts == prompts, "{rows:?}");
    for row in &rows {
        ensure!((&*row.platform, &*row.channel, &*row.audience, &*row.person) == ("slack", "C1", "channel public", "ada"), "{row:?}");
        let names = bench.service.app.corpus.catalog.names_of(&row.records).await?;
        ensure!(names.len() == row.records.len() && names.values().any(|name| name == "vessel-detect/vd-mosaic-s2"), "{names:?}");
        ensure!(row.question == id && !row.scope.is_empty(), "{row:?}");
        ensure!(row.records.is_sorted() && row.prompts.iter().all(|hash| hash.len() == 64), "{row:?}");
    }
    ensure!(rows[1].outcome == "answered", "{rows:?}");
    let kept = serde_json::to_string(&rows)?;
    let headline = standing[0].reply.headline.as_str();
    for words in ["turquoise", "elephants", "astonishingly", "Nothing else", "val/map", "besides", "Metrics named", "vessel", headline] {
        ensure!(!kept.contains(words), "`{words}`: {kept}");
    }
    bench.end().await
}

#[tokio::test]
async fn everything_that_is_shown_has_one_row() -> Result<()> {
    let bench = Bench::open(DIRECT, vec![Turn::Computed(Box::new(|_| panic!("the model takes the task down")))]).await?;
    let direct = |asked: &mut Asked| (asked.way, asked.place.kind) = (Way::Direct, PlaceKind::Direct);
    let alone = |way| move |asked: &mut Asked| (asked.way, asked.private_to) = (way, Some("url".to_owned()));
    let late = |asked: &mut Asked| asked.is_late = true;
    let question = asked("C1", "1", "ada", BEST);
    let command = asked_so("command 1", "ada", BEST, alone(Way::Command));
    let (id, command_id) = (question.id(), command.id());
    let unclear = "Which run in vessel-detect has the best val/map besides turquoise elephants?";
    let home = Event::HomeOpened { platform: Platform::Slack, workspace: "T1".to_owned(), person: "ada".to_owned() };
    let steps = [
        (question, "answer answered"),
        (asked("C9", "2", "ada", BEST), "refusal refused"),
        (asked("C1", "3", "ada", "best BLEU in vessel-detect"), "answer abstained"),
        (asked("C1", "4", "ada", "stop"), "note shown"),
        (command, "private answered"),
        (asked_so("command 2", "grace", "vd-mosaic-s2 was good", alone(Way::Shortcut)), "shortcut answered"),
        (asked_so("5", "grace", BEST, direct), "direct answered"),
        (asked_so("6", "grace", BEST, late), "late answered"),
        (pressed(Button::Share, &command_id, "C1"), "shared answered"),
        (asked("C1", "7", "alan", unclear), "failure failed"),
        (pressed(Button::Details, &id, "C1"), "details shown"),
        (pressed(Button::More, &id, "C1"), "more shown"),
        (pressed(Button::Details, &id, "C9"), "note shown"),
        (pressed(Button::Useful, &id, "C1"), "note shown"),
        (pressed(Button::NotUseful, &id, "C1"), "note shown"),
        (event("joined", Event::Joined { place: place("C1") }), "greeting shown"),
        (event("joined too", Event::Joined { place: place("C9") }), "greeting refused"),
        (event("home", home), "home shown"),
        (event("opened", Event::TalkOpened { place: place("D1"), person: "ada".to_owned() }), "offer shown"),
    ];
    let n_steps = steps.len();
    for (incoming, expected) in steps {
        let row = bench.row_of(incoming).await?;
        let (surface, outcome) = expected.split_once(' ').context("two words")?;
        ensure!((&*row.surface, &*row.outcome) == (surface, outcome), "{expected}: {row:?}");
        let has_records = outcome == "answered" || matches!(surface, "details" | "more");
        ensure!(row.records.is_empty() != has_records && row.prompts.is_empty(), "{expected}: {row:?}");
        ensure!(!has_records || !row.audience.is_empty() && !row.scope.is_empty(), "{expected}: {row:?}");
    }
    let here = place("C1");
    for typed in ["ves", "vess", "vesse"] {
        let typing = Typing { place: &here, person: "ada", circumstances: None, named: Named::Project, typed, project: None };
        let offered = bench.service.complete(&typing, 25).await;
        ensure!(offered == ["vessel-detect"], "{offered:?}");
    }
    bench.until_posted().await?;
    let rows = rows(&bench.service.store).await?;
    ensure!(rows.len() == n_steps + 1 && rows[n_steps].surface == "completion" && rows[n_steps].person == "ada", "{rows:?}");
    // Each row but the completion's stands for one message or for one thing beside them.
    let (n_standing, beside) = (bench.platform.standing().len(), bench.platform.beside());
    ensure!(n_standing + beside.len() == n_steps, "{n_standing} messages and {beside:?}");
    let found = bench.service.store.verify_audit().await?;
    ensure!(matches!(found, AuditState::Whole { .. }), "{found:?}");
    bench.end().await
}

/// Without the audit nothing is shown, and an answer is stored with its row or not at all.
#[tokio::test]
async fn what_cannot_be_noted_is_not_shown() -> Result<()> {
    let bench = Bench::open("", Vec::new()).await?;
    let url = Settings::read(&bench.team.config())?.state_url;
    let id = asked("C1", "1", "ada", BEST).id();
    bench.row_of(asked("C1", "1", "ada", BEST)).await?;
    bench.until_posted().await?;
    meddle(&url, "ALTER TABLE audit RENAME TO audit_away").await?;
    bench.service.take_in(&pressed(Button::Details, &id, "C1")).await?;
    for _ in 0..200 {
        if !bench.platform.beside().is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    ensure!(bench.platform.beside() == ["I cannot show this right now. Try again in a minute."], "{:?}", bench.platform.beside());
    let here = place("C1");
    let typing = Typing { place: &here, person: "ada", circumstances: None, named: Named::Project, typed: "", project: None };
    ensure!(bench.service.complete(&typing, 25).await.is_empty());
    bench.ask("2", "ada", BEST).await?;
    tokio::time::sleep(Duration::from_millis(500)).await;
    ensure!(bench.platform.standing().len() == 1, "{:?}", bench.platform.standing());
    meddle(&url, "ALTER TABLE audit_away RENAME TO audit").await?;
    // It was held back until it could be noted; what is shown then says so.
    bench.until_ended("failed", 1).await?;
    let rows = rows(&bench.service.store).await?;
    ensure!(rows.len() == 2 && rows[1].surface == "failure" && bench.platform.standing().len() == 2, "{rows:?}");
    bench.end().await
}

/// The lines that a command prints as JSON.
fn lines(team: &Team, arguments: &[&str]) -> Result<Vec<Value>> {
    let output = team.run(arguments)?;
    ensure!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout)?.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
}

#[tokio::test]
async fn the_terminal_is_noted_too_and_shown_by_a_command() -> Result<()> {
    let team = team("")?;
    ensure!(lines(&team, &["audit", "--json"])?.is_empty());
    // Three at once make the state and its first rows.
    let ask = ["ask", "--json", "--no-model", BEST];
    let three = [0; 3].map(|_| team.command(&ask).stdout(std::process::Stdio::null()).spawn());
    for child in three {
        ensure!(child?.wait()?.success());
    }
    let rows = lines(&team, &["audit", "--json"])?;
    ensure!(rows.len() == 3, "{rows:?}");
    for row in &rows {
        ensure!(row["surface"] == "ask" && row["platform"] == "terminal" && row["audience"] == "terminal", "{row}");
        ensure!(row["names"].as_array().is_some_and(|names| names.contains(&"vessel-detect/vd-mosaic-s2".into())), "{row}");
        ensure!(!row.to_string().contains("val/map"), "{row}");
    }
    ensure!(team.json(&["status", "--json"], &[0])?["service"].is_null(), "nothing was served");
    team.json(&["search", "--json", "--as-channel", "general", "gauge"], &[0])?;
    team.json(&["runs", "--json", "--project", "vessel-detect"], &[0])?;
    let general = lines(&team, &["audit", "--json", "--channel", "general", "--since", "7d"])?;
    ensure!(general.len() == 1 && general[0]["surface"] == "search" && general[0]["audience"] == "channel general", "{general:?}");

    let text = String::from_utf8(team.run(&["audit", "--limit", "1"])?.stdout)?;
    ensure!(text.lines().count() == 2 && text.contains("runs") && text.contains("vessel-detect/"), "{text}");
    let verified = team.json(&["audit", "--verify", "--json"], &[0])?;
    ensure!(verified["is_whole"] == true && verified["n_rows"] == 5, "{verified}");
    meddle(&Settings::read(&team.config())?.state_url, "UPDATE audit SET person = 'U1' WHERE number = 2").await?;
    let output = team.run(&["audit", "--verify"])?;
    ensure!(output.status.code() == Some(1) && String::from_utf8(output.stdout)?.contains("row 2"), "a changed row");
    ensure!(team.run(&["audit", "--since", "someday"])?.status.code() == Some(2));
    Ok(())
}
