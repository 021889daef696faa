//! What a scenario came to, without any platform: the replies and whether they stand, what was shown to whom, what was said about it.

use anyhow::{Result, ensure};
use runlore_bot::chat::Reply;
use runlore_bot::store::{AuditFilter, Post, PostForm, Store};
use runlore_indexer::config::Settings;
use runlore_tests::program::Program;
use sqlx::Row;

/// All of it.
#[derive(Debug, PartialEq)]
pub struct Outcome {
    /// The last reply to each question, in the order in which they were asked, behind what became of its message.
    pub replies: Vec<(String, Reply)>,
    /// What was shown, as the audit has it, the last first.
    pub shown: Vec<String>,
    /// What people said about answers.
    pub feedback: Vec<String>,
}

impl Outcome {
    pub async fn read(program: &Program) -> Result<Self> {
        let store = Store::open(&Settings::read(&program.team.config())?.state_url).await?;
        let rows = store.audit_rows(&AuditFilter::default(), i64::MAX).await?;
        // Whether the facts come before the whole answer hangs on time, and on what the platform can change.
        let shown = rows.iter().filter(|row| !matches!(row.surface.as_str(), "facts" | "waiting"));
        let shown = shown.map(|row| format!("{} {} to {} of {} {:?}", row.surface, row.outcome, row.audience, row.scope, row.records));
        let feedback = store.feedback().await?;
        let feedback = feedback.iter().map(|said| format!("{}: {:?} {:?} {:?}", said.question, said.verdict, said.reason, said.note));
        Ok(Self { replies: replies(program).await?, shown: shown.collect(), feedback: feedback.collect() })
    }
}

async fn replies(program: &Program) -> Result<Vec<(String, Reply)>> {
    let query = "SELECT o.state, o.body FROM outbox o JOIN inbox i ON i.id = o.question WHERE o.part = 0 ORDER BY i.received_ms";
    let rows = sqlx::query(query).fetch_all(&state(program).await?).await?;
    rows.iter()
        .map(|row| {
            let post: Post = serde_json::from_str(&row.try_get::<String, _>(1)?)?;
            ensure!(post.form == PostForm::Whole, "{post:?}");
            // Where a person alone is shown it, one platform can show a picture and the other says that there is one.
            let mut reply = post.reply;
            reply.notices.retain(|notice| !notice.contains("There is a chart too"));
            Ok((row.try_get(0)?, Reply { picture: None, ..reply }))
        })
        .collect()
}

/// How many presses, reasons, edits and deletions have come and are dealt with.
pub async fn n_happened(program: &Program) -> Result<i64> {
    let query = "SELECT COUNT(*) FROM inbox WHERE state = 'done' AND kind IN ('pressed', 'reasoned', 'edited', 'deleted')";
    Ok(sqlx::query(query).fetch_one(&state(program).await?).await?.try_get(0)?)
}

/// Waits until one more is, and what comes of it too.
pub async fn until_happened(program: &Program, before: i64) -> Result<()> {
    program.until("it has happened", || async { Ok((n_happened(program).await? > before).then_some(())) }).await?;
    program.until_settled().await
}

async fn state(program: &Program) -> Result<sqlx::AnyPool> {
    sqlx::any::install_default_drivers();
    Ok(sqlx::AnyPool::connect(&format!("sqlite://{}", program.team.data().join("bot.db").display())).await?)
}
