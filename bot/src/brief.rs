//! The weekly brief: what a scope holds of one week, facts first; the model may add a sentence, and nothing else.
//!
//! `gather` reads, everything else is pure: `bests`, `failures`, `items` and `habits` find, `rank` chooses, `lines` and `write` put into
//! words. What was written is read again by the check that answers pass too.

mod bests;
mod failures;
mod gather;
mod habits;
mod items;
mod lines;
mod markdown;
mod pen;
mod period;
pub mod rank;
pub mod schedule;
#[cfg(test)]
mod testing;
mod write;

use std::collections::BTreeSet;

use anyhow::Context;
use runlore_indexer::record::RecordId;
use runlore_indexer::redact::redact;
use runlore_indexer::space::{Audience, ReadScope};
use serde_json::{Value, json};

use self::gather::{Asked, Gathered};
use self::write::Written;
pub use self::write::{Body, Chosen, Section};
use crate::answer::plan::{Asking, Given};
use crate::answer::{check, draw, narrate, render, warn};
use crate::app::App;
use crate::chart::{Chart, Line};
use crate::chat::clean::clean_fact;
use crate::chat::{Basis, Reply};
use crate::facts::Fact;
use crate::model::CancellationToken;
use crate::tools::Finding;
use crate::tools::format::columns;
use crate::zones;
pub use period::Period;

/// Records that are cited, the most important first.
const MAX_CITED: usize = 20;

/// Charts of one brief.
const MAX_CHARTS: usize = 3;

/// What the model is asked about the first highlight.
const QUESTION: &str = "What stands out this week?";

/// A week as one scope sees it, checked and ready to be shown.
#[derive(Debug, Clone)]
pub struct Brief {
    /// The week.
    pub period: Period,
    /// What gets posted.
    pub reply: Reply,
    /// What it was made of.
    pub basis: Basis,
    /// The id of the scope that it was made under.
    pub scope: String,
    /// The hashes of the prompts that the model was given for it, in order.
    pub prompts: Vec<String>,
    /// Every value that it shows, with its source.
    pub facts: Vec<Fact>,
    /// Its parts below the headline, in order.
    pub sections: Vec<Section>,
    /// Every item that could become a highlight, the highest score first.
    pub chosen: Vec<Chosen>,
    /// What can be drawn; the reply's picture is the first.
    pub charts: Vec<Chart>,
    /// There is nothing of that week.
    pub is_empty: bool,
    finding: Finding,
    lead: Option<(String, Vec<Fact>)>,
}

/// Makes the brief of a week for who will see it.
///
/// # Errors
/// For a channel that the settings do not know, where the catalog does not serve, and where a number of the brief comes from nowhere.
pub async fn make(app: &App, audience: &Audience, period: &Period, cancel: &CancellationToken) -> anyhow::Result<Brief> {
    let audience = app.unmasked("brief.as_terminal", audience);
    let scope = app.access().policy.scope_for(&audience).context("the settings do not know this channel")?;
    let given = Given::default();
    let brief = facts(app, &scope, period).await?;
    Ok(with_words(brief, app, &given, cancel).await)
}

/// The brief without the model.
///
/// # Errors
/// As `make`.
pub(crate) async fn facts(app: &App, scope: &ReadScope, period: &Period) -> anyhow::Result<Brief> {
    let catalog = &app.corpus.catalog;
    // Before anything is read, so that whatever changes from now on is seen to have changed.
    let change = catalog.last_change().await?;
    let (vocabulary, directions) = (app.vocabulary_of(scope).await?, app.directions_of(scope).await?);
    let now_ms = app.now().as_millisecond();
    let (vocabulary, directions) = (&*vocabulary, &*directions);
    let asked = Asked { catalog, settings: &app.settings, scope, vocabulary, directions, period, now_ms };
    let gathered = gather::gather(&asked).await?;
    let mut written = write::write(&gathered, period, period.end_ms <= now_ms);
    let charts = charts(app, scope, &gathered, &written.best_order).await?;
    let finding = finding(&mut written, period);
    let strays = strays(&checked_text(&finding), &finding, &written.facts);
    anyhow::ensure!(strays.is_empty(), "numbers without a source in a brief: {}", strays.join(", "));
    let records: BTreeSet<RecordId> = written.named.iter().map(|named| named.record).collect();
    let records: Vec<RecordId> = records.into_iter().collect();
    let is_gone = catalog.standing(scope, &records).await?.len() < records.len();
    let basis = Basis { records: records.iter().map(RecordId::to_string).collect(), is_gone, is_whole: true, change };
    let reply = Reply { picture: draw(charts.first().cloned()).await, ..render::reply(&finding, None) }.without_secrets();
    written.facts.iter_mut().for_each(clean_fact);
    let Written { sections, facts, chosen, is_empty, lead, .. } = written;
    let (period, scope, prompts) = (period.clone(), scope.id(), Vec::new());
    Ok(Brief { period, reply, basis, scope, prompts, facts, sections, chosen, charts, is_empty, finding, lead })
}

/// The brief with the model's sentence on its first highlight, where there is a model and the sentence passes the check.
pub(crate) async fn with_words(mut brief: Brief, app: &App, given: &Given, cancel: &CancellationToken) -> Brief {
    let Some((line, facts)) = brief.lead.clone() else { return brief };
    let Some(model) = app.model().await else { return brief };
    let asking = Asking { model: &*model, prompts: &app.prompts, scope_id: &brief.scope, cancel, given };
    let lead = Finding { headline: format!("{line}."), records: brief.finding.records.clone(), ..Finding::default() };
    let told = narrate::narrate(QUESTION, &lead, &facts, &asking).await;
    let sentence = told.inspect_err(|error| warn("the model did not narrate", error)).ok().flatten();
    let is_sound = |sentence: &String| strays(sentence, &lead, &facts).is_empty();
    brief.reply.narration = sentence.filter(is_sound).map(|sentence| redact(&sentence).0.into_owned());
    brief.prompts = given.hashes();
    brief
}

impl Brief {
    /// All of it as the terminal shows it.
    pub fn text(&self) -> String {
        let text = render::text(&self.finding, &self.reply.citations, self.reply.narration.as_deref());
        redact(&text).0.into_owned()
    }

    /// All of it as Markdown.
    pub fn markdown(&self) -> String {
        redact(&markdown::markdown(&self.sections, &self.reply)).0.into_owned()
    }

    /// All of it for programs.
    pub fn json(&self) -> Value {
        let section = |section: &Section| match &section.body {
            Body::List(lines) => json!({"title": section.title, "lines": lines}),
            Body::Table(rows) => json!({"title": section.title, "rows": rows}),
        };
        let zone = self.period.zone.iana_name();
        json!({
            "period": {"key": self.period.key(), "start_ms": self.period.start_ms, "end_ms": self.period.end_ms, "zone": zone},
            "is_empty": self.is_empty,
            "headline": self.reply.headline,
            "sections": self.sections.iter().map(section).collect::<Vec<_>>(),
            "narration": self.reply.narration,
            "notices": self.reply.notices,
            "facts": self.facts,
            "citations": self.reply.citations,
            "chosen": self.chosen,
            "text": self.text(),
        })
    }
}

/// What was written as a finding, which everything renders.
fn finding(written: &mut Written, period: &Period) -> Finding {
    let mut lines = Vec::new();
    for section in &written.sections {
        if !lines.is_empty() {
            lines.push(String::new());
        }
        lines.push(section.title.clone());
        match &section.body {
            Body::List(items) => lines.extend(items.iter().map(|item| format!("  {item}"))),
            Body::Table(rows) => lines.extend(columns(rows)),
        }
    }
    let mut notices = std::mem::take(&mut written.notices);
    notices.extend(zones::unlike_utc(&period.zone).map(|name| format!("Days are those of {name}.")));
    let records = written.named.iter().take(MAX_CITED).map(|named| named.source.clone()).collect();
    Finding { headline: written.headline.clone(), lines, notices, records, abstained: written.is_empty, ..Finding::default() }
}

/// What the check reads: all that is shown but the addresses of sources, which nobody takes for numbers.
fn checked_text(finding: &Finding) -> String {
    let mut citations = render::citations(finding);
    citations.iter_mut().for_each(|citation| citation.url = None);
    render::text(finding, &citations, None)
}

/// Numbers of a text that come from no fact and no record.
fn strays(text: &str, finding: &Finding, facts: &[Fact]) -> Vec<String> {
    let records: Vec<String> = finding.records.iter().flat_map(|source| [source.key.clone(), source.title.clone()]).collect();
    // A name that the check does not take for one, such as `2024 [1]`, is known by its numbers.
    let is_bare = |name: &str| !name.chars().any(char::is_alphabetic) && name.matches('-').count() < 2;
    let is_odd = |name: &&str| is_bare(name) || name.contains('[') || name.chars().any(is_odd_digit);
    let names = facts.iter().flat_map(|fact| [fact.label.as_deref(), Some(fact.name.as_str())]).flatten();
    let quotes: Vec<&str> = names.filter(is_odd).collect();
    check::strays(text, &check::Sources { facts, records: &records, quotes: &quotes, question: "" })
}

/// A digit of a script that is not ours.
fn is_odd_digit(c: char) -> bool {
    c.is_numeric() && !c.is_ascii_digit()
}

/// The curves of the new bests with the highest scores, each beside that of the best before; one point is no curve.
async fn charts(app: &App, scope: &ReadScope, gathered: &Gathered, order: &[usize]) -> anyhow::Result<Vec<Chart>> {
    let mut charts = Vec::new();
    for &i in order.iter().take(MAX_CHARTS) {
        let best = &gathered.bests[i];
        let mut lines = Vec::new();
        for run in [Some(&best.run), best.previous.as_ref().map(|(run, _)| run)].into_iter().flatten() {
            let curve = app.corpus.catalog.curve(scope, run.record, &best.metric).await?.unwrap_or_default();
            let points = curve.points.iter().map(|point| (point.step, point.value)).collect();
            lines.push(Line { name: run.name.clone(), points, n_all: curve.n_all });
        }
        if lines.first().is_some_and(|line: &Line| line.points.len() > 1) {
            charts.push(Chart { metric: best.metric.clone(), unit: None, lines });
        }
    }
    Ok(charts)
}
