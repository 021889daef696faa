//! Slack's own libraries as judges: Bolt on the same stand-in, and the block models of `slack_sdk` on what we post.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use runlore_bot::chat::{Button, Citation, Form, Quote, Reply, Setting};
use runlore_bot::slack::outgoing;
use runlore_indexer::config::cache_folder;
use runlore_tests::not_run::not_run;
use runlore_tests::slack::workspace::{ADA, DIRECT, GENERAL};
use runlore_tests::slack::{Proxy, StandIn};
use serde_json::{Value, json};

/// The environment that `scripts/test-slack-sdk` makes.
fn python() -> Option<PathBuf> {
    let python = cache_folder().join("venv-slack/bin/python");
    if !python.exists() {
        not_run("slack's own libraries", "they are not installed (scripts/test-slack-sdk)");
        return None;
    }
    Some(python)
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("python").join(name)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_stand_in_speaks_the_protocol_that_bolt_speaks() -> Result<()> {
    let Some(python) = python() else { return Ok(()) };
    let stand_in = match StandIn::start().await? {
        Ok(stand_in) => stand_in,
        Err(reason) => {
            not_run("bolt on the stand-in", &reason);
            return Ok(());
        }
    };
    let proxy = Proxy::start(&stand_in).await?;
    let bolt =
        Command::new(python).arg(script("bolt_check.py")).arg(proxy.api_url()).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let mut bolt = Ended(bolt);
    let mut lines = BufReader::new(bolt.0.stdout.take().context("piped")?).lines();
    ensure!(lines.next().transpose()?.as_deref() == Some("ready"));
    let ts = stand_in.say(GENERAL, ADA, "<@U0BOT> hello", None).await?;
    stand_in.say(DIRECT, ADA, "directly", None).await?;
    stand_in.command(GENERAL, ADA, "/runlore", "now").await?;
    stand_in.press(GENERAL, ADA, &ts, json!({"action_id": "pressed", "block_id": "b", "value": "v"})).await?;
    proxy.until("bolt reads its reply back", |proxy| proxy.called().iter().any(|call| call.method == "conversations.replies")).await?;
    proxy.until("bolt answers the command", |proxy| proxy.posted().iter().any(|posted| posted.method == "response_url")).await?;
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    drop(bolt.0.stdin.take());
    let seen: Vec<Value> = serde_json::from_str(&lines.next().context("bolt says what it saw")??)?;
    for expected in [
        json!(["mention", "<@U0BOT> hello", [null, "k"]]),
        json!(["message", "im", false]),
        json!(["command", "now"]),
        json!(["action", "v"]),
    ] {
        ensure!(seen.contains(&expected), "bolt did not see {expected}: {seen:?}");
    }
    Ok(())
}

/// A child that ends with the test.
struct Ended(std::process::Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Replies of every size and with every nasty piece, rendered in each form, all parts.
fn messages() -> Vec<outgoing::Message> {
    let nasty =
        ["```", "<!channel>", "<@U0ADA>", "&lt;x&gt;", "🎉", "\u{202e}rtl", "https://evil.example/x?y=z", "*b* _i_ ~s~ `c`", "> q", ""];
    let mut all = Vec::new();
    for n in [0, 1, 3, 40, 400] {
        for (i, piece) in nasty.iter().enumerate() {
            let reply = Reply {
                headline: format!("Best {piece} of {n}"),
                lines: (0..n).map(|line| format!("{line:>4}  {piece}  {}", "x".repeat(line % 90))).collect(),
                quotes: (0..n.min(9))
                    .map(|q| Quote { text: format!("{piece} {}", "words ".repeat(q * 40)), record: format!("notes/{q}.md") })
                    .collect(),
                narration: (i % 2 == 0).then(|| format!("It means {piece}.")),
                notices: vec![format!("Taken as {piece}.")],
                citations: (0..n.min(30))
                    .map(|c| Citation {
                        mark: (c + 1).to_string(),
                        record: format!("notes/{c}.md"),
                        title: piece.to_string(),
                        url: Some(format!("https://runs.example/{c}")),
                    })
                    .collect(),
                buttons: vec![Button::Useful, Button::NotUseful, Button::Details, Button::Share, Button::Delete],
                picture: None,
            };
            for form in [Form::Whole, Form::Facts] {
                for part in outgoing::parts(&reply) {
                    all.push(outgoing::message(
                        &part,
                        &Setting { asker: Some("U0ADA"), question: "0c2f7d0e-0000-5000-8000-000000000000", form },
                    ));
                }
            }
            all.push(outgoing::sentence(&format!("{piece} {}", "long ".repeat(n))));
        }
    }
    all
}

#[test]
fn what_we_post_passes_slacks_own_models() -> Result<()> {
    let Some(python) = python() else { return Ok(()) };
    let mut lines: Vec<Value> = messages().iter().map(|message| json!({"text": message.text, "blocks": message.blocks})).collect();
    lines.push(json!({"view": outgoing::reason_modal("q")}));
    lines.push(json!({"view": outgoing::home(&["All is well.".to_owned()], &["help"])}));
    let n = lines.len();
    let (good, said) = judge(&python, &lines)?;
    ensure!(good && said.contains(&format!("{n} ")), "{said}");
    // A judge that finds nothing wrong with a section of 3,001 characters is none.
    let (good, _) =
        judge(&python, &[json!({"text": "x", "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "x".repeat(3_001)}}]})])?;
    ensure!(!good);
    Ok(())
}

fn judge(python: &Path, lines: &[Value]) -> Result<(bool, String)> {
    let mut judge =
        Command::new(python).arg(script("slack_blocks.py")).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let mut input = judge.stdin.take().context("piped")?;
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let writer = std::thread::spawn(move || input.write_all(text.as_bytes()));
    let output = judge.wait_with_output()?;
    _ = writer.join();
    Ok((output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)))
}
