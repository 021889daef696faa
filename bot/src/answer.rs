//! From a question to an answer, in one straight line: scope, command or link and plan, look up, show the facts, narrate, check.

pub mod check;
pub mod dates;
pub mod link;
pub mod narrate;
pub mod plan;
pub mod render;
mod subject;
pub mod words;

use std::collections::{BTreeSet, HashSet};
use std::time::Instant;

use jiff::Zoned;
use runlore_indexer::catalog::Vocabulary;
use runlore_indexer::leak;
use runlore_indexer::space::{Audience, ReadScope};

use crate::app::App;
use crate::brief::{self, Period};
use crate::chart::{self, Chart};
use crate::chat::{Answer, Basis, Picture, PlannedCall, Question, Reply, Step, Timings};
use crate::command::{self, Parsed};
use crate::facts::{FactKind, Ledger};
use crate::model::{CancellationToken, LanguageModel, ModelError};
use crate::telemetry;
use crate::tools::{Call, Desk, Finding};
use crate::zones;
use plan::{Asking, Given, Plan};
pub use subject::Subject;

/// An answer that says only this.
pub fn nothing(question: &Question, sentence: &str) -> Answer {
    bare(question, &Finding::nothing(sentence), Instant::now())
}

/// What one turn has so far.
struct Turn<'a> {
    app: &'a App,
    scope: ReadScope,
    question: &'a Question,
    ledger: Ledger,
    calls: Vec<Call>,
    picture: Option<Picture>,
    given: Given,
    basis: Basis,
    started: Instant,
    facts_ms: u64,
}

/// Who watches a turn, and who may stop it.
struct Watch<'a> {
    on_step: &'a (dyn Fn(Step) + Send + Sync),
    cancel: &'a CancellationToken,
}

/// Answers. Never fails: what goes wrong with us is an answer with a reference id, whose cause stands in the log.
pub async fn answer(app: &App, question: &Question, on_step: &(dyn Fn(Step) + Send + Sync), cancel: &CancellationToken) -> Answer {
    let started = Instant::now();
    let Some(scope) = app.access().policy.scope_for(&app.unmasked("answer.as_terminal", &question.audience)) else {
        let sentence = "This channel is not set up: nothing may be read here. Name it under [channels] in the settings.";
        return bare(question, &Finding::nothing(sentence), started);
    };
    let (ledger, calls, given, basis) = (Ledger::default(), Vec::new(), Given::default(), Basis::default());
    let mut turn = Turn { app, scope, question, ledger, calls, picture: None, given, basis, started, facts_ms: 0 };
    let answer = take_turn(&mut turn, &Watch { on_step, cancel }).await.unwrap_or_else(|error| {
        let reference = telemetry::failure_reference(&error);
        let sentence = format!("Something went wrong on my side; the log has the reason under {reference}.");
        Answer { reference: Some(reference), ..bare(question, &Finding::nothing(sentence), started) }
    });
    let answer = elsewhere(&turn, answer).await;
    Answer { prompts: turn.given.hashes(), ..answer }
}

/// The answer; where this leaks, one that says whether what was not found is somewhere else.
async fn elsewhere(turn: &Turn<'_>, mut answer: Answer) -> Answer {
    if leak::is_seeded("refusal.exists_elsewhere") && answer.abstained {
        let every = turn.app.vocabulary(&Audience::Terminal).await.unwrap_or_default();
        if every.runs.iter().any(|run| turn.question.text.contains(&run.name)) {
            answer.reply.headline.push_str(" You may not see it.");
        }
    }
    answer
}

async fn take_turn(turn: &mut Turn<'_>, watch: &Watch<'_>) -> anyhow::Result<Answer> {
    // Before anything is read, so that whatever changes from now on is seen to have changed. Names alone are a matter of the whole scope.
    turn.basis = Basis { is_whole: true, change: turn.app.corpus.catalog.last_change().await?, ..Basis::default() };
    let vocabulary = turn.app.vocabulary_of(&turn.scope).await?;
    let now = turn.app.now().to_zoned(turn.question.zone.clone());
    match command::parse(&turn.question.text, &vocabulary, &now) {
        Some(Parsed::Call(call)) => {
            let finding = look_up(turn, vec![call]).await?;
            Ok(finish(turn, finding, None))
        }
        Some(Parsed::Brief(period)) => tell_week(turn, &period, watch).await,
        Some(Parsed::Help) => Ok(bare(turn.question, &help(), turn.started)),
        Some(Parsed::Refusal(refusal)) => {
            // It may name what comes near.
            let refused = bare(turn.question, &Finding::nothing(refusal.to_string()), turn.started);
            Ok(Answer { scope: turn.scope.id(), basis: turn.basis.clone(), ..refused })
        }
        None => ask(turn, &vocabulary, &now, watch).await,
    }
}

/// The brief of a week.
async fn tell_week(turn: &mut Turn<'_>, period: &Period, watch: &Watch<'_>) -> anyhow::Result<Answer> {
    let mut told = brief::facts(turn.app, &turn.scope, period).await?;
    turn.facts_ms = turn.started.elapsed().as_millis() as u64;
    if !told.is_empty && !watch.cancel.is_cancelled() {
        let (text, reply, scope, basis) = (told.text(), Box::new(told.reply.clone()), told.scope.clone(), told.basis.clone());
        (watch.on_step)(Step::Facts { text, reply, scope, basis, prompts: turn.given.hashes() });
        (watch.on_step)(Step::Waiting("reading it over".to_owned()));
        told = brief::with_words(told, turn.app, &turn.given, watch.cancel).await;
        told.reply.narration.iter().for_each(|sentence| (watch.on_step)(Step::Narration(sentence.clone())));
    }
    let plan = vec![PlannedCall { tool: "brief".to_owned(), args: serde_json::json!({"period": period.key()}) }];
    Ok(Answer {
        answer: told.text(),
        abstained: told.is_empty,
        records: told.reply.citations.iter().map(|citation| citation.record.clone()).collect(),
        facts: if told.is_empty { Vec::new() } else { told.facts },
        citations: told.reply.citations.clone(),
        plan,
        timings_ms: Timings { facts: turn.facts_ms, answer: turn.started.elapsed().as_millis() as u64 },
        reply: told.reply,
        scope: told.scope,
        basis: told.basis,
        ..bare(turn.question, &Finding::default(), turn.started)
    })
}

/// A question in words.
async fn ask(turn: &mut Turn<'_>, vocabulary: &Vocabulary, now: &Zoned, watch: &Watch<'_>) -> anyhow::Result<Answer> {
    let text = turn.question.text.clone();
    let links = link::link(&link::Asked { question: &text, subject: &turn.question.subject }, vocabulary, now);
    let mut choice = plan::choose(&links);
    let directions = turn.app.directions_of(&turn.scope).await?;
    if choice.possible.len() > 1
        && let Some(chosen) = ask_to_choose(turn, &links, &choice, watch).await
    {
        choice = chosen;
    }
    let mut finding = match plan::plan(&text, &links, &choice, &directions) {
        Plan::Calls(calls) => look_up(turn, calls).await?,
        Plan::Say(sentence) => Finding::nothing(sentence),
    };
    finding.notices.extend(alternatives(&links, &choice, &finding));
    turn.facts_ms = turn.started.elapsed().as_millis() as u64;
    if finding.abstained || watch.cancel.is_cancelled() {
        return Ok(finish(turn, finding, None));
    }
    let shown = render::text(&finding, &render::citations(&finding), None);
    // Nothing is shown before it is checked; `finish` says so where it does not pass.
    if !strays(turn, &finding, &shown).is_empty() {
        return Ok(finish(turn, finding, None));
    }
    let (reply, scope, basis) = (Box::new(render::reply(&finding, None)), turn.scope.id(), turn.basis.clone());
    (watch.on_step)(Step::Facts { text: shown, reply, scope, basis, prompts: turn.given.hashes() });
    let narration = narrate(turn, &mut finding, watch).await;
    Ok(finish(turn, finding, narration.as_deref()))
}

/// The question as the model reads it; where this leaks, with how much there is that it may not know of.
async fn read(turn: &Turn<'_>, leak: &str) -> String {
    let beyond = turn.app.count_beyond(leak).await;
    beyond.map_or(turn.question.text.clone(), |n| format!("{} {n}", turn.question.text))
}

/// Asks the model which look-up is meant; none where it does not serve, and the words' first choice stands.
async fn ask_to_choose(turn: &Turn<'_>, links: &link::Links, choice: &plan::Choice, watch: &Watch<'_>) -> Option<plan::Choice> {
    (watch.on_step)(Step::Waiting("choosing what to look up".to_owned()));
    let model = turn.app.model().await?;
    let scope_id = turn.scope.id();
    let asking = asking(turn, &*model, &scope_id, watch);
    let chosen = plan::ask_model(&read(turn, "plan.counts_all").await, links, choice, &asking).await;
    chosen.inspect_err(|error| warn("the model did not plan", error)).ok()
}

fn asking<'a>(turn: &'a Turn<'_>, model: &'a dyn LanguageModel, scope_id: &'a str, watch: &'a Watch<'_>) -> Asking<'a> {
    Asking { model, prompts: &turn.app.prompts, scope_id, cancel: watch.cancel, given: &turn.given }
}

async fn look_up(turn: &mut Turn<'_>, calls: Vec<Call>) -> anyhow::Result<Finding> {
    let directions = turn.app.directions_of(&turn.scope).await?;
    let mut whole = Finding::default();
    for call in &calls {
        let zone = &turn.question.zone;
        let mut desk = Desk { corpus: &turn.app.corpus, scope: &turn.scope, directions: &directions, zone, ledger: &mut turn.ledger };
        let finding = call.look_up(&mut desk).await?;
        if whole == Finding::default() {
            whole = finding;
        } else {
            whole.lines.push(finding.headline);
            whole.lines.extend(finding.lines);
            whole.quotes.extend(finding.quotes);
            finding.records.iter().for_each(|source| whole.cite(&source.key, &source.title, source.url.as_deref()));
        }
    }
    whole.notices.extend(whose_days(turn));
    turn.basis = basis_of(turn, &whole).await?;
    turn.calls = calls;
    turn.picture = draw(whole.chart.take()).await;
    let beyond = turn.app.count_beyond("chart.counts_all").await;
    turn.picture.iter_mut().zip(beyond).for_each(|(picture, n)| picture.alt.push_str(&n.to_string()));
    turn.facts_ms = turn.started.elapsed().as_millis() as u64;
    Ok(whole)
}

/// What a finding was made of.
async fn basis_of(turn: &Turn<'_>, finding: &Finding) -> anyhow::Result<Basis> {
    let bearers = turn.app.corpus.catalog.bearers(&turn.scope, &names_in(turn, finding)).await?;
    let borne: HashSet<&String> = bearers.iter().map(|(name, _)| name).collect();
    Ok(Basis {
        is_gone: finding.records.iter().any(|source| !borne.contains(&source.key)),
        is_whole: finding.records.is_empty() || turn.ledger.facts().iter().any(|fact| fact.record.is_none()),
        records: bearers.iter().map(|(_, record)| record.to_string()).collect::<BTreeSet<_>>().into_iter().collect(),
        change: turn.basis.change,
    })
}

/// What can be typed: its lines are a table, and what stands below them is said beside it.
fn help() -> Finding {
    let (headline, rest) = command::HELP.split_once('\n').unwrap_or((command::HELP, ""));
    let (lines, notices) = rest.lines().map(str::to_owned).partition(|line| line.starts_with(' '));
    Finding { headline: headline.to_owned(), lines, notices, ..Finding::default() }
}

/// Whose days are shown, where many read them and they are not those of UTC.
fn whose_days(turn: &Turn<'_>) -> Option<String> {
    let shows_days = turn.ledger.facts().iter().any(|fact| fact.kind == FactKind::Time);
    let zone = zones::unlike_utc(&turn.question.zone)?;
    (shows_days && matches!(turn.question.audience, Audience::Channel(_))).then(|| format!("Days are those of {zone}."))
}

/// Draws what can be drawn. An answer without its chart is better than none.
pub(crate) async fn draw(chart: Option<Chart>) -> Option<Picture> {
    let chart = chart?;
    let drawn = tokio::task::spawn_blocking(move || {
        let name: String = chart.metric.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        chart::draw(&chart).map(|png| Picture::new(format!("{name}.png"), chart::describe(&chart), &png))
    });
    match drawn.await {
        Ok(Ok(picture)) => Some(picture),
        Ok(Err(error)) => {
            tracing::warn!(%error, "no chart");
            None
        }
        Err(error) => {
            tracing::warn!(%error, "no chart");
            None
        }
    }
}

/// Says which metric was taken where the words fit others too.
fn alternatives(links: &link::Links, choice: &plan::Choice, finding: &Finding) -> Option<String> {
    let uses_metric = choice.tool.is_numeric() && !finding.abstained && links.metrics.len() > 1;
    uses_metric.then(|| {
        let others: Vec<&str> = links.metrics.iter().skip(1).take(4).map(String::as_str).collect();
        format!("Taken as {}; there is also {}.", links.metrics[0], others.join(", "))
    })
}

/// The model's part: a sentence about values, or the choice among quotes. What does not pass the check is left out.
async fn narrate(turn: &Turn<'_>, finding: &mut Finding, watch: &Watch<'_>) -> Option<String> {
    (watch.on_step)(Step::Waiting("reading it over".to_owned()));
    let model = turn.app.model().await?;
    let scope_id = turn.scope.id();
    let asking = asking(turn, &*model, &scope_id, watch);
    if finding.quotes.len() > 1 {
        let picked = narrate::pick(&read(turn, "pick.counts_all").await, &finding.quotes, &asking).await;
        let picked = picked.inspect_err(|error| warn("the model did not pick", error)).unwrap_or_default();
        bring_forward(finding, &picked);
        return None;
    }
    // The sampler is deterministic: the same request would give the same sentence, so one that does not pass is left out at once.
    let told = narrate::narrate(&read(turn, "prompt.counts_all").await, finding, turn.ledger.facts(), &asking).await;
    let sentence = told.inspect_err(|error| warn("the model did not narrate", error)).ok().flatten()?;
    if !strays(turn, finding, &sentence).is_empty() {
        return None;
    }
    (watch.on_step)(Step::Narration(sentence.clone()));
    Some(sentence)
}

/// Logs why the model gave nothing; being stopped by the asker is no fault.
pub(crate) fn warn(what: &str, error: &ModelError) {
    if *error != ModelError::Cancelled {
        tracing::warn!(%error, "{what}");
    }
}

/// Puts the quotes that the model picked right behind the first, which the search ranked highest and the headline names; nothing is lost.
fn bring_forward(finding: &mut Finding, picked: &[usize]) {
    let mut order: Vec<usize> = vec![0];
    order.extend(picked.iter().copied().filter(|&i| i > 0 && i < finding.quotes.len()));
    order.extend((1..finding.quotes.len()).filter(|i| !picked.contains(i)));
    finding.quotes = order.iter().map(|&i| finding.quotes[i].clone()).collect();
}

/// Numbers of a text that come from no fact, record, quote or question.
fn strays(turn: &Turn<'_>, finding: &Finding, text: &str) -> Vec<String> {
    if turn.calls.is_empty() {
        // Nothing was looked up: what is said names what may have been meant.
        return Vec::new();
    }
    let mut records: Vec<String> = finding.records.iter().flat_map(|source| [source.key.clone(), source.title.clone()]).collect();
    records.extend(finding.best_record.clone());
    records.extend(finding.records.iter().filter_map(|source| source.url.clone()));
    let args: Vec<String> = turn.calls.iter().map(|call| call.args().to_string()).collect();
    let mut quotes: Vec<&str> = finding.quotes.iter().map(|quote| quote.text.as_str()).collect();
    // What the call says was looked up (names of metrics, filters) was asked for or linked.
    quotes.extend(args.iter().map(String::as_str));
    check::strays(text, &check::Sources { facts: turn.ledger.facts(), records: &records, quotes: &quotes, question: &turn.question.text })
}

/// The names of every record that a finding names or takes a value from, in order.
fn names_in(turn: &Turn<'_>, finding: &Finding) -> Vec<String> {
    let cited = finding.records.iter().map(|source| &source.key);
    let quoted = finding.quotes.iter().map(|quote| &quote.record);
    let stated = turn.ledger.facts().iter().filter_map(|fact| fact.record.as_ref());
    let every: BTreeSet<&String> = cited.chain(quoted).chain(stated).collect();
    every.into_iter().cloned().collect()
}

/// Renders, checks, and keeps of the facts what the text shows.
fn finish(turn: &Turn<'_>, finding: Finding, narration: Option<&str>) -> Answer {
    let answer = bare(turn.question, &finding, turn.started);
    let text = render::text(&finding, &answer.citations, narration);
    let strays = strays(turn, &finding, &text);
    let plan = turn.calls.iter().map(|call| PlannedCall { tool: call.tool().to_owned(), args: call.args() }).collect();
    let timings_ms = Timings { facts: turn.facts_ms, ..answer.timings_ms };
    if !strays.is_empty() {
        let reference = telemetry::failure_reference(&anyhow::anyhow!("numbers without a source in an answer: {}", strays.join(", ")));
        let sentence =
            format!("I found something but could not verify every number in it, so I do not show it; the log has it under {reference}.");
        let empty = bare(turn.question, &Finding::nothing(sentence), turn.started);
        return Answer { reference: Some(reference), plan, timings_ms, ..empty };
    }
    let facts = if finding.abstained { Vec::new() } else { turn.ledger.facts().to_vec() };
    let reply = Reply { narration: narration.map(str::to_owned), picture: turn.picture.clone(), ..answer.reply.clone() };
    let subject = turn.question.subject.clone().after(&turn.calls, finding.best_record.as_deref());
    Answer {
        answer: text,
        facts,
        best_record: finding.best_record.clone(),
        plan,
        timings_ms,
        reply,
        subject,
        scope: turn.scope.id(),
        basis: turn.basis.clone(),
        ..answer
    }
}

/// An answer from a finding alone.
fn bare(question: &Question, finding: &Finding, started: Instant) -> Answer {
    let is_answer = !finding.abstained;
    Answer {
        question: question.text.clone(),
        answer: finding.headline.clone(),
        abstained: finding.abstained,
        best_record: None,
        records: finding.records.iter().filter(|_| is_answer).map(|source| source.key.clone()).collect(),
        quotes: finding.quotes.iter().filter(|_| is_answer).cloned().collect(),
        facts: Vec::new(),
        citations: if is_answer { render::citations(finding) } else { Vec::new() },
        plan: Vec::new(),
        timings_ms: Timings { facts: 0, answer: started.elapsed().as_millis() as u64 },
        reference: None,
        reply: render::reply(finding, None),
        subject: question.subject.clone(),
        scope: String::new(),
        prompts: Vec::new(),
        basis: Basis::default(),
    }
}
