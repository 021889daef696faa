//! The loop: kept cases first, then the seeds, then changed inputs until the time is over. The first finding ends it.

use std::cell::Cell;
use std::collections::HashSet;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};

use super::random::Random;
use super::watch::{self, Watch};
use super::{Target, mutated, shrink};

/// How long a target is fuzzed, where `RUNLORE_FUZZ_S` says nothing else.
const SECONDS: u64 = 30;

/// Longest time for one input. What takes longer is tried again, since the machine may have been busy.
const LIMIT: Duration = Duration::from_secs(1);
const TRIES: usize = 3;

/// How long a finding is made smaller.
const SHRINK_WITHIN: Duration = Duration::from_secs(20);

/// Most inputs that are changed further.
const MAX_INPUTS: usize = 4_000;

/// What is wrong, and by which input.
#[derive(Debug, Clone)]
pub struct Finding {
    /// Whether it panicked, took too long, or came out wrong.
    pub kind: Kind,
    /// In words.
    pub why: String,
}

/// How an input broke the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It panicked.
    Panics,
    /// It came out otherwise than it must.
    Wrong,
    /// It took too long.
    Slow,
}

/// Where CI begins.
const SEED: u64 = 20_261_122;

/// Fuzzes a target for `RUNLORE_FUZZ_S` seconds, beginning at `RUNLORE_FUZZ_SEED`; where that is `0` anywhere, and where it is not said at
/// the same place always, so that CI fails by what was changed and not by chance.
///
/// # Errors
/// With the first finding: its seed, and the file that holds the shortest input that was found for it.
pub fn fuzz(target: &Target<'_>) -> Result<()> {
    let seconds = number("RUNLORE_FUZZ_S").unwrap_or(SECONDS);
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let seed = number("RUNLORE_FUZZ_SEED").map_or(SEED, |seed| if seed == 0 { since.as_nanos() as u64 } else { seed });
    let kept = kept(target)?;
    println!("fuzz {}: seed {seed}, {} cases kept, {seconds} s", target.name, kept.len());
    let mut run = Run { target, watch: Watch::start(target.name), seen: HashSet::new(), inputs: Vec::new(), n: 0, slowest: Duration::ZERO };
    for input in kept.iter().chain(&target.seeds) {
        run.take(input).or_else(|finding| run.report(input, &finding, seed))?;
        run.inputs.push(input.clone());
    }
    let (begun, mut random, n_seeds) = (Instant::now(), Random::new(seed), run.inputs.len());
    while begun.elapsed() < Duration::from_secs(seconds) {
        let input = mutated(&mut random, target.format, &run.inputs, n_seeds, target.words);
        match run.take(&input) {
            Ok(true) if run.inputs.len() < MAX_INPUTS => run.inputs.push(input),
            Ok(_) => {}
            Err(finding) => return run.report(&input, &finding, seed).map(drop),
        }
    }
    let a_second = run.n as f64 / begun.elapsed().as_secs_f64().max(0.001);
    let (name, n, n_outcomes, slowest) = (target.name, run.n, run.seen.len(), run.slowest);
    println!("fuzz {name}: {n} cases, {a_second:.0} a second, {n_outcomes} outcomes, the slowest took {slowest:?}; nothing found");
    Ok(())
}

/// What once broke the target, and good inputs that lie beside it, in the order of their names.
fn kept(target: &Target<'_>) -> Result<Vec<Vec<u8>>> {
    let mut files: Vec<_> = std::fs::read_dir(target.folder()).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    files.sort();
    files.iter().map(|file| std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))).collect()
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

struct Run<'a> {
    target: &'a Target<'a>,
    watch: Watch,
    /// The outcomes that there were.
    seen: HashSet<String>,
    /// What is changed further.
    inputs: Vec<Vec<u8>>,
    n: u64,
    slowest: Duration,
}

impl Run<'_> {
    /// Takes one input; whether its outcome is new.
    fn take(&mut self, input: &[u8]) -> Result<bool, Finding> {
        self.n += 1;
        let (outcome, took) = self.judge(input)?;
        self.slowest = self.slowest.max(took);
        Ok(self.seen.insert(outcome))
    }

    /// What an input comes to, and how long that takes.
    fn judge(&self, input: &[u8]) -> Result<(String, Duration), Finding> {
        let (outcome, mut took) = self.once(input)?;
        for _ in 1..TRIES {
            if took > LIMIT {
                took = took.min(self.once(input)?.1);
            }
        }
        if took > LIMIT {
            return Err(Finding { kind: Kind::Slow, why: format!("it takes {took:?}, and {LIMIT:?} is allowed") });
        }
        Ok((outcome, took))
    }

    fn once(&self, input: &[u8]) -> Result<(String, Duration), Finding> {
        let begun = Instant::now();
        let outcome = self.watch.over(input, || quietly(|| panic::catch_unwind(AssertUnwindSafe(|| (self.target.check)(input)))));
        match outcome {
            Ok(Ok(outcome)) => Ok((outcome, begun.elapsed())),
            Ok(Err(why)) => Err(Finding { kind: Kind::Wrong, why }),
            Err(panic) => Err(Finding { kind: Kind::Panics, why: format!("it panics: {}", said(&*panic)) }),
        }
    }

    /// Makes the finding smaller, keeps it in a file and says so.
    fn report(&self, input: &[u8], finding: &Finding, seed: u64) -> Result<bool> {
        let is_same = |tried: &[u8]| self.judge(tried).is_err_and(|found| found.kind == finding.kind);
        let shortest = shrink::shrunk(input.to_vec(), &is_same, SHRINK_WITHIN);
        let why = self.judge(&shortest).err().map_or_else(|| finding.why.clone(), |found| found.why);
        let file = watch::keep(self.target.name, &shortest)?;
        bail!(
            "fuzz {}, seed {seed}, case {}: {why}\nthe input, {} bytes of {}, is in {}; once that is mended, keep it in {}",
            self.target.name,
            self.n,
            shortest.len(),
            input.len(),
            file.display(),
            self.target.folder().display()
        )
    }
}

thread_local! {
    static IS_QUIET: Cell<bool> = const { Cell::new(false) };
}

static HOOK: Once = Once::new();

/// Does something without the messages of its panics: of a finding one is enough, and it is reported.
fn quietly<T>(work: impl FnOnce() -> T) -> T {
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            if !IS_QUIET.get() {
                before(panic);
            }
        }));
    });
    IS_QUIET.set(true);
    let done = work();
    IS_QUIET.set(false);
    done
}

fn said(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("without a word").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::{Format, Outcome};

    /// A function with a mistake of each kind.
    fn mistaken(input: &[u8]) -> Outcome {
        let text = String::from_utf8_lossy(input);
        assert!(!text.contains("panic"), "the word is there");
        if text.contains("wrong") { Err("that is wrong".to_owned()) } else { Ok(text.len().min(3).to_string()) }
    }

    #[test]
    fn mistakes_are_found_made_small_and_kept() {
        for (word, why) in [("panic", "it panics: the word is there"), ("wrong", "that is wrong")] {
            let words: &[&str] = if word == "panic" { &["pan", "ic"] } else { &["wrong"] };
            let target = Target { name: "mistaken", format: Format::Text, seeds: vec![b"a seed".to_vec()], words, check: &mistaken };
            let told = fuzz(&target).unwrap_err().to_string();
            assert!(told.contains(why), "{told}");
            let file = told.split(" is in ").nth(1).and_then(|rest| rest.split(';').next()).unwrap();
            assert_eq!(std::fs::read_to_string(file).unwrap(), word);
            std::fs::remove_file(file).unwrap();
        }
    }
}
