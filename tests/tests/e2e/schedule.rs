//! The state's briefs: of many that claim one, one stores it; what is posted nowhere was missed. On SQLite and on PostgreSQL.

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use runlore_bot::brief::schedule::Mark;
use runlore_bot::chat::{Basis, Place, PlaceKind, Platform, Reply};
use runlore_bot::store::{BriefDue, Kept, MadeBrief, MadeUnder, OpenBrief, Post, PostForm, Sent, Store};
use runlore_bot::surface::Shown;
use runlore_tests::not_run::not_run;
use runlore_tests::postgres::Postgres;

/// One state, opened by two programs; what it lies in lives as long.
struct Shared {
    one: Store,
    other: Store,
    _kept: (Option<tempfile::TempDir>, Option<Arc<Postgres>>),
}

async fn shared() -> Result<Vec<Shared>> {
    let folder = tempfile::tempdir()?;
    let url = format!("sqlite://{}", folder.path().join("bot.db").display());
    let mut all = vec![Shared { one: Store::open(&url).await?, other: Store::open(&url).await?, _kept: (Some(folder), None) }];
    match Postgres::shared()? {
        Ok(server) => {
            let url = server.fresh_database()?;
            all.push(Shared { one: Store::open(&url).await?, other: Store::open(&url).await?, _kept: (None, Some(server)) });
        }
        Err(reason) => not_run("the briefs of the state on PostgreSQL", &reason),
    }
    Ok(all)
}

fn mark(upto_ms: i64) -> Mark {
    Mark { schedule: "0 9 * * MON UTC".to_owned(), upto_ms }
}

fn due(period: &str, slot_ms: i64) -> BriefDue {
    BriefDue { period: period.to_owned(), slot_ms, week_ms: slot_ms + 5, is_missed: false }
}

fn kept() -> Kept {
    Kept {
        audience: "channel c".to_owned(),
        person: String::new(),
        scope: "s".to_owned(),
        records: Vec::new(),
        reply: Reply { headline: "all is well".to_owned(), ..Reply::default() },
        details: Vec::new(),
        basis: Basis::default(),
        facts_ms: 1,
        answer_ms: 2,
    }
}

fn post(question: &str, platform: Platform) -> Post {
    let (workspace, channel) = (String::new(), "C".to_owned());
    let kept = kept();
    Post {
        place: Place { platform, workspace, channel, kind: PlaceKind::Channel, thread: None },
        private_to: None,
        otherwise: None,
        asker: None,
        question: question.to_owned(),
        answers: None,
        reply: kept.reply,
        form: PostForm::Whole,
        made_under: Some(MadeUnder { audience: kept.audience, scope: kept.scope, basis: kept.basis }),
        shown: Shown::default(),
    }
}

async fn store(state: &Store, claim: &OpenBrief, questions: &[(&str, Platform)], mentions: &[String]) -> Result<bool> {
    let posts: Vec<Post> = questions.iter().map(|(question, platform)| post(question, *platform)).collect();
    let kept = kept();
    Ok(state.store_brief(claim, &MadeBrief { posts: &posts, kept: &kept, mentions }, 60).await?)
}

/// Ends the send of a question's message.
async fn end(state: &Store, question: &str, sent: &Sent) -> Result<()> {
    let due = state.due(i64::MAX, 9).await?;
    let row = due.iter().find(|row| row.post.question == question).context("it is not due")?;
    Ok(state.sent(&row.id, row.version, sent).await?)
}

async fn states(state: &Store) -> Result<Vec<String>> {
    Ok(state.brief_states("c").await?.into_iter().map(|(period, state)| format!("{period} {state}")).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_that_claim_a_brief_one_stores_it() -> Result<()> {
    for Shared { one, other, _kept } in shared().await? {
        let noted = [due("2025-W11", 10)];
        let (first, second) = (mark(10), mark(10));
        let (a, b) = tokio::join!(one.note_briefs("c", &first, &noted), other.note_briefs("c", &second, &noted));
        a?;
        b?;
        ensure!(one.brief_marks().await?.get("c") == Some(&mark(10)));
        let open = one.open_briefs(20).await?;
        ensure!(open.len() == 1 && open == other.open_briefs(20).await?, "{open:?}");

        let programs = [&one, &other];
        let claims = futures::future::try_join_all((0..12).map(|i| programs[i % 2].claim_brief(&open[0], 30))).await?;
        let claims: Vec<OpenBrief> = claims.into_iter().flatten().collect();
        ensure!(claims.len() == 1 && claims[0].attempts == 1, "{claims:?}");
        ensure!(other.open_briefs(29).await?.is_empty(), "it is claimed");
        ensure!(one.hold_brief(&claims[0], 40).await? && other.open_briefs(39).await?.is_empty(), "it is held for longer");

        // Its holder is gone, or only slow: the next one has it, and the first can store nothing any more.
        let open = other.open_briefs(40).await?;
        let next = other.claim_brief(&open[0], 50).await?.context("the lease is over")?;
        ensure!(!one.hold_brief(&claims[0], 60).await?);
        ensure!(!store(&one, &claims[0], &[("q", Platform::Slack)], &[]).await? && one.due(99, 9).await?.is_empty());
        ensure!(store(&other, &next, &[("q", Platform::Slack)], &[]).await?);
        ensure!(!store(&other, &next, &[("q", Platform::Slack)], &[]).await?, "a claim is spent once");
        ensure!(one.due(99, 9).await?.len() == 1 && one.open_briefs(i64::MAX).await?.is_empty());
        // Noted again, such as after a zone was changed, it is the same brief.
        one.note_briefs("c", &mark(70), &[due("2025-W11", 70)]).await?;
        ensure!(one.open_briefs(i64::MAX).await?.is_empty() && states(&one).await? == ["2025-W11 stored"]);

        end(&one, "q", &Sent::Posted("m1".to_owned())).await?;
        one.settle_briefs(80).await?;
        other.settle_briefs(90).await?;
        let receipts = one.brief_receipts("c").await?;
        ensure!(receipts.len() == 1 && (receipts[0].message.as_str(), receipts[0].at_ms) == ("m1", 80), "{receipts:?}");
        ensure!(states(&one).await? == ["2025-W11 posted"]);
        ensure!(one.made().await?.len() == 1, "its words go with its records");
        ensure!(one.mean_answer_ms().await?.is_none(), "nobody waited for it");
        ensure!(one.brief_place("q").await?.is_some_and(|(place, _)| place.channel == "C") && one.brief_place("r").await?.is_none());
        one.prune(i64::MAX).await?;
        ensure!(states(&one).await?.is_empty() && one.brief_receipts("c").await?.is_empty());
    }
    Ok(())
}

#[tokio::test]
async fn what_is_posted_nowhere_was_missed_and_what_it_mentioned_too() -> Result<()> {
    for Shared { one, _kept, .. } in shared().await? {
        let missed = BriefDue { is_missed: true, ..due("2025-W10", 5) };
        one.note_briefs("c", &mark(20), &[missed, due("2025-W11", 10), due("2025-W12", 20)]).await?;
        ensure!(one.missed_briefs("c").await? == ["2025-W10"] && one.missed_briefs("d").await?.is_empty());
        let open = one.open_briefs(30).await?;
        let claim = one.claim_brief(&open[0], 40).await?.context("nobody else claims it")?;
        let both = [("s", Platform::Slack), ("d", Platform::Discord)];
        ensure!(store(&one, &claim, &both, &one.missed_briefs("c").await?).await?);
        ensure!(states(&one).await? == ["2025-W10 mentioned", "2025-W11 stored", "2025-W12 due"]);

        // On one platform it is refused, on the other one not yet known.
        end(&one, "s", &Sent::Dropped("not in the channel".to_owned())).await?;
        one.settle_briefs(50).await?;
        ensure!(states(&one).await?[1] == "2025-W11 stored", "{:?}", states(&one).await?);
        end(&one, "d", &Sent::Dropped("gone".to_owned())).await?;
        one.settle_briefs(60).await?;
        ensure!(states(&one).await? == ["2025-W10 missed", "2025-W11 missed", "2025-W12 due"], "{:?}", states(&one).await?);

        // Where one platform has it, it was posted.
        let claim = one.claim_brief(&open[1], 40).await?.context("nobody else claims it")?;
        let both = [("s2", Platform::Slack), ("d2", Platform::Discord)];
        ensure!(store(&one, &claim, &both, &one.missed_briefs("c").await?).await?);
        end(&one, "s2", &Sent::Dropped("not in the channel".to_owned())).await?;
        end(&one, "d2", &Sent::Posted("m".to_owned())).await?;
        one.settle_briefs(70).await?;
        ensure!(states(&one).await? == ["2025-W10 mentioned", "2025-W11 mentioned", "2025-W12 posted"], "{:?}", states(&one).await?);
        let receipts = one.brief_receipts("c").await?;
        let of_last: Vec<&str> = receipts.iter().filter(|r| r.period == "2025-W12").map(|r| r.state.as_str()).collect();
        ensure!(of_last == ["posted", "dropped"], "{receipts:?}");

        // What nobody makes in time is given up, and no mark is kept of a channel without a schedule.
        one.note_briefs("c", &mark(90), &[due("2025-W13", 90)]).await?;
        one.miss_brief(&one.open_briefs(95).await?[0]).await?;
        ensure!(one.missed_briefs("c").await? == ["2025-W13"]);
        one.forget_brief_mark("c").await?;
        ensure!(one.brief_marks().await?.is_empty());
    }
    Ok(())
}
