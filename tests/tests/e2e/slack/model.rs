//! A smaller set with a real model, the 0.5B one on this CPU.

use anyhow::{Result, ensure};
use runlore_tests::not_run::not_run;
use runlore_tests::slack::desk::{Desk, words};
use runlore_tests::slack::workspace::{ADA, BOT, DIRECT, GENERAL};

#[tokio::test]
async fn the_facts_stand_and_the_models_sentence_comes_behind_them() -> Result<()> {
    // Beside all the other tests the model may be slow, and its sentence is what is waited for.
    let Some(mut desk) = Desk::closed("[serve]\ndeadline_s = 200\n").await? else { return Ok(()) };
    if !desk.use_model("chat-0.5b")? {
        not_run("slack with a real model", "the model chat-0.5b is not in the cache folder (scripts/fetch-models chat-0.5b)");
        return Ok(());
    }
    desk.serve().await?;
    let (_, answer) = desk.ask(GENERAL, ADA, &format!("<@{BOT}> Which run in vessel-detect has the best val/map?")).await?;
    ensure!(words(&answer).contains("val/map"), "{answer}");
    let posted: Vec<_> = desk.proxy.posted().into_iter().filter(|posted| posted.method.starts_with("chat.")).collect();
    ensure!(posted.len() == 2 && posted[0].method == "chat.postMessage" && posted[1].method == "chat.update", "{posted:?}");
    ensure!(posted[0].body.to_string().contains("reading it over"), "the facts come first: {posted:?}");
    let (_, quoted) = desk.ask(DIRECT, ADA, "What did we decide about gauge 17?").await?;
    ensure!(quoted.to_string().contains("rich_text_quote"), "{quoted}");
    Ok(())
}
