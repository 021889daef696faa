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
pub const HIDDEN_PEOPLE: [&str; 2] = ["mallory", "oscar"];
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

/// A note that is made and taken away again.
pub fn passing_note(dice: &mut Dice, i: usize) -> Value {
    note(dice, &format!("passing-{i}"), For::Audience)
}

fn moment(dice: &mut Dice) -> i64 {
    BEGIN_MS + dice.below(45) as i64 * DAY_MS + dice.below(86_400) as i64 * 1_000
}

fn project(dice: &mut Dice, read_by: For) -> &'static str {
    if read_by == For::Others && dice.is_in(30) { *dice.pick(&HIDDEN_PROJECTS) } else { *dice.pick(&PROJECTS) }
}

fn person(dice: &mut Dice, read_by: For) -> &'static str {
    if read_by == For::Others && dice.is_in(30) { *dice.pick(&HIDDEN_PEOPLE) } else { *dice.pick(&PEOPLE) }
}

fn run(dice: &mut Dice, id: &str, read_by: For) -> Value {
    let project = project(dice, read_by);
    let name = format!("{}-{}-{}", &project[..2], dice.pick(&STEMS), dice.below(9));
    let mut metrics = json!({});
    let mut directions = json!({});
    let hidden = if read_by == For::Others { &HIDDEN_METRICS[..] } else { &[] };
    for (metric, direction) in METRICS.iter().chain(hidden) {
        if dice.is_in(80) {
            let points: Vec<Value> = (0..5).map(|step| json!([step * 100, dice.share()])).collect();
            metrics[metric] = points.into();
            // A direction that is declared for one run holds for its project.
            if dice.is_in(20) {
                directions[metric] = (*direction).into();
            }
        }
    }
    let started = moment(dice);
    let status = *dice.pick(&["finished", "finished", "finished", "failed", "running", "killed"]);
    let mut params = json!({"lr": *dice.pick(&["1e-3", "3e-4", "0.01"]), "seed": dice.below(3).to_string(), "width": dice.below(4) * 64});
    if read_by == For::Others {
        params["vault_key"] = sentence(dice, read_by).into();
    }
    json!({
        "type": "run", "id": id, "project": project, "name": name, "status": status, "started": started,
        "ended": started + 3_600_000, "user": person(dice, read_by), "params": params, "tags": {"team": *dice.pick(&["sea", "lab"])},
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
        "head": format!("{}/{}", person(dice, read_by), dice.pick(&STEMS)), "merged": moment(dice),
        "description": sentence(dice, read_by), "commits": [sentence(dice, read_by)],
        "files": [{"path": format!("src/{}.py", dice.pick(&STEMS)), "added": dice.below(40), "deleted": dice.below(9)}],
    })
}

fn commit(dice: &mut Dice, id: &str) -> Value {
    let hash: String = (0..40).map(|_| char::from_digit(dice.below(16) as u32, 16).unwrap_or('0')).collect();
    json!({"type": "commit", "repository": "harbor", "hash": hash, "author": *dice.pick(&PEOPLE), "created": moment(dice), "message": id})
}

fn config(dice: &mut Dice, id: &str) -> Value {
    let text = format!("optimizer:\n  lr: {}\nmodel:\n  width: {}\n", dice.pick(&["1e-3", "0.01"]), dice.below(4) * 64);
    json!({"type": "config", "id": format!("configs/{id}.yaml"), "text": text})
}

fn sentence(dice: &mut Dice, read_by: For) -> String {
    let mut words: Vec<&str> = (0..6).map(|_| *dice.pick(&WORDS)).collect();
    if read_by == For::Others {
        words.push(*dice.pick(&HIDDEN_WORDS));
    }
    format!("The {} run: {}.", dice.pick(&STEMS), words.join(" "))
}
