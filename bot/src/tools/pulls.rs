//! Pulls and commits by number and hash.

use runlore_indexer::catalog::PullRow;

use super::format::{columns, day};
use super::{Desk, Finding, LookUpError};
use crate::facts::{Fact, FactKind};

/// Files that are listed.
const MAX_FILES: usize = 8;

/// A pull by its number; several repositories may have one.
pub(super) async fn pull(desk: &mut Desk<'_>, number: i64) -> Result<Finding, LookUpError> {
    let pulls = desk.corpus.catalog.pulls_numbered(desk.scope, number).await?;
    match pulls.as_slice() {
        [] => Ok(Finding::nothing(format!("There is no pull #{number}."))),
        [pull] => Ok(card(desk, pull)),
        several => {
            let repositories: Vec<&str> = several.iter().map(|pull| pull.repository.as_str()).collect();
            let mut finding = Finding {
                headline: format!("#{number} is a pull in {}; say which one is meant.", repositories.join(" and ")),
                ..Finding::default()
            };
            for pull in several {
                finding.lines.push(format!("  {} {}", pull.repository, desk.ledger.show(Fact::text("title", &pull.title, &pull.key))));
                finding.cite(&pull.key, &pull.title, pull.url.as_deref());
            }
            Ok(finding)
        }
    }
}

fn card(desk: &mut Desk<'_>, pull: &PullRow) -> Finding {
    let title = desk.ledger.show(Fact::text("title", &pull.title, &pull.key));
    let mut headline = format!("{}: {title}", pull.key);
    if let Some(ms) = pull.merged_ms {
        let merged = Fact { label: Some(day(ms, desk.zone)), ..Fact::new(FactKind::Time, "merged").from(&pull.key, pull.url.as_deref()) };
        headline.push_str(&format!(", merged {}", desk.ledger.show(merged)));
    }
    if let Some(author) = &pull.author {
        headline.push_str(&format!(", by {}", desk.ledger.show(Fact::text("author", author, &pull.key))));
    }
    let mut finding = Finding { headline: format!("{headline}."), ..Finding::default() };
    if !pull.files.is_empty() {
        let n = desk.ledger.show(Fact::count("files", pull.files.len()).from(&pull.key, pull.url.as_deref()));
        finding.lines.push(format!("  {n} files:"));
        let rows: Vec<Vec<String>> =
            pull.files.iter().take(MAX_FILES).map(|file| vec![desk.ledger.show(Fact::text("file", &file.path, &pull.key))]).collect();
        finding.lines.extend(columns(&rows));
    }
    let description: String = pull.description.trim().chars().take(600).collect();
    if !description.is_empty() {
        finding.quotes.push(crate::chat::Quote { text: description, record: pull.key.clone() });
    }
    finding.cite(&pull.key, &pull.title, pull.url.as_deref());
    finding
}

/// Commits by the beginning of a hash.
pub(super) async fn commit(desk: &mut Desk<'_>, prefix: &str) -> Result<Finding, LookUpError> {
    let commits = desk.corpus.catalog.commits(desk.scope, prefix).await?;
    if commits.is_empty() {
        if let Some(pull) = desk.corpus.catalog.pull_of_commit(desk.scope, prefix).await? {
            return Ok(card(desk, &pull));
        }
        return Ok(Finding::nothing(format!("There is no commit `{prefix}`.")));
    }
    let mut finding = Finding { headline: format!("Commits that begin with {prefix}:"), ..Finding::default() };
    for commit in &commits {
        let subject = commit.message.lines().next().unwrap_or_default();
        let key = &commit.hash[..commit.hash.len().min(10)];
        let subject = desk.ledger.show(Fact::text("subject", subject, key));
        let pull = commit.pull.map(|number| format!(" (#{number})")).unwrap_or_default();
        finding.lines.push(format!("  {key} {subject}{pull}"));
        finding.cite(key, &subject, None);
    }
    Ok(finding)
}
