//! What is to be seen is seen once, whatever the platform says of its sends.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, ensure};
use runlore_bot::chat::{Event, Platform, Reply};
use runlore_bot::serve::{self, ServeSettings, Service};
use runlore_bot::store::{Post, PostForm, Store};
use runlore_bot::surface::Shown;
use runlore_indexer::config::Settings;

use super::platform::{Goes, Recording, asked};
use super::{app, team};

/// How many sends end without anybody knowing; `RUNLORE_SENDS` says another number.
fn n_sends() -> usize {
    std::env::var("RUNLORE_SENDS").ok().and_then(|text| text.parse().ok()).unwrap_or(1_500)
}

/// How many of 30,000 such sends may be doubled.
const MAX_DOUBLED_OF_30_000: usize = 3;

/// Every send is lost, or posted and not said, or posted after it was given up; each message stands there all the same, and once.
#[tokio::test(flavor = "multi_thread")]
async fn ambiguous_sends_are_posted_once() -> Result<()> {
    let team = team("")?;
    let settings = Settings::read(&team.config())?;
    let mut serve_settings = ServeSettings::from(&settings)?;
    serve_settings.health.set_port(0);
    let platform = Arc::new(Recording::default());
    let store = Store::open(&settings.state_url).await?;
    let service = Service::new(Arc::new(app(&team, None).await?), store, serve_settings).with(Platform::Slack, platform.clone());
    let service = Arc::new(service);
    let n = n_sends();
    let kinds = [Goes::Unsaid, Goes::Lost, Goes::Unsaid, Goes::Late(Duration::from_millis(40)), Goes::NotDelivered, Goes::Unsaid];
    platform.next_sends(&(0..n).map(|i| kinds[i % kinds.len()]).collect::<Vec<_>>());
    let now_ms = jiff::Timestamp::now().as_millisecond();
    for i in 0..n {
        // Each in a channel of its own, since one channel's messages are paced.
        let Event::Asked(asked) = asked(&format!("C{i}"), "1", "ada", "x").event else { continue };
        let post = Post {
            place: asked.place,
            private_to: None,
            otherwise: None,
            asker: None,
            question: format!("question {i}"),
            answers: None,
            reply: Reply { headline: format!("answer {i}"), ..Reply::default() },
            form: PostForm::Whole,
            made_under: None,
            shown: Shown::default(),
        };
        service.store.put_out(&post, now_ms).await?;
    }
    let running = tokio::spawn(serve::run(Arc::clone(&service)));
    for _ in 0..(600 + n / 10) {
        tokio::time::sleep(Duration::from_millis(200)).await;
        if service.store.due(i64::MAX, 1).await?.is_empty() {
            break;
        }
    }
    let mut standing: HashMap<String, usize> = HashMap::new();
    for message in platform.standing() {
        *standing.entry(message.question).or_default() += 1;
    }
    let n_doubled = standing.values().filter(|n| **n > 1).count();
    println!("{n} ambiguous sends: {} stand there, {n_doubled} doubled", standing.len());
    ensure!(standing.len() == n, "{} of {n} stand there", standing.len());
    ensure!(n_doubled <= MAX_DOUBLED_OF_30_000 * n / 30_000, "{n_doubled} of {n} are doubled");
    service.stop().cancel();
    running.await?
}
