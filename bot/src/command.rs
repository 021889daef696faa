//! Typed commands: what can be looked up without the model. A line that does not parse as a whole is a question.
//!
//! The grammar must not swallow questions: a line that begins with a command's word is a command only where all of it fits. Where
//! it fits but for one bad name, and that looks like a name, the answer is a refusal with the nearest names.

mod clauses;
mod conditions;
mod names;
#[cfg(test)]
mod tests;
mod words;

use jiff::Zoned;
use runlore_indexer::catalog::{RunFilter, Vocabulary};
use runlore_indexer::index::vector::Filter;
use runlore_indexer::record::RecordKind;
use runlore_indexer::run::RunStatus;

use self::clauses::Clauses;
use self::names::Names;
use self::words::Word;
use crate::answer::dates::next_day;
use crate::brief::Period;
use crate::refusal::Refusal;
use crate::tools::{Call, Which};

/// Runs that `best` shows.
const N_BEST: usize = 5;

/// Runs that `runs` and `running` show.
const N_RUNS: usize = 20;

/// Records that `search` shows.
const N_FOUND: usize = 5;

/// The words that begin a command, for completion.
pub const COMMANDS: [&str; 14] =
    ["best", "compare", "history", "curve", "mean", "count", "runs", "running", "run", "search", "pull", "commit", "brief", "help"];

/// What can be typed, as `help` shows it.
pub const HELP: &str = "\
Ask in your own words, or type a command:
  best METRIC [in PROJECT] [where KEY=VALUE] [since DATE] [until DATE] [show PARAM] [limit N]
  compare RUN RUN... [on METRIC] [final | at STEP] [in PROJECT]
  history METRIC RUN [best | final | at STEP] [in PROJECT]
  curve METRIC RUN... [in PROJECT]
  mean METRIC [in PROJECT] [where KEY=VALUE] [since DATE] [until DATE]
  count [in PROJECT] [where KEY=VALUE] [since DATE] [until DATE]
  runs [in PROJECT] [where KEY=VALUE] [since DATE] [until DATE] [limit N]
  run RUN [in PROJECT]
  running [in PROJECT]
  search WORDS [kind:note] [project:NAME] [since:DATE] [until:DATE]
  pull NUMBER
  commit HASH
  brief [this week | last week | DATE | 2026-W12]
  help
`where` knows `status`, `name` (with `*`), params and tags, several joined with `and`. Names with spaces stand in quotes.
A RUN is named by its name, `PROJECT/NAME`, its number (`#12`) or the beginning of its id.";

/// What a typed line says.
#[derive(Debug, Clone, PartialEq)]
pub enum Parsed {
    /// A look-up.
    Call(Call),
    /// What a week held.
    Brief(Period),
    /// What can be asked here.
    Help,
    /// A command that cannot be done as it stands.
    Refusal(Refusal),
}

/// Why a line is not a command that can be done.
#[derive(Debug)]
enum Stop {
    /// It is a question in the asker's own words.
    Question,
    /// It is a command with something wrong in it.
    Refused(Refusal),
}

/// What the words of a command are read against.
#[derive(Clone, Copy)]
struct Reader<'a> {
    names: Names<'a>,
    now: &'a Zoned,
}

/// Reads a typed command; `None` where the line is a question.
pub fn parse(text: &str, vocabulary: &Vocabulary, now: &Zoned) -> Option<Parsed> {
    let text = text.trim();
    let asks = text.ends_with('?');
    let words = words::split(text.trim_end_matches(['?', ' ']))?;
    let (first, rest) = words.split_first()?;
    let command = first.keyword()?;
    if command == "search" && asks {
        return None;
    }
    let reader = Reader { names: Names { vocabulary }, now };
    match reader.read(&command, rest) {
        Ok(parsed) => Some(parsed),
        Err(Stop::Refused(refusal)) if !asks => Some(Parsed::Refusal(refusal)),
        Err(Stop::Refused(_) | Stop::Question) => None,
    }
}

impl Reader<'_> {
    fn read(&self, command: &str, rest: &[Word]) -> Result<Parsed, Stop> {
        let call = match command {
            "best" => self.best(rest)?,
            "compare" => self.compare(rest)?,
            "history" => self.history(rest)?,
            "curve" => self.curve(rest)?,
            "mean" => self.mean(rest)?,
            "count" => Call::Count { runs: self.runs_only(rest, &["in", "where", "since", "until"])?.0 },
            "runs" => self.list(rest)?,
            "running" => self.running(rest)?,
            "run" => self.show(rest)?,
            "search" => self.search(rest)?,
            "pull" => pull(rest)?,
            "commit" => commit(rest)?,
            "brief" => return self.brief(rest).map(Parsed::Brief),
            "help" if rest.is_empty() => return Ok(Parsed::Help),
            _ => return Err(Stop::Question),
        };
        Ok(Parsed::Call(call))
    }

    fn best(&self, words: &[Word]) -> Result<Call, Stop> {
        let clauses = Clauses::read(words, &["in", "where", "since", "until", "show", "limit"])?;
        let runs = self.filter(&clauses)?;
        let metric = self.names.metric(&clauses.head, runs.project.as_deref())?;
        let show = clauses.part("show").iter().map(|word| self.names.param(word)).collect::<Result<_, _>>()?;
        Ok(Call::Best { metric, direction: None, runs, show, limit: clauses.limit(N_BEST)? })
    }

    fn mean(&self, words: &[Word]) -> Result<Call, Stop> {
        let clauses = Clauses::read(words, &["in", "where", "since", "until"])?;
        let runs = self.filter(&clauses)?;
        let metric = self.names.metric(&clauses.head, runs.project.as_deref())?;
        Ok(Call::Mean { metric, direction: None, runs })
    }

    fn compare(&self, words: &[Word]) -> Result<Call, Stop> {
        let clauses = Clauses::read(words, &["in", "on", "best", "final", "at"])?;
        if clauses.head.len() < 2 {
            return Err(Stop::Question);
        }
        let project = self.project(&clauses)?;
        let runs = clauses.head.iter().map(|word| self.names.run(word, project.as_deref())).collect::<Result<Vec<_>, _>>()?;
        // One project for all of them narrows what the metric can mean.
        let shared = runs
            .first()
            .and_then(|run| self.names.project_of(run))
            .filter(|p| runs.iter().all(|run| self.names.project_of(run) == Some(*p)));
        let metric = if clauses.has("on") { Some(self.names.metric(clauses.part("on"), shared)?) } else { None };
        Ok(Call::Compare { metric, runs, which: clauses.which(Which::Best)? })
    }

    fn history(&self, words: &[Word]) -> Result<Call, Stop> {
        let clauses = Clauses::read(words, &["in", "best", "final", "at"])?;
        self.series(&clauses, clauses.which(Which::Points)?)
    }

    /// The metric's name may have several words; as many as are runs at the end are the runs.
    fn curve(&self, words: &[Word]) -> Result<Call, Stop> {
        let clauses = Clauses::read(words, &["in"])?;
        let project = self.project(&clauses)?;
        let is_run = |word: &&Word| self.names.run(word, project.as_deref()).is_ok();
        let n_runs = clauses.head.iter().skip(1).rev().take_while(is_run).count();
        if n_runs < 2 {
            return self.series(&clauses, Which::Points);
        }
        let (metric, runs) = clauses.head.split_at(clauses.head.len() - n_runs);
        let runs = runs.iter().map(|word| self.names.run(word, project.as_deref())).collect::<Result<Vec<_>, _>>()?;
        let metric = self.names.metric(metric, runs.first().and_then(|run| self.names.project_of(run)))?;
        Ok(Call::Curve { metric, runs })
    }

    /// The metric's name may have several words; the run is the last one.
    fn series(&self, clauses: &Clauses, which: Which) -> Result<Call, Stop> {
        let Some((run, metric)) = clauses.head.split_last().filter(|(_, metric)| !metric.is_empty()) else { return Err(Stop::Question) };
        let project = self.project(clauses)?;
        let run = self.names.run(run, project.as_deref())?;
        let metric = self.names.metric(metric, self.names.project_of(&run))?;
        Ok(Call::History { metric, run, which, direction: None })
    }

    fn list(&self, words: &[Word]) -> Result<Call, Stop> {
        let (runs, clauses) = self.runs_only(words, &["in", "where", "since", "until", "limit"])?;
        Ok(Call::List { runs, limit: clauses.limit(N_RUNS)? })
    }

    fn running(&self, words: &[Word]) -> Result<Call, Stop> {
        let (runs, _) = self.runs_only(words, &["in"])?;
        Ok(Call::List { runs: RunFilter { status: Some(RunStatus::Running), ..runs }, limit: N_RUNS })
    }

    /// The week so far, or the one that is named. Whatever else begins with the word is a question.
    fn brief(&self, words: &[Word]) -> Result<Period, Stop> {
        let named: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
        let named = if named.is_empty() { "this week".to_owned() } else { named.join(" ") };
        Period::parse(&named, self.now).ok_or(Stop::Question)
    }

    fn show(&self, words: &[Word]) -> Result<Call, Stop> {
        let clauses = Clauses::read(words, &["in"])?;
        let [run] = clauses.head.as_slice() else { return Err(Stop::Question) };
        let project = self.project(&clauses)?;
        Ok(Call::Show { run: self.names.run(run, project.as_deref())? })
    }

    fn search(&self, words: &[Word]) -> Result<Call, Stop> {
        let (mut filter, mut said) = (Filter::default(), Vec::new());
        for word in words {
            match word.option() {
                Some(("kind", kind)) => filter.kinds.push(record_kind(kind)?),
                Some(("project" | "in", project)) => filter.project = Some(self.names.project(&Word::quoted(project))?),
                Some(("since", date)) => filter.since_ms = Some(self.date(date)?),
                Some(("until", date)) => filter.until_ms = next_day(self.date(date)?, self.now.time_zone()),
                _ => said.push(word.as_typed()),
            }
        }
        if said.is_empty() {
            return Err(Stop::Refused(Refusal::new("There is nothing to search for.").with_hint("Write `search` and then the words.")));
        }
        Ok(Call::Search { words: said.join(" "), filter, limit: N_FOUND })
    }

    /// A command that has no words of its own but those that narrow the runs.
    fn runs_only(&self, words: &[Word], keywords: &[&'static str]) -> Result<(RunFilter, Clauses), Stop> {
        let clauses = Clauses::read(words, keywords)?;
        if !clauses.head.is_empty() {
            return Err(Stop::Question);
        }
        Ok((self.filter(&clauses)?, clauses))
    }
}

fn record_kind(word: &str) -> Result<RecordKind, Stop> {
    let lower = word.to_lowercase();
    lower.trim_end_matches('s').parse().map_err(|_| {
        let refusal = Refusal::new(format!("`{word}` is no kind of record."));
        Stop::Refused(refusal.with_hint("There are `run`, `note`, `config`, `pull` and `commit`."))
    })
}

fn pull(words: &[Word]) -> Result<Call, Stop> {
    let [word] = words else { return Err(Stop::Question) };
    let number = word.text.trim_start_matches(['#', '!']).parse().map_err(|_| Stop::Question)?;
    Ok(Call::Pull { number })
}

fn commit(words: &[Word]) -> Result<Call, Stop> {
    let [word] = words else { return Err(Stop::Question) };
    let is_hash = (4..=40).contains(&word.text.len()) && word.text.chars().all(|c| c.is_ascii_hexdigit());
    if is_hash { Ok(Call::Commit { prefix: word.text.to_lowercase() }) } else { Err(Stop::Question) }
}
