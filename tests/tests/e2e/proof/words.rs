//! Questions about what may be read and what may not, in words and typed, with the names of both.

use runlore_tests::dice::Dice;

use super::records::{HASHES, HIDDEN_METRICS, HIDDEN_PEOPLE, HIDDEN_PROJECTS, HIDDEN_WORDS, METRICS, PEOPLE, PROJECTS, WORDS};
use super::world::{Twins, names};

/// What can be typed, a form each of every command, and what can be asked in words. `{run}` and the like stand for a name.
pub const FORMS: [&str; 49] = [
    "best {metric} in {project}",
    "best {metric}",
    "best {metric} in {project} where lr=1e-3 show width limit 3",
    "best {metric} where vault_key=1",
    "compare {run} {run}",
    "compare {run} {run} on {metric} final",
    "history {metric} {run}",
    "curve {metric} {run} {run}",
    "mean {metric} in {project}",
    "count in {project}",
    "count where status=failed",
    "count",
    "runs in {project} limit 5",
    "runs where name={stem}*",
    "running",
    "run {run}",
    "run #{number}",
    "run {number} in {project}",
    "run {typo}",
    "search {word} {word}",
    "search {word} kind:note",
    "search {word} project:{project}",
    "pull {number}",
    "commit {hash}",
    "brief",
    "brief last week",
    "brief {week}",
    "brief {week}",
    "brief {week}?",
    "help",
    "Which run in {project} has the best {metric}?",
    "what was the best {metric} since october?",
    "how many runs failed in {project}?",
    "who worked on the {word}?",
    "why did {run} fail?",
    "what do the notes say about {word} and {word}?",
    "what is {word}?",
    "how do {run} and {run} differ?",
    "what changed in #{number}?",
    "show me the runs of {person}",
    "what is the learning rate of {run}?",
    "is {run} better than {run}?",
    "what is the {metric} of {typo}?",
    "runs where team={team}",
    "how many runs of the {team} team are there?",
    "commit {hash}",
    "which pull came before {run}?",
    "and in {project}?",
    "and the worst {metric}?",
];

/// The names that questions use.
pub struct Names {
    runs: Vec<String>,
}

impl Names {
    /// Those of both teams, hidden ones too.
    pub fn of(twins: &Twins) -> Self {
        let all = [&twins.one.open, &twins.one.wide, &twins.one.closed, &twins.other.closed];
        Self { runs: all.into_iter().flat_map(|lines| names(lines)).collect() }
    }

    /// A question of some form.
    pub fn question(&self, dice: &mut Dice) -> String {
        let form = *dice.pick(&FORMS);
        self.filled(form, dice)
    }

    /// The first form of a command, with names.
    pub fn filled(&self, form: &str, dice: &mut Dice) -> String {
        let mut text = String::new();
        let mut rest = form;
        while let Some((before, after)) = rest.split_once('{') {
            let (what, after) = after.split_once('}').unwrap_or((after, ""));
            text.push_str(before);
            text.push_str(&self.name(what, dice));
            rest = after;
        }
        text + rest
    }

    /// The beginning of some name, or all of it, as somebody types it.
    pub fn beginning(&self, dice: &mut Dice) -> String {
        let what = *dice.pick(&["run", "project", "metric"]);
        let name = self.name(what, dice);
        let n = dice.below(name.chars().count() + 1);
        name.chars().take(n).collect()
    }

    fn name(&self, what: &str, dice: &mut Dice) -> String {
        let one_of = |dice: &mut Dice, open: &[&str], hidden: &[&str]| {
            (if dice.is_in(40) { dice.pick(hidden) } else { dice.pick(open) }).to_string()
        };
        match what {
            "run" => dice.pick(&self.runs).clone(),
            "typo" => {
                let mut name: Vec<char> = dice.pick(&self.runs).chars().collect();
                let at = dice.below(name.len());
                name[at] = 'x';
                name.into_iter().collect()
            }
            "stem" => self.name("run", dice).chars().take(4).collect(),
            "project" => one_of(dice, &PROJECTS, &HIDDEN_PROJECTS),
            "metric" => one_of(dice, &METRICS.map(|(name, _)| name), &HIDDEN_METRICS.map(|(name, _)| name)),
            "word" => one_of(dice, &WORDS, &HIDDEN_WORDS),
            "person" => one_of(dice, &PEOPLE, &HIDDEN_PEOPLE),
            "hash" => dice.pick(&HASHES).replacen('0', &dice.below(10).to_string(), 1)[..8].to_owned(),
            // Of the six in which everything lies.
            "week" => format!("2026-W{}", 40 + dice.below(7)),
            "team" => (*dice.pick(&["sea", "lab", "black", "grey", "red"])).to_owned(),
            _ => dice.below(60).to_string(),
        }
    }
}
