//! From a choice and the linked names to typed look-ups, or to a sentence that says what is missing.

use runlore_indexer::catalog::RunFilter;
use runlore_indexer::index::vector::Filter;
use runlore_indexer::record::RecordKind;
use runlore_indexer::run::Direction;

use super::super::link::{Links, Mention};
use super::{Choice, Plan, Tool};
use crate::directions::Directions;
use crate::tools::{Call, RunRef};

/// Runs that a table of the best shows.
const N_BEST: usize = 3;

/// Runs that a list shows.
const N_LISTED: usize = 20;

/// Records that a search answers with.
const N_FOUND: usize = 5;

/// Turns a choice into look-ups.
pub(super) fn calls(question: &str, links: &Links, choice: &Choice, directions: &Directions) -> Plan {
    if choice.tool.is_numeric()
        && let Some(sentence) = missing(links, choice.tool)
    {
        return Plan::Say(sentence);
    }
    let metric = || links.metrics.first().cloned().unwrap_or_default();
    let direction = direction(links, choice, directions);
    let call = match choice.tool {
        Tool::Best => Call::Best { metric: metric(), direction, runs: filter(links), show: links.params.clone(), limit: N_BEST },
        Tool::Mean => Call::Mean { metric: metric(), direction, runs: filter(links) },
        Tool::Count => Call::Count { runs: filter(links) },
        Tool::Runs => Call::List { runs: filter(links), limit: N_LISTED },
        Tool::Compare => match links.runs.iter().map(one).collect::<Result<Vec<RunRef>, String>>() {
            Ok(runs) => Call::Compare { metric: links.metrics.first().cloned(), runs, which: choice.which },
            Err(sentence) => return Plan::Say(sentence),
        },
        Tool::History | Tool::Param | Tool::Run => match links.runs.first().map(one) {
            Some(Ok(run)) => of_run(choice, links, run, direction),
            Some(Err(sentence)) => return Plan::Say(sentence),
            None => return Plan::Say("Which run is meant?".to_owned()),
        },
        Tool::Pull => Call::Pull { number: links.pulls.first().copied().unwrap_or_default() },
        Tool::Commit => Call::Commit { prefix: links.commits.first().cloned().unwrap_or_default() },
        Tool::Search => search(question, links, choice),
    };
    Plan::Calls(vec![call])
}

fn of_run(choice: &Choice, links: &Links, run: RunRef, direction: Option<Direction>) -> Call {
    match (choice.tool, links.metrics.first()) {
        (Tool::History, Some(metric)) => Call::History { metric: metric.clone(), run, which: choice.which, direction },
        (Tool::Param, _) if !links.params.is_empty() => Call::Param { names: links.params.clone(), run },
        _ => Call::Show { run },
    }
}

fn search(question: &str, links: &Links, choice: &Choice) -> Call {
    let mut filter = Filter { kinds: choice.kinds.clone(), ..Filter::default() };
    if choice.kinds == [RecordKind::Pull]
        && let Some(time) = links.time
    {
        (filter.since_ms, filter.until_ms) = (time.since_ms, time.until_ms);
    }
    Call::Search { words: question.to_owned(), filter, limit: N_FOUND }
}

/// The direction asked for; for `worst` the other end than the good one.
fn direction(links: &Links, choice: &Choice, directions: &Directions) -> Option<Direction> {
    if !choice.is_worst {
        return choice.direction;
    }
    let project = links.projects.first().map_or("", String::as_str);
    let metric = links.metrics.first().map_or("", String::as_str);
    Some(match directions.of(project, metric).direction {
        Direction::Min => Direction::Max,
        Direction::Max => Direction::Min,
    })
}

/// What a question about values names that is not there, or that is not clear.
fn missing(links: &Links, tool: Tool) -> Option<String> {
    if let Some(metric) = &links.absent_metric {
        let place = links.projects.first().map(|project| format!(" in {project}"));
        let run = links.runs.first().and_then(|mention| mention.runs.first()).map(|run| format!(" in {}", run.key));
        return Some(format!("`{metric}` is not logged{}.", run.or(place).unwrap_or_else(|| " in what I may read here".to_owned())));
    }
    if let Some(unknown) = links.unknown.first() {
        return Some(format!("I know nothing named `{unknown}` here."));
    }
    if let [first, .., last] = links.projects.as_slice()
        && tool != Tool::Compare
        && links.runs.iter().all(|mention| mention.runs.len() != 1)
    {
        let all = links.projects.join(", ");
        debug_assert!(first != last);
        return Some(format!("Which project is meant: {all}?"));
    }
    None
}

/// The one run that was named, or a sentence.
fn one(mention: &Mention) -> Result<RunRef, String> {
    match mention.runs.as_slice() {
        [run] => Ok(run.clone()),
        [] => Err(format!("There is no run `{}` here.", mention.typed)),
        several => {
            let keys: Vec<&str> = several.iter().take(8).map(|run| run.key.as_str()).collect();
            Err(format!("Several runs are called `{}`: {}. Which one is meant?", mention.typed, keys.join(", ")))
        }
    }
}

/// The linked names as a filter over runs.
fn filter(links: &Links) -> RunFilter {
    RunFilter {
        project: links.projects.first().cloned(),
        status: links.status,
        name: links.name.clone(),
        params: links.values.clone(),
        tags: links.tags.clone(),
        since_ms: links.time.and_then(|time| time.since_ms),
        until_ms: links.time.and_then(|time| time.until_ms),
    }
}
