//! Made-up records for a space, as lines of the push format. Spaces share projects, words and people, so that what one holds could touch
//! the other at every turn.

use runlore_tests::dice::Dice;
use serde_json::{Value, json};

/// Projects that every space has runs in.
pub const PROJECTS: [&str; 3] = ["harbor", "glucose", "tide"];
/// Projects that only what is hidden has.
pub const HIDDEN_PROJECTS: [&str; 2] = ["orchid", "vault"];
const STEMS: [&str; 8] = ["mosaic", "wide", "deep", "lr", "clip", "aug", "seed", "warm"];
pub const PEOPLE: [&str; 5] = ["ada", "grace", "alan", "mira", "edsger"];
pub const HIDDEN_PEOPLE: [&str; 3] = ["mallory", "oscar", "trudy"];
pub const METRICS: [(&str, &str); 4] = [("val/acc", "max"), ("val/loss", "min"), ("val/f1", "max"), ("lag_s", "min")];
pub const HIDDEN_METRICS: [(&str, &str); 2] = [("secret/auc", "max"), ("val/leak", "min")];
pub const WORDS: [&str; 24] = [
    "augmentation",
    "baseline",
    "cosine",
    "crop",
    "decay",
    "diverged",
    "dropout",
    "encoder",
    "gradient",
    "harbor",
    "labels",
    "mosaic",
    "noise",
    "overfits",
    "plateau",
    "recall",
    "sampler",
    "schedule",
    "seed",
    "sonar",
    "tide",
    "tokens",
    "warmup",
    "width",
];
/// Hashes of commits, which several spaces have.
pub const HASHES: [&str; 3] =
    ["4b825dc642cb6eb9a060e54bf8d69288fbee4904", "effe55a0e97c82500861e34f52f7894534be79e3", "0dbcd1a0e97c82500861e34f52f7894534be79e3"];
pub const HIDDEN_WORDS: [&str; 6] = ["acquisition", "layoff", "merger", "orchid", "patent", "vault"];
/// The first moment of everything: 2026-10-01.
const BEGIN_MS: i64 = 1_790_812_800_000;
const DAY_MS: i64 = 86_400_000;

/// Who may read what is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum For {
    /// The audience of the scripts.
    Audience,
    /// Others.
    Others,
    /// The same others in the other world, who have names that the first ones have not.
    OtherOthers,
}

/// Lines of about `n` records; `space` tells their ids from those of other spaces.
pub fn lines(dice: &mut Dice, space: &str, n: usize, read_by: For) -> Vec<Value> {
    let mut lines = Vec::new();
    for i in 0..n {
        let id = format!("{space}-{i}");
        lines.push(match dice.below(10) {
            0..=4 => run(dice, &id, read_by),
            5 | 6 => note(dice, &id, read_by),
            7 => pull(dice, i, read_by),
            8 => commit(dice, &id),
            _ => config(dice, &id),
        });
    }
    // Each space has at least one of everything.
    lines.extend([run(dice, &format!("{space}-r"), read_by), note(dice, &format!("{space}-n"), read_by), pull(dice, n, read_by)]);
    lines.extend([commit(dice, &format!("{space}-c")), config(dice, &format!("{space}-g"))]);
    lines
}

/// A run that is there later only.
pub fn later_run(dice: &mut Dice, i: usize) -> Value {
    run(dice, &format!("later-{i}"), For::Audience)
}

/// A note that is made and taken away again.
pub fn passing_note(dice: &mut Dice, i: usize) -> Value {
    note(dice, &format!("passing-{i}"), For::Audience)
}

fn moment(dice: &mut Dice) -> i64 {
    BEGIN_MS + dice.below(45) as i64 * DAY_MS + dice.below(86_400) as i64 * 1_000
}

/// What those may have that the audience has not: in one world the first, in the other the rest.
fn hidden<T>(all: &[T], read_by: For) -> &[T] {
    if read_by == For::OtherOthers { &all[1..] } else { &all[..1] }
}

fn project(dice: &mut Dice, read_by: For) -> &'static str {
    let is_hidden = read_by != For::Audience && dice.is_in(30);
    let names: &[&'static str] = if is_hidden { hidden(&HIDDEN_PROJECTS, read_by) } else { &PROJECTS };
    names[dice.below(names.len())]
}

fn person(dice: &mut Dice, read_by: For) -> &'static str {
    let is_hidden = read_by != For::Audience && dice.is_in(30);
    let names: &[&'static str] = if is_hidden { hidden(&HIDDEN_PEOPLE, read_by) } else { &PEOPLE };
    names[dice.below(names.len())]
}

fn run(dice: &mut Dice, id: &str, read_by: For) -> Value {
    let project = project(dice, read_by);
    let name = format!("{}-{}-{}", &project[..2], dice.pick(&STEMS), dice.below(9));
    let mut metrics = json!({});
    let mut directions = json!({});
    let hidden_metrics = if read_by == For::Audience { &[] } else { hidden(&HIDDEN_METRICS, read_by) };
    for (metric, direction) in METRICS.iter().chain(hidden_metrics) {
        if dice.is_in(80) {
            let points: Vec<Value> = (0..5).map(|step| json!([step * 100, dice.share()])).collect();
            metrics[metric] = points.into();
            // A direction that is declared for one run holds for its project.
            if dice.is_in(20) {
                directions[metric] = (*direction).into();
            }
        }
    }
    let team = if read_by == For::Audience { *dice.pick(&["sea", "lab"]) } else { *dice.pick(hidden(&["black", "grey", "red"], read_by)) };
    let started = moment(dice);
    let status = *dice.pick(&["finished", "finished", "finished", "failed", "running", "killed"]);
    let mut params = json!({"lr": *dice.pick(&["1e-3", "3e-4", "0.01"]), "seed": dice.below(3).to_string(), "width": dice.below(4) * 64});
    if read_by != For::Audience {
        params["vault_key"] = sentence(dice, read_by).into();
    }
    json!({
        "type": "run", "id": id, "project": project, "name": name, "status": status, "started": started,
        "ended": started + 3_600_000, "user": person(dice, read_by), "params": params, "tags": {"team": team}, "commit": *dice.pick(&HASHES),
        "metrics": metrics, "directions": directions, "notes": sentence(dice, read_by),
        "datasets": [{"name": format!("set-{}", dice.below(4)), "digest": "d1", "context": "train"}],
        "texts": [{"path": "logs/output.log", "text": format!("step 100\nRuntimeError: {}", sentence(dice, read_by))}],
    })
}

fn note(dice: &mut Dice, id: &str, read_by: For) -> Value {
    let text: Vec<String> = (0..4).map(|_| sentence(dice, read_by)).collect();
    json!({
        "type": "note", "id": format!("notes/{id}.md"), "title": sentence(dice, read_by), "author": person(dice, read_by),
        "created": moment(dice), "project": project(dice, read_by), "text": text.join("\n\n"),
    })
}

/// Of a repository that every space knows; the numbers of different spaces may meet.
fn pull(dice: &mut Dice, i: usize, read_by: For) -> Value {
    let number = i + 1;
    json!({
        "type": "pull", "repository": "harbor", "number": number, "title": sentence(dice, read_by), "author": person(dice, read_by),
        "head": format!("{}/{}", person(dice, read_by), dice.pick(&STEMS)), "merged": moment(dice), "merge_commit": *dice.pick(&HASHES),
        "description": sentence(dice, read_by), "commits": [sentence(dice, read_by)],
        "files": [{"path": format!("src/{}.py", dice.pick(&STEMS)), "added": dice.below(40), "deleted": dice.below(9)}],
    })
}

fn commit(dice: &mut Dice, id: &str) -> Value {
    let hash = dice.pick(&HASHES).replacen('0', &dice.below(10).to_string(), 1);
    json!({"type": "commit", "repository": "harbor", "hash": hash, "author": *dice.pick(&PEOPLE), "created": moment(dice), "message": id})
}

fn config(dice: &mut Dice, id: &str) -> Value {
    let text = format!("optimizer:\n  lr: {}\nmodel:\n  width: {}\n", dice.pick(&["1e-3", "0.01"]), dice.below(4) * 64);
    json!({"type": "config", "id": format!("configs/{id}.yaml"), "text": text})
}

fn sentence(dice: &mut Dice, read_by: For) -> String {
    let mut words: Vec<&str> = (0..6).map(|_| *dice.pick(&WORDS)).collect();
    if read_by != For::Audience {
        words.push(*dice.pick(hidden(&HIDDEN_WORDS, read_by)));
    }
    format!("The {} run: {}.", dice.pick(&STEMS), words.join(" "))
}
