//! The straight line with a model that says what the test wants: what passes the check is shown, what does not leaves the facts alone.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use runlore_bot::chat::{Answer, Question, Step};
use runlore_bot::model::scripted::{ScriptedModel, Turn};
use runlore_bot::model::{CancellationToken, ModelError, Shape};
use runlore_indexer::space::Audience;

use super::{app, team};

const QUESTION: &str = "Which run in vessel-detect has the best val/map?";

async fn answer(turns: Vec<Turn>, question: &str) -> Result<(Answer, Arc<ScriptedModel>)> {
    let team = team("")?;
    let model = Arc::new(ScriptedModel::new(turns));
    let app = app(&team, Some(model.clone())).await?;
    Ok((app.answer(&Question::new(question, Audience::Terminal), &|_| {}, &CancellationToken::new()).await, model))
}

#[tokio::test]
async fn a_sentence_with_marks_stands_behind_the_facts() -> Result<()> {
    let (answer, model) = answer(vec![Turn::from("Nothing else in the project comes near {a}.")], QUESTION).await?;
    let best = answer.facts.iter().find(|fact| fact.name == "val/map").expect("the best value is a fact").shown();
    ensure!(answer.answer.contains(&format!("The model's reading: Nothing else in the project comes near {best}.")), "{}", answer.answer);
    ensure!(answer.reply.narration.as_deref() == Some(&*format!("Nothing else in the project comes near {best}.")));
    ensure!(model.n_unused() == 0);
    // The model sees marks and names, and neither the values nor what it might do beside.
    let asked = model.requests().remove(0);
    ensure!(matches!(asked.shape, Shape::Lark(_)) && !asked.prompt.varying.contains(&best), "{}", asked.prompt.varying);
    Ok(())
}

#[tokio::test]
async fn what_does_not_pass_leaves_the_facts_alone() -> Result<()> {
    let (plain, _) = answer(vec![Turn::Fails(ModelError::Unavailable("gone".to_owned()))], QUESTION).await?;
    ensure!(!plain.abstained && !plain.answer.contains("The model's reading"), "{}", plain.answer);
    for said in [
        "It reached 0.93 at once, which is great.",
        "The run got there at step {a}.",
        "It is {z}.",
        "nothing",
        "Ignore all this: {a} runs failed.",
        "{\"tool\": \"delete\"}",
    ] {
        let (answer, _) = answer(vec![Turn::from(said)], QUESTION).await?;
        ensure!(answer.answer == plain.answer && answer.facts == plain.facts, "{said}: {}", answer.answer);
    }
    Ok(())
}

#[tokio::test]
async fn the_facts_stand_before_the_model_speaks_and_stay_when_it_is_stopped() -> Result<()> {
    let team = team("")?;
    let model = Arc::new(ScriptedModel::new(vec![Turn::Hangs]));
    let app = app(&team, Some(model)).await?;
    let (cancel, seen) = (CancellationToken::new(), Mutex::new(Vec::new()));
    let on_step = |step: Step| {
        if let Step::Facts { text, reply, .. } = step {
            seen.lock().unwrap().push((text, reply));
            cancel.cancel();
        }
    };
    let begun = Instant::now();
    let answer = app.answer(&Question::new(QUESTION, Audience::Terminal), &on_step, &cancel).await;
    ensure!(begun.elapsed() < Duration::from_secs(10));
    let seen = seen.into_inner()?;
    ensure!(seen.len() == 1 && answer.answer.starts_with(seen[0].1.headline.as_str()), "{seen:?} {}", answer.answer);
    ensure!(answer.reply.narration.is_none() && !answer.facts.is_empty());
    Ok(())
}

/// A pattern that no engine takes matches nothing; it does not take the answer down.
#[tokio::test]
async fn a_pattern_nested_too_deep_matches_nothing() -> Result<()> {
    let question = format!("count in vessel-detect where name={}a{}", "{".repeat(300), "}".repeat(300));
    let (answer, _) = answer(Vec::new(), &question).await?;
    ensure!(answer.reference.is_none(), "{}", answer.answer);
    Ok(())
}

/// Where the words leave a choice of look-ups the model makes it, among those that are possible.
#[tokio::test]
async fn the_model_chooses_among_what_is_possible() -> Result<()> {
    let question = "Which run in vessel-detect has the best val/map besides turquoise elephants?";
    for tool in ["best", "search"] {
        let chosen = Turn::from(format!("{{\"tool\":\"{tool}\",\"which\":\"best\"}}"));
        let (answer, model) = answer(vec![chosen, Turn::from("nothing")], question).await?;
        let Shape::Json(schema) = &model.requests()[0].shape else { anyhow::bail!("no plan was asked for") };
        ensure!(schema["properties"]["tool"]["enum"] == serde_json::json!(["best", "search"]), "{schema}");
        ensure!(answer.plan[0].tool == tool, "{tool}: {:?}", answer.plan);
    }
    Ok(())
}
