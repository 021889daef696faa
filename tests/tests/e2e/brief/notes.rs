//! Decisions, open items, failures and what cured them, over a week that this test writes.

use anyhow::{Result, ensure};
use serde_json::json;

use super::{Lab, lines};

const SOURCES: &str = "[[source]]\nname = \"notes\"\nkind = \"notes\"\npath = \"notes\"\nspace = \"team\"\n\
                       [[source.rule]]\npath = \"private/**\"\nspace = \"leads\"\n\
                       [[source]]\nname = \"runs\"\nkind = \"push\"\npath = \"runs.jsonl\"\nspace = \"team\"\n\
                       [channels.general]\nspaces = [\"team\"]\n";

const MEETING: &str = "# Sensors, Wednesday\n\nWe looked at h03.\n\n## Decisions\n- keep 3 seeds for every claim (mira)\n\n\
                       ## Next steps\n- [ ] mira: rerun gru-wide with clipping\n- [x] tomas: order disks\n- ask ines about gauge 17\n";

/// Monday 10 March 2025.
const MONDAY_MS: i64 = 1_741_564_800_000;
const HOUR_MS: i64 = 3_600_000;

fn run(id: &str, began_hours: i64, more: serde_json::Value) -> serde_json::Value {
    let began = MONDAY_MS + began_hours * HOUR_MS;
    let mut run = json!({
        "type": "run", "id": id, "project": "glucose", "name": id, "status": "finished", "started": began, "ended": began + HOUR_MS,
        "notes": "why", "params": {"lr": "0.1", "width": "256"}, "metrics": {"val/acc": [[10, 0.5, began + 1], [20, 0.6, began + 2]]},
    });
    if let (Some(run), Some(more)) = (run.as_object_mut(), more.as_object()) {
        run.extend(more.clone());
    }
    run
}

fn team() -> Result<Lab> {
    let lab = Lab::new(SOURCES)?;
    std::fs::create_dir_all(lab.path().join("notes/private"))?;
    std::fs::write(lab.path().join("notes/2025-03-12-sensors.md"), MEETING)?;
    std::fs::write(lab.path().join("notes/private/2025-03-13-leads.md"), "## Decisions\n- sell the boat\n")?;
    std::fs::write(lab.path().join("notes/2025-03-02-old.md"), "## Decisions\n- an old one\n")?;
    let log = json!([{"path": "logs/out.log", "text": "step 3\nValueError: loss is nan at step 3\n"}]);
    let merge = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";
    let told = [
        run("gru-a-1", -100, json!({})),
        run("gru-a-2", 1, json!({"status": "failed", "texts": log, "metrics": {}})),
        run("gru-a-3", 5, json!({"params": {"lr": "0.01", "width": "256"}, "commit": merge})),
        run("gru-a-4", 9, json!({"metrics": {"val/acc": [[30, 0.75, MONDAY_MS + 9 * HOUR_MS]]}})),
        run("gru-a-5", 12, json!({"status": "running", "ended": null, "metrics": {"val/acc": [[1, 0.1, MONDAY_MS + 12 * HOUR_MS]]}})),
        json!({
            "type": "pull", "repository": "glucose", "number": 12, "title": "Clip gradients", "author": "mira",
            "merged": MONDAY_MS + 4 * HOUR_MS, "merge_commit": merge,
            "files": [{"path": "train/clip.py", "added": 1}, {"path": "train/loop.py", "added": 2}, {"path": "docs/clip.md", "added": 3}],
        }),
    ];
    let told: Vec<String> = told.iter().map(ToString::to_string).collect();
    std::fs::write(lab.path().join("runs.jsonl"), told.join("\n") + "\n")?;
    lab.index()?;
    Ok(lab)
}

#[test]
fn a_week_is_told_with_its_decisions_cures_and_open_items() -> Result<()> {
    let lab = team()?;
    let brief = lab.brief("2025-W11")?;
    let highlights = lines(&brief, "Highlights").join("\n");
    for expected in [
        "New best val/acc in glucose, higher is better, assumed from the name: 0.75 by glucose/gru-a-4 at step 30, better by 0.15 than 0.6",
        "Failed, glucose/gru-a-2: ValueError: loss is nan at step 3; glucose/gru-a-4 worked later with the same params",
        "Decided: keep 3 seeds for every claim (mira) (2025-03-12-sensors.md)",
        "Merged: #12 Clip gradients, by mira, touches train, docs; 1 run ran its merge",
    ] {
        ensure!(highlights.contains(expected), "`{expected}` is not in\n{highlights}");
    }
    let next = lines(&brief, "Next week");
    ensure!(
        next[..2]
            == [
                "Open: mira: rerun gru-wide with clipping (2025-03-12-sensors.md)",
                "Open: ask ines about gauge 17 (2025-03-12-sensors.md)"
            ],
        "{next:?}"
    );
    ensure!(next[2].starts_with("glucose/gru-a-5 is called running and has logged nothing since 2025-03-10"), "{next:?}");
    let text = brief["text"].as_str().unwrap_or_default();
    ensure!(text.contains("sell the boat") && !text.contains("order disks") && !text.contains("an old one"), "{text}");
    ensure!(!text.contains("All clear"), "{text}");
    Ok(())
}

#[test]
fn a_channel_is_told_what_it_may_read() -> Result<()> {
    let lab = team()?;
    let told = lab.run(&["brief", "--no-model", "--channel", "general", "--period", "2025-03-12", "--explain"])?;
    ensure!(told.contains("Clip gradients") && !told.contains("boat"), "{told}");
    ensure!(told.contains("50 for a decision") && told.contains("60 for a new best, +30 for a change of 25.0 %"), "{told}");
    let markdown = lab.run(&["brief", "--no-model", "--as-channel", "general", "--period", "2025-W11", "--format", "markdown"])?;
    ensure!(markdown.starts_with("# Weekly brief\n\nThe week 2025-W11") && markdown.contains("| glucose | 4 | "), "{markdown}");
    let asked = lab.run(&["ask", "--json", "--no-model", "brief 2025-W11"])?;
    let asked: serde_json::Value = serde_json::from_str(&asked)?;
    ensure!(asked["plan"][0]["tool"] == "brief" && asked["abstained"] == false, "{asked}");
    ensure!(asked["answer"] == lab.brief("2025-W11")?["text"], "{asked}");
    Ok(())
}

#[test]
fn no_data_and_all_clear_are_different_sentences() -> Result<()> {
    let lab = team()?;
    let empty = lab.brief("2025-W20")?;
    ensure!(
        empty["is_empty"] == true && empty["headline"].as_str().is_some_and(|text| text.starts_with("No data for 2025-W20")),
        "{empty}"
    );
    ensure!(empty["facts"].as_array().is_some_and(|facts| facts.iter().all(|fact| fact["record"].is_null())), "{empty}");
    // The week of the first run: it finished, and nothing else was.
    let quiet = lab.brief("2025-03-06")?;
    ensure!(quiet["notices"].to_string().contains("All clear") && quiet["is_empty"] == false, "{quiet}");
    let unread = Lab::new(SOURCES)?;
    std::fs::create_dir_all(unread.path().join("notes"))?;
    let never = unread.brief("2025-W11")?;
    ensure!(never["headline"].as_str().is_some_and(|text| text.ends_with("the sources have not been read yet.")), "{never}");
    Ok(())
}
