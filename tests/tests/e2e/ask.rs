//! Asking the made-up team: commands, questions, scopes, the batch form.

use std::fs;

use anyhow::{Result, ensure};
use runlore_tests::team::Team;
use serde_json::{Value, json};

fn indexed() -> Result<Team> {
    let team = Team::new("")?;
    team.json(&["index", "--json"], &[0, 1])?;
    Ok(team)
}

fn ask(team: &Team, question: &str) -> Result<Value> {
    team.json(&["ask", "--json", "--no-model", question], &[0])
}

#[test]
fn typed_commands_and_questions_give_the_same_facts() -> Result<()> {
    let team = indexed()?;
    let typed = ask(&team, "best val/map in vessel-detect")?;
    let asked = ask(&team, "What is the best val/map in vessel-detect?")?;
    ensure!(typed["best_record"] == "vessel-detect/vd-mosaic-s2", "{typed}");
    ensure!(typed["best_record"] == asked["best_record"]);
    ensure!(typed["facts"][0]["kind"] == "metric" && typed["facts"][0]["of"] == "best", "{typed}");
    ensure!(typed["answer"].as_str().is_some_and(|text| text.starts_with("Best val/map: 0.6128")), "{typed}");
    Ok(())
}

#[test]
fn notes_are_quoted_word_for_word() -> Result<()> {
    let team = indexed()?;
    let answer = ask(&team, "What did we decide about gauge 17?")?;
    let quotes = answer["quotes"].as_array().cloned().unwrap_or_default();
    ensure!(!quotes.is_empty() && quotes.len() <= 6, "{answer}");
    for quote in quotes {
        let (text, record) = (quote["text"].as_str().unwrap_or_default(), quote["record"].as_str().unwrap_or_default());
        if record.ends_with(".md") {
            let note = fs::read_to_string(team.folder().join("notes").join(record))?;
            ensure!(note.contains(text), "not verbatim in {record}: {text}");
        }
    }
    Ok(())
}

#[test]
fn pulls_are_found_by_what_they_did() -> Result<()> {
    let answer = ask(&indexed()?, "Which pull request turned mosaic off?")?;
    ensure!(answer["records"][0] == "#34", "{answer}");
    Ok(())
}

#[test]
fn what_is_not_there_is_said_and_nothing_is_shown() -> Result<()> {
    let team = indexed()?;
    for question in [
        "What is the best BLEU in vessel-detect?",
        "What was the best val/map in project moon-landing-7?",
        "Compare run 9001 and run 9002.",
        "Who won the chess tournament in Reykjavik?",
    ] {
        let answer = ask(&team, question)?;
        ensure!(answer["abstained"] == true && answer["facts"].as_array().is_some_and(Vec::is_empty), "{question}: {answer}");
    }
    Ok(())
}

#[test]
fn a_channel_sees_its_spaces_and_forbidden_reads_like_absent() -> Result<()> {
    let team = indexed()?;
    let count = |channel: &str| team.json(&["ask", "--json", "--no-model", "--as-channel", channel, "count"], &[0]);
    let (general, leads) = (count("general")?, count("leads")?);
    let n = |answer: &Value| answer["facts"][0]["value"].as_f64().unwrap_or_default();
    ensure!(n(&general) > 0.0 && n(&general) < n(&leads), "{general} {leads}");
    let hidden = team.json(&["ask", "--json", "--no-model", "--as-channel", "general", "count in sonar-classify"], &[0])?;
    let absent = team.json(&["ask", "--json", "--no-model", "--as-channel", "general", "count in sonar-classifx"], &[0])?;
    let same = |answer: &Value, name: &str| answer["answer"].as_str().unwrap_or_default().replace(name, "NAME");
    ensure!(same(&hidden, "sonar-classify") == same(&absent, "sonar-classifx"), "{hidden} {absent}");
    let unknown = team.run(&["ask", "--json", "--no-model", "--as-channel", "nowhere", "count"])?;
    ensure!(unknown.status.code() == Some(2) && unknown.stdout.is_empty(), "{unknown:?}");
    Ok(())
}

#[test]
fn a_batch_answers_line_by_line_in_order() -> Result<()> {
    let team = indexed()?;
    let batch = team.folder().join("batch.jsonl");
    fs::write(&batch, "count\n{\"question\": \"best val/map in vessel-detect\", \"id\": 7}\n\nhow many runs failed?\n")?;
    let output = team.run(&["ask", "--json", "--batch", &batch.display().to_string()])?;
    let lines: Vec<Value> = String::from_utf8(output.stdout)?.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    let asked: Vec<&str> = lines.iter().filter_map(|line| line["question"].as_str()).collect();
    ensure!(output.status.success() && asked == ["count", "best val/map in vessel-detect", "how many runs failed?"], "{asked:?}");
    Ok(())
}

/// What a tracker's address is made of is no number of an answer.
#[test]
fn sources_with_addresses_are_cited_with_them() -> Result<()> {
    let team = Team::new("[[source]]\nname = \"more\"\nkind = \"push\"\npath = \"more.jsonl\"\nspace = \"team\"\n")?;
    let address = |n: usize| format!("http://tracker.lab:5000/#/experiments/12/runs/3f2a9c771{n}");
    let mut lines = String::new();
    for (n, loss) in [0.5, 0.7].into_iter().enumerate() {
        let metrics = json!({"val/zap": [[0, loss]]});
        let run = json!({
            "v": 1, "type": "run", "id": format!("id-{n}"), "project": "zaps", "name": format!("zap-{n}"), "status": "finished",
            "url": address(n), "metrics": metrics,
        });
        lines.push_str(&format!("{run}\n"));
    }
    let pull = json!({
        "v": 1, "type": "pull", "repository": "lab/zaps", "number": 412, "title": "Zap less", "description": "Zapping hurt.",
        "url": "https://git.lab/zaps/-/merge_requests/412?tab=1", "merged": 1_781_172_000_000_u64,
    });
    lines.push_str(&format!("{pull}\n"));
    fs::write(team.folder().join("more.jsonl"), lines)?;
    team.json(&["index", "--json"], &[0, 1])?;
    for question in
        ["best val/zap in zaps", "run zaps/zap-1", "compare zap-0 zap-1", "runs in zaps", "search zapping", "history val/zap zap-0"]
    {
        let answer = ask(&team, question)?;
        let text = answer["answer"].as_str().unwrap_or_default();
        ensure!(
            answer["reference"].is_null() && (text.contains(&address(0)) || text.contains(&address(1)) || text.contains("=1")),
            "{answer}"
        );
    }
    Ok(())
}
