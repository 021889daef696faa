//! Pulls, commits, params, tags, status, parts of run names, and what is left over.

use runlore_indexer::redact::MARK;
use runlore_indexer::run::RunStatus;

use super::super::words::{means, parts};
use super::{Links, Reading};

/// Words of asking, which nothing needs to account for.
const ASKING: &str = "a about across achieve achieved all among amount an and any are as at attain attained average averaged be been best better \
    between bottom by can compare compared comparison config configuration configurations count did differ difference do does each end ended ending \
    entire ever experiment experiments fewest final finally find finish finished for from get gets give good got greatest had has have high higher \
    highest how i in is it its job jobs judged largest last latest least list logged low lower lowest many maximal maximum me mean measured metric \
    minimal minimum most much my number of on one or our out over overall peak please produced project projects rate reach reached reaches record \
    recorded report reported result resulted results run runs s same score scored scores select set setting settings show single smallest so standard \
    deviation step submission submissions submit submitted tell than that the their them there these they this those to together top total training trial trials \
    try tried type under up us use used uses using value values versus vs was we were what when where which who whose with within workload workloads worst would you your \
    if look measured by according respect regard terms ranked rank ranking variant variants hyperparameter hyperparameters parameter parameters \
    algorithm algorithms optimizer optimizers method methods task tasks benchmark dataset split set sets achieved obtain obtained perform performed performance \
    performs performing winning winner wins won first second achieved do does exist exists contain contains hold holds saw see seen across different";

/// Takes `#12`, `PR 12`, `pull request 12` and commit hashes.
pub(super) fn take_pulls_and_commits(reading: &mut Reading<'_>, links: &mut Links) {
    for place in 0..reading.words.len() {
        let raw = reading.words[place].raw.clone();
        let before = if place > 0 { reading.lower(place - 1) } else { String::new() };
        let digits = raw.strip_prefix('#').or_else(|| matches!(before.as_str(), "pr" | "pull" | "request" | "mr").then_some(raw.as_str()));
        if let Some(number) = digits.and_then(|digits| digits.parse::<i64>().ok()) {
            links.pulls.push(number);
            reading.take(&[place]);
        }
        let is_hash =
            raw.len() >= 7 && raw.len() <= 40 && raw.chars().all(|c| c.is_ascii_hexdigit()) && raw.chars().any(|c| c.is_ascii_digit());
        if is_hash && before == "commit" {
            links.commits.push(raw);
            reading.take(&[place]);
        }
    }
}

/// Takes params by their whole name, or by the last part of a dotted one; a number right behind one is a value to filter by.
pub(super) fn take_params(reading: &mut Reading<'_>, links: &mut Links) {
    let mut names: Vec<(Vec<String>, String)> = Vec::new();
    for param in &reading.vocabulary.params {
        if !links.projects.is_empty() && !links.projects.iter().any(|project| param.projects.contains(project)) {
            continue;
        }
        names.push((parts(&param.name), param.name.clone()));
        if let Some((_, last)) = param.name.rsplit_once(['.', '/']) {
            names.push((parts(last), param.name.clone()));
        }
    }
    names.sort_by_key(|(parts, name)| (std::cmp::Reverse(parts.len()), name.len(), name.clone()));
    for (name_parts, name) in names {
        let Some(places) = reading.find(&name_parts, means) else { continue };
        let last = places.last().copied().unwrap_or(0);
        let value_at = (last + 1..=last + 2).find(|&i| {
            reading.words.get(i).is_some_and(|word| is_number(&word.raw))
                && (i == last + 1 || matches!(reading.lower(i - 1).as_str(), "of" | "is" | "at" | "equal" | "equals"))
        });
        reading.take(&places);
        match value_at {
            Some(at) => {
                links.values.push((name, reading.words[at].raw.clone()));
                reading.take(&[at]);
            }
            None => links.params.push(name),
        }
    }
}

/// Takes values of tags: `shampoo`, `study 1`.
pub(super) fn take_tags(reading: &mut Reading<'_>, links: &mut Links) {
    let mut tags: Vec<(Vec<String>, String, String)> = Vec::new();
    for tag in &reading.vocabulary.tags {
        let parts = parts(&tag.value);
        let is_bare_number = parts.iter().all(|part| part.chars().all(char::is_numeric));
        let is_long = tag.value.len() > 60 || parts.len() > 8;
        let is_plain = parts.len() == 1 && (parts[0].len() < 2 || ASKING.split_whitespace().any(|word| word == parts[0]));
        if !parts.is_empty() && !is_bare_number && !is_long && !is_plain {
            tags.push((parts, tag.name.clone(), tag.value.clone()));
        }
    }
    tags.sort_by_key(|(parts, name, value)| (std::cmp::Reverse(parts.len()), value.clone(), name.clone()));
    for (value_parts, name, value) in tags {
        if links.tags.iter().any(|(other, _)| *other == name) {
            continue;
        }
        let same = |typed: &str, part: &str| typed == part || (part.len() > 4 && means(typed, part));
        if let Some(places) = reading.find(&value_parts, same) {
            reading.take(&places);
            links.tags.push((name, value));
        }
    }
    take_beginnings(reading, links);
}

/// Takes a tag's value by the beginning of its parts, where only one value begins so: `schedule free` for `schedule_free_adamw_v2`.
fn take_beginnings(reading: &mut Reading<'_>, links: &mut Links) {
    let mut fits: Vec<(usize, Vec<usize>, String, String)> = Vec::new();
    for tag in &reading.vocabulary.tags {
        let parts = parts(&tag.value);
        if parts.len() < 3 || tag.value.len() > 60 || links.tags.iter().any(|(other, _)| *other == tag.name) {
            continue;
        }
        for n in (2..parts.len()).rev() {
            if let Some(places) = reading.find(&parts[..n], |typed, part| typed == part) {
                fits.push((n, places, tag.name.clone(), tag.value.clone()));
                break;
            }
        }
    }
    let longest = fits.iter().map(|(n, ..)| *n).max().unwrap_or(0);
    fits.retain(|(n, ..)| *n == longest);
    if let [(_, places, name, value)] = fits.as_slice() {
        reading.take(places);
        links.tags.push((name.clone(), value.clone()));
    }
}

/// Takes `failed`, `crashed`, `still running`...
pub(super) fn take_status(reading: &mut Reading<'_>, links: &mut Links) {
    for place in 0..reading.words.len() {
        let status = match reading.lower(place).as_str() {
            "failed" | "fail" | "failing" | "failures" => RunStatus::Failed,
            "crashed" => RunStatus::Crashed,
            "killed" | "stopped" | "cancelled" => RunStatus::Killed,
            "running" | "active" => RunStatus::Running,
            "finished" | "completed" | "succeeded" | "successful" => RunStatus::Finished,
            "queued" | "pending" | "scheduled" => RunStatus::Queued,
            _ => continue,
        };
        links.status.get_or_insert(status);
        reading.take(&[place]);
    }
}

/// Takes a word right before `run` or `runs`, or after `named`, that is part of some runs' names and nothing else.
pub(super) fn take_name_parts(reading: &mut Reading<'_>, links: &mut Links) {
    for place in 0..reading.words.len() {
        let next = reading.lower(place + 1);
        let is_slot = matches!(next.as_str(), "run" | "runs" | "trial" | "trials" | "experiments" | "submission" | "submissions");
        let word = reading.lower(place);
        if reading.used[place] || !is_slot || word.len() < 3 || ASKING.split_whitespace().any(|asking| asking == word) {
            continue;
        }
        if reading.vocabulary.runs.iter().any(|run| parts(&run.name).contains(&word)) {
            links.name = Some(format!("*{word}*"));
            reading.take(&[place]);
        }
    }
}

/// Sorts what is left: names that are nothing here, and words that nothing accounts for.
pub(super) fn note_the_rest(reading: &mut Reading<'_>, links: &mut Links) {
    for place in 0..reading.words.len() {
        if reading.used[place] {
            continue;
        }
        let (raw, lower) = (reading.words[place].raw.clone(), reading.lower(place));
        // What stands in the place of a secret names nothing.
        if raw.contains(MARK.trim_start_matches('[')) {
            continue;
        }
        if ASKING.split_whitespace().any(|word| word == lower) || is_number(&raw) || is_date(&raw) {
            continue;
        }
        let before = if place > 0 { reading.lower(place - 1) } else { String::new() };
        let next = reading.lower(place + 1);
        let looks_like_a_name =
            raw.chars().any(|c| c.is_ascii_digit()) && raw.chars().any(char::is_alphabetic) || raw.contains('_') || raw.contains('/');
        let in_a_name_slot = matches!(before.as_str(), "project" | "experiment" | "named" | "called" | "workload")
            || matches!(next.as_str(), "submission" | "submissions" | "project" | "workload");
        if looks_like_a_name || in_a_name_slot {
            links.unknown.push(raw);
        } else {
            links.unexplained.push(raw);
        }
    }
}

fn is_number(raw: &str) -> bool {
    raw.trim_end_matches('%').parse::<f64>().is_ok()
}

fn is_date(raw: &str) -> bool {
    raw.parse::<jiff::civil::Date>().is_ok()
}
