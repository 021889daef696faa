//! Indexing the made-up team: once, again, after changes, with bad input.

use std::fs;

use anyhow::{Result, ensure};
use runlore_tests::team::Team;

/// The sum of a number over the sources of an index report.
fn sum(report: &serde_json::Value, name: &str) -> u64 {
    report["sources"].as_array().into_iter().flatten().filter_map(|source| source[name].as_u64()).sum()
}

#[test]
fn indexing_the_same_input_twice_changes_nothing() -> Result<()> {
    let team = Team::new("")?;
    let first = team.json(&["index", "--json"], &[0, 1])?;
    let before = team.json(&["verify"], &[0])?;
    let second = team.json(&["index", "--json"], &[0, 1])?;
    ensure!(sum(&first, "n_added") > 40, "{first}");
    ensure!(sum(&second, "n_added") + sum(&second, "n_changed") + sum(&second, "n_deleted") == 0, "{second}");
    ensure!(second["n_embedded"] == 0 && second["n_applied"] == 0, "{second}");
    ensure!(team.json(&["verify"], &[0])? == before);
    Ok(())
}

#[test]
fn a_changed_a_new_and_a_removed_note_are_followed() -> Result<()> {
    let team = Team::new("")?;
    team.json(&["index", "--json"], &[0, 1])?;
    let notes = team.folder().join("notes");
    fs::write(notes.join("onboarding.md"), "# Onboarding\n\nThe zebrafish protocol is on the shelf.\n")?;
    fs::write(notes.join("fresh.md"), "# Fresh\n\nThe okapi run was a mistake.\n")?;
    fs::remove_file(notes.join("vessel-detect/augmentation.md"))?;
    let report = team.json(&["index", "--json"], &[0, 1])?;
    ensure!((sum(&report, "n_added"), sum(&report, "n_changed"), sum(&report, "n_deleted")) == (1, 1, 1), "{report}");
    let followed = team.json(&["verify"], &[0])?;
    ensure!(followed == team.clean_build()?, "followed changes and a clean build differ");
    Ok(())
}

#[test]
fn many_missing_notes_are_a_question_and_not_a_deletion() -> Result<()> {
    let team = Team::new("")?;
    team.json(&["index", "--json"], &[0, 1])?;
    fs::remove_dir_all(team.folder().join("notes/vessel-detect"))?;
    fs::remove_dir_all(team.folder().join("notes/tide-forecast"))?;
    fs::remove_dir_all(team.folder().join("notes/meetings"))?;
    fs::remove_file(team.folder().join("notes/onboarding.md"))?;
    let asked = team.json(&["index", "--json"], &[0, 1])?;
    ensure!(sum(&asked, "n_deleted") == 0 && asked.to_string().contains("--accept-deletions"), "{asked}");
    let accepted = team.json(&["index", "--json", "--accept-deletions"], &[0, 1])?;
    ensure!(sum(&accepted, "n_deleted") > 5, "{accepted}");
    team.json(&["verify"], &[0])?;
    Ok(())
}

#[test]
fn a_source_that_vanished_loses_nothing() -> Result<()> {
    let team = Team::new("")?;
    team.json(&["index", "--json"], &[0, 1])?;
    let before = team.json(&["verify"], &[0])?;
    fs::rename(team.folder().join("mlruns"), team.folder().join("elsewhere"))?;
    let report = team.json(&["index", "--json"], &[0, 1])?;
    ensure!(sum(&report, "n_deleted") == 0 && report["sources"][0]["failure"].is_string(), "{report}");
    ensure!(team.json(&["verify"], &[0])? == before);
    Ok(())
}

#[test]
fn broken_files_are_complaints_with_their_place() -> Result<()> {
    let team = Team::new("")?;
    let notes = team.folder().join("notes");
    fs::write(notes.join("binary.md"), [0u8, 159, 146, 150, 0, 1])?;
    fs::write(team.folder().join("configs/bomb.yaml"), yaml_bomb())?;
    fs::write(team.folder().join("configs/half.json"), "{\"lr\": 0.1, ")?;
    let report = team.json(&["index", "--json"], &[1])?;
    let text = report.to_string();
    for place in ["binary.md", "bomb.yaml", "half.json"] {
        ensure!(text.contains(place), "no complaint about {place}: {text}");
    }
    let found = team.json(&["ask", "--json", "--no-model", "What did we decide about gauge 17?"], &[0])?;
    ensure!(found["abstained"] == false, "the rest is lost: {found}");
    Ok(())
}

fn yaml_bomb() -> String {
    let mut text = "a: &a [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for (name, before) in ('b'..='i').zip('a'..='h') {
        text.push_str(&format!("{name}: &{name} [{}]\n", vec![format!("*{before}"); 9].join(", ")));
    }
    text
}

#[test]
fn wrong_settings_end_with_2_and_name_the_key() -> Result<()> {
    let team = Team::new("")?;
    let good = fs::read_to_string(team.config())?;
    let cases = [
        (format!("{good}\n[[source]]\nname = \"x\"\nkind = \"wandb\"\npath = \"x\"\nspace = \"team\"\n"), "mlflow, mlflow-db, mlruns"),
        (format!("{good}\n[surprise]\nx = 1\n"), "surprise"),
        (format!("{good}\n[channels.x]\nspaces = [\"nobody\"]\n"), "nobody"),
        (good.replace("kind = \"none\"", "kind = \"magic\""), "magic"),
        ("[[source]\n".to_owned(), "line 1"),
    ];
    for (settings, named) in cases {
        fs::write(team.config(), settings)?;
        let output = team.run(&["ask", "--no-model", "count"])?;
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(output.status.code() == Some(2) && errors.contains(named), "{named}: {} {errors}", output.status);
    }
    Ok(())
}
