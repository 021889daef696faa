//! `runlore status`: the sources with age, counts and complaints, and how far the indexes are.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use runlore_indexer::catalog::{SourceStatus, SpaceCounts};
use runlore_indexer::config::Settings;
use runlore_indexer::redact::Taken;
use runlore_indexer::report::PlacedComplaint;
use runlore_indexer::search::Corpus;
use runlore_indexer::space::{ReadScope, Space};
use serde::Serialize;

use super::{Exit, Form, Options, existing_state, open_corpus, out};
use crate::store::FeedbackCounts;

#[derive(Serialize)]
struct StatusJson {
    settings: String,
    data: String,
    last_change: i64,
    sources: Vec<SourceJson>,
    records: Vec<RecordsJson>,
    indexes: Vec<IndexJson>,
    /// What was asked and answered on the platforms; nothing before the first `runlore serve`.
    service: Option<ServiceJson>,
}

/// How the service fared.
#[derive(Serialize)]
struct ServiceJson {
    questions: BTreeMap<String, i64>,
    messages: BTreeMap<String, i64>,
    feedback: FeedbackCounts,
    /// Accounts that are one person's, by that person's word.
    links: Vec<LinkJson>,
}

#[derive(Serialize)]
struct LinkJson {
    workspace: String,
    slack: String,
    discord: String,
    since_ms: i64,
}

#[derive(Serialize)]
struct SourceJson {
    name: String,
    kind: String,
    is_configured: bool,
    tried_ms: Option<i64>,
    read_ms: Option<i64>,
    failure: Option<String>,
    n_records: u64,
    /// Secrets and hidden characters that were taken out of them.
    n_redacted: u64,
    n_hidden: u64,
    complaints: Vec<PlacedComplaint>,
}

#[derive(Serialize)]
struct RecordsJson {
    space: String,
    kind: String,
    n_records: u64,
}

/// How far the indexes of a space follow the catalog.
#[derive(Serialize)]
struct IndexJson {
    space: String,
    keyword_applied: Option<i64>,
    vector_applied: Option<i64>,
    keyword_missing: Option<u64>,
    vector_missing: Option<u64>,
    failure: Option<String>,
}

/// Shows how things stand.
pub(super) async fn status(options: &Options) -> anyhow::Result<Exit> {
    let settings = options.settings()?;
    let corpus = open_corpus(&settings).await?;
    let status = gather(&settings, &corpus).await?;
    match options.form {
        Form::Json => out::json(&status)?,
        Form::Text => out::line(&text(&status, Timestamp::now()))?,
    }
    Ok(Exit::Fine)
}

async fn gather(settings: &Settings, corpus: &Corpus) -> anyhow::Result<StatusJson> {
    let catalog = &corpus.catalog;
    let spaces = catalog.spaces().await?;
    let everything = ReadScope::for_maintenance(spaces.iter().cloned().collect::<BTreeSet<Space>>());
    let mut indexes = Vec::new();
    for space in &spaces {
        indexes.push(index(corpus, space).await?);
    }
    Ok(StatusJson {
        settings: settings.file.display().to_string(),
        data: settings.data.display().to_string(),
        last_change: catalog.last_change().await?,
        sources: sources(settings, catalog.source_status().await?),
        records: catalog.counts(&everything).await?.into_iter().map(records).collect(),
        indexes,
        service: service(settings).await?,
    })
}

async fn service(settings: &Settings) -> anyhow::Result<Option<ServiceJson>> {
    let Some(store) = existing_state(settings).await? else { return Ok(None) };
    let questions: BTreeMap<String, i64> = store.question_counts().await?.into_iter().collect();
    let messages: BTreeMap<String, i64> = store.outbox_counts().await?.into_iter().collect();
    // The terminal alone leaves a state without either.
    let has_served = !questions.is_empty() || !messages.is_empty();
    let feedback = store.feedback_counts().await?;
    let links = store.links().await?.into_iter().map(|link| LinkJson {
        workspace: link.slack.workspace,
        slack: link.slack.person,
        discord: link.discord.person,
        since_ms: link.since_ms,
    });
    Ok(has_served.then_some(ServiceJson { questions, messages, feedback, links: links.collect() }))
}

/// The service in some lines.
fn service_line(service: &ServiceJson) -> String {
    let counts = |counts: &BTreeMap<String, i64>| counts.iter().map(|(state, n)| format!("{n} {state}")).collect::<Vec<_>>().join(", ");
    let FeedbackCounts { n_useful, n_not_useful } = service.feedback;
    let links: String =
        service.links.iter().map(|link| format!("\nlinked: `{}` on Slack, `{}` on Discord", link.slack, link.discord)).collect();
    format!(
        "questions: {}\nmessages: {}\nfeedback: {n_useful} useful, {n_not_useful} not useful{links}",
        counts(&service.questions),
        counts(&service.messages)
    )
}

/// Every source of the settings in their order, then those that only the catalog still has.
fn sources(settings: &Settings, known: Vec<SourceStatus>) -> Vec<SourceJson> {
    let placed = settings.sources.iter().map(|placed| match known.iter().find(|status| status.name == placed.source.name) {
        Some(status) => source(status, true),
        None => SourceJson {
            name: placed.source.name.clone(),
            kind: placed.source.kind().to_owned(),
            is_configured: true,
            tried_ms: None,
            read_ms: None,
            failure: None,
            n_records: 0,
            n_redacted: 0,
            n_hidden: 0,
            complaints: Vec::new(),
        },
    });
    let is_configured = |status: &&SourceStatus| settings.sources.iter().any(|placed| placed.source.name == status.name);
    placed.chain(known.iter().filter(|status| !is_configured(status)).map(|status| source(status, false))).collect()
}

fn source(status: &SourceStatus, is_configured: bool) -> SourceJson {
    SourceJson {
        name: status.name.clone(),
        kind: status.kind.clone(),
        is_configured,
        tried_ms: status.tried_ms,
        read_ms: status.read_ms,
        failure: status.failure.clone(),
        n_records: status.n_records,
        n_redacted: status.taken.n_secrets,
        n_hidden: status.taken.n_hidden,
        complaints: status.complaints.clone(),
    }
}

fn records(counts: SpaceCounts) -> RecordsJson {
    RecordsJson { space: counts.space, kind: counts.kind, n_records: counts.n_records }
}

async fn index(corpus: &Corpus, space: &Space) -> anyhow::Result<IndexJson> {
    let (keyword, vectors, of) = (corpus.keyword.clone(), corpus.vectors.clone(), space.clone());
    let applied = move || (keyword.applied(&of).map_err(|e| e.to_string()), vectors.applied(&of).map_err(|e| e.to_string()));
    let (keyword, vector) = tokio::task::spawn_blocking(applied).await?;
    let failures: Vec<String> = [&keyword, &vector].into_iter().filter_map(|applied| applied.as_ref().err().cloned()).collect();
    Ok(IndexJson {
        space: space.to_string(),
        keyword_missing: missing(corpus, space, keyword.as_ref().ok()).await?,
        vector_missing: missing(corpus, space, vector.as_ref().ok()).await?,
        keyword_applied: keyword.ok(),
        vector_applied: vector.ok(),
        failure: (!failures.is_empty()).then(|| failures.join("; ")),
    })
}

/// Changes that an index has not taken in yet.
async fn missing(corpus: &Corpus, space: &Space, applied: Option<&i64>) -> anyhow::Result<Option<u64>> {
    let Some(applied) = applied else { return Ok(None) };
    Ok(Some(corpus.catalog.changes(space, *applied, usize::MAX >> 1).await?.len() as u64))
}

fn text(status: &StatusJson, now: Timestamp) -> String {
    let mut lines = vec![format!("settings {}", status.settings), format!("data     {}", status.data), String::new()];
    let head = ["source", "kind", "records", "read", "complaints"].map(str::to_owned).to_vec();
    let rows: Vec<Vec<String>> = std::iter::once(head).chain(status.sources.iter().map(|source| row(source, now))).collect();
    lines.push(out::table(&rows));
    lines.extend(status.sources.iter().filter_map(taken_out));
    lines.push(String::new());
    lines.extend(status.indexes.iter().map(|index| index_line(index, status)));
    if status.indexes.is_empty() {
        lines.push("nothing is indexed yet; run `runlore index`".to_owned());
    }
    if let Some(service) = &status.service {
        lines.push(String::new());
        lines.push(service_line(service));
    }
    let wrongs: Vec<String> = status.sources.iter().flat_map(wrongs).collect();
    if !wrongs.is_empty() {
        lines.push(String::new());
        lines.extend(wrongs);
    }
    lines.join("\n")
}

fn row(source: &SourceJson, now: Timestamp) -> Vec<String> {
    let read = match (source.read_ms, source.is_configured) {
        (_, false) => "no longer in the settings".to_owned(),
        (Some(at), _) => out::age(at, now),
        (None, _) => "never".to_owned(),
    };
    let mut complaints = source.complaints.len().to_string();
    if source.failure.is_some() {
        complaints.push_str(", last try failed");
    }
    vec![source.name.clone(), source.kind.clone(), source.n_records.to_string(), read, complaints]
}

/// What was taken out of what a source shows.
fn taken_out(source: &SourceJson) -> Option<String> {
    let taken = Taken { n_secrets: source.n_redacted, n_hidden: source.n_hidden };
    super::index::taken_out(taken).map(|told| format!("{}: {told}", source.name))
}

fn index_line(index: &IndexJson, status: &StatusJson) -> String {
    let counts = status.records.iter().filter(|records| records.space == index.space);
    let counts: Vec<String> = counts.map(|records| out::count(records.n_records, &records.kind)).collect();
    let counts = if counts.is_empty() { "empty".to_owned() } else { counts.join(", ") };
    let behind = [("keyword", index.keyword_missing), ("vector", index.vector_missing)];
    let behind: Vec<String> = behind
        .iter()
        .filter_map(|(name, n)| match n {
            Some(0) => None,
            Some(n) => Some(format!("{name} index {} behind", out::count(*n, "change"))),
            None => Some(format!("{name} index does not serve")),
        })
        .collect();
    let state = if behind.is_empty() { "indexes up to date".to_owned() } else { behind.join(", ") };
    let failure = index.failure.as_ref().map(|failure| format!(" ({failure})")).unwrap_or_default();
    format!("space `{}`: {counts}; {state}{failure}", index.space)
}

fn wrongs(source: &SourceJson) -> Vec<String> {
    let failure = source.failure.iter().map(|failure| format!("{}: {failure}", source.name));
    failure
        .chain(source.complaints.iter().map(|complaint| format!("{}: `{}`: {}", source.name, complaint.place, complaint.message)))
        .collect()
}
