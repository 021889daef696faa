//! The weekly briefs of the channels: what is due is noted, claimed by one program, made, stored for posting, and its receipt written.
//!
//! Each step is one transaction that finds the one before in the tables, so that what is killed goes on at the next start, or in another
//! program, once the lease of its claim is over.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::Context;
use jiff::{Timestamp, Zoned};
use runlore_indexer::failpoint;
use runlore_indexer::space::Audience;
use uuid::Uuid;

use super::{Service, now_ms, sentences};
use crate::brief::schedule::{Due, LATE_MS, Schedule, Slot, is_missed};
use crate::brief::{self, Brief, Period};
use crate::chat::{Button, Place, PlaceKind, Platform, Reply};
use crate::store::{BriefDue, Kept, MadeBrief, MadeUnder, OpenBrief, Post, PostForm};
use crate::surface::Shown;
use crate::telemetry;

/// How often it is looked what is due.
const EVERY: Duration = Duration::from_secs(2);

/// How long a claim holds, and how often it is held for longer while the brief is made.
const LEASE_MS: i64 = 10_000;
const HOLD_EVERY: Duration = Duration::from_secs(2);

/// How long a brief that failed rests: once so long, twice, and so on.
const REST_MS: i64 = 60_000;
const MOST_RESTS: i64 = 30;

/// How much longer than the deadline of an answer a brief may take to notice that it is over.
const GRACE: Duration = Duration::from_secs(60);

/// How long a brief waits for questions.
const PATIENCE_MS: i64 = 30 * 60 * 1_000;

/// Brings the briefs that are due, until the service ends.
pub(super) async fn bring_due(service: Arc<Service>) {
    loop {
        let round = {
            let service = Arc::clone(&service);
            tokio::spawn(async move { service.bring_round().await })
        };
        match round.await.context("looking for briefs that are due broke off") {
            Ok(Ok(())) => {}
            Ok(Err(error)) | Err(error) => tracing::error!("cannot bring the briefs that are due, trying on: {error:#}"),
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = service.stop.cancelled() => return,
        }
    }
}

impl Service {
    async fn bring_round(self: &Arc<Self>) -> anyhow::Result<()> {
        let briefs = self.briefs();
        let mut marks = self.store.brief_marks().await?;
        for (channel, schedule) in &*briefs {
            if let Some(due) = schedule.due(marks.remove(channel).as_ref(), self.app.now()) {
                self.store.note_briefs(channel, &due.mark, &noted(schedule, &due)).await?;
                failpoint::reach("brief.noted");
            }
        }
        for channel in marks.into_keys() {
            self.store.forget_brief_mark(&channel).await?;
        }
        self.store.settle_briefs(self.app.now().as_millisecond()).await?;
        for open in self.store.open_briefs(self.app.now().as_millisecond()).await? {
            if is_missed(open.slot_ms, self.app.now()) {
                self.store.miss_brief(&open).await?;
                continue;
            }
            let Some(schedule) = briefs.get(&open.channel) else { continue };
            if !self.stop.is_cancelled() && !self.has_to_wait(&open) {
                self.bring(&open, schedule).await?;
            }
        }
        Ok(())
    }

    /// Questions go first, for a while.
    fn has_to_wait(&self, open: &OpenBrief) -> bool {
        let are_there = !self.queue().is_empty() || self.gauges.n_answering.get() > 0;
        are_there && self.app.now().as_millisecond() - open.slot_ms < PATIENCE_MS
    }

    /// Claims a brief, makes it and stores it. What goes wrong with it is logged, and it is tried again after a rest.
    async fn bring(self: &Arc<Self>, open: &OpenBrief, schedule: &Schedule) -> anyhow::Result<()> {
        let Some(claim) = self.store.claim_brief(open, self.app.now().as_millisecond() + LEASE_MS).await? else { return Ok(()) };
        failpoint::reach("brief.claimed");
        if let Err(error) = self.make_and_store(&claim, schedule).await {
            let is_ending = self.stop.is_cancelled();
            if !is_ending {
                telemetry::failure_reference(&error.context(format!("the brief of {} for `{}`", claim.period, claim.channel)));
            }
            let rest_ms = if is_ending { 0 } else { REST_MS * claim.attempts.clamp(1, MOST_RESTS) };
            self.store.hold_brief(&claim, self.app.now().as_millisecond() + rest_ms).await?;
        }
        Ok(())
    }

    async fn make_and_store(self: &Arc<Self>, claim: &OpenBrief, schedule: &Schedule) -> anyhow::Result<()> {
        let begun_ms = now_ms();
        let week = Timestamp::from_millisecond(claim.week_ms)?.to_zoned(schedule.zone().clone());
        let brief = self.make(claim, Period::week_before(&week)).await?;
        failpoint::reach("brief.made");
        let mentions = self.store.missed_briefs(&claim.channel).await?;
        let reply = self.dressed(&brief.reply, claim, schedule, &mentions)?;
        let audience = Audience::Channel(claim.channel.clone());
        let posts = self.posts(claim, &brief, &reply, &audience);
        anyhow::ensure!(!posts.is_empty(), "no platform that is switched on has the channel");
        let kept = kept(&brief, reply, &audience, now_ms() - begun_ms);
        let made = MadeBrief { posts: &posts, kept: &kept, mentions: &mentions };
        anyhow::ensure!(self.store.store_brief(claim, &made, now_ms()).await?, "somebody else claimed it meanwhile");
        failpoint::reach("brief.stored");
        // What went from the catalog before this was stored may have been forgotten everywhere else already.
        if !self.app.corpus.catalog.last_change().await.is_ok_and(|change| change == brief.basis.change) {
            self.look_again.store(true, Ordering::Relaxed);
        }
        tracing::info!(channel = claim.channel, period = claim.period, is_empty = brief.is_empty, "a brief goes out");
        self.goes_out.notify_one();
        Ok(())
    }

    /// Makes a brief in a task of its own, and holds its claim meanwhile.
    async fn make(&self, claim: &OpenBrief, period: Period) -> anyhow::Result<Brief> {
        let cancel = self.stop.child_token();
        // However this ends, nobody goes on with it.
        let _ends = cancel.clone().drop_guard();
        let mut making = {
            let (app, audience, cancel) = (Arc::clone(&self.app), Audience::Channel(claim.channel.clone()), cancel.clone());
            tokio::spawn(async move { brief::make(&app, &audience, &period, &cancel).await })
        };
        let mut hold = tokio::time::interval(HOLD_EVERY);
        let deadline = tokio::time::sleep(self.settings.deadline);
        let too_late = tokio::time::sleep(self.settings.deadline + GRACE);
        tokio::pin!(deadline, too_late);
        loop {
            tokio::select! {
                made = &mut making => return made.context("it broke off")?,
                _ = hold.tick() => {
                    let until_ms = self.app.now().as_millisecond() + LEASE_MS;
                    if !self.store.hold_brief(claim, until_ms).await? {
                        making.abort();
                        anyhow::bail!("somebody else claimed it meanwhile");
                    }
                }
                // What the model has not said by then is left out.
                () = &mut deadline, if !cancel.is_cancelled() => cancel.cancel(),
                () = &mut too_late => {
                    making.abort();
                    anyhow::bail!("not made within {:?}", self.settings.deadline + GRACE);
                }
                () = self.stop.cancelled() => {
                    making.abort();
                    anyhow::bail!("the service ends");
                }
            }
        }
    }

    /// The reply with what is to be said of its coming.
    fn dressed(&self, reply: &Reply, claim: &OpenBrief, schedule: &Schedule, mentions: &[String]) -> anyhow::Result<Reply> {
        let late_ms = self.app.now().as_millisecond() - claim.slot_ms;
        let due: Zoned = Timestamp::from_millisecond(claim.slot_ms)?.to_zoned(schedule.zone().clone());
        let late = (late_ms > LATE_MS).then(|| sentences::brief_is_late(&due, late_ms));
        let notices = late.into_iter().chain(sentences::briefs_were_missed(mentions)).chain(reply.notices.iter().cloned()).collect();
        Ok(Reply { notices, buttons: vec![Button::Useful, Button::NotUseful], ..reply.clone() })
    }

    /// A message for each platform that has the channel and is switched on.
    fn posts(&self, claim: &OpenBrief, brief: &Brief, reply: &Reply, audience: &Audience) -> Vec<Post> {
        let shown = Shown::brief(audience, brief);
        let made_under = MadeUnder { audience: audience.to_string(), scope: brief.scope.clone(), basis: brief.basis.clone() };
        let post = |(platform, place): (Platform, Place)| Post {
            place,
            private_to: None,
            otherwise: None,
            asker: None,
            question: question_of(&claim.channel, &claim.period, platform),
            answers: None,
            reply: reply.clone(),
            form: PostForm::Whole,
            made_under: Some(made_under.clone()),
            shown: shown.clone(),
        };
        self.places_of(&claim.channel).into_iter().map(post).collect()
    }

    /// Where a channel of the settings is, on each platform that is switched on.
    pub(super) fn places_of(&self, channel: &str) -> Vec<(Platform, Place)> {
        let access = self.app.access();
        let Some(settings) = access.channels.get(channel) else { return Vec::new() };
        let place = |platform: Platform| {
            let id = platform.of(&settings.slack, &settings.discord).filter(|_| self.messenger(platform).is_some())?;
            let (workspace, channel) = (String::new(), id.to_owned());
            Some((platform, Place { platform, workspace, channel, kind: PlaceKind::Channel, thread: None }))
        };
        Platform::ALL.into_iter().filter_map(place).collect()
    }
}

/// What came due as the state keeps it.
fn noted(schedule: &Schedule, due: &Due) -> Vec<BriefDue> {
    let brief = |slot: &Slot, is_missed: bool| {
        let week = schedule.week_of(slot)?;
        let (slot_ms, week_ms) = (slot.at.as_millisecond(), week.timestamp().as_millisecond());
        Some(BriefDue { period: Period::week_before(&week).key(), slot_ms, week_ms, is_missed })
    };
    let missed = due.missed.iter().filter_map(|slot| brief(slot, true));
    missed.chain(due.newest.iter().filter_map(|slot| brief(slot, false))).collect()
}

/// What lies behind the message, and goes with the records that it rests on.
fn kept(brief: &Brief, reply: Reply, audience: &Audience, took_ms: i64) -> Kept {
    Kept {
        audience: audience.to_string(),
        person: String::new(),
        scope: brief.scope.clone(),
        records: brief.basis.records.clone(),
        reply: Reply { buttons: Vec::new(), picture: None, ..reply },
        details: Vec::new(),
        basis: brief.basis.clone(),
        facts_ms: took_ms,
        answer_ms: took_ms,
    }
}

/// The id of a brief's message, by which it is found again.
fn question_of(channel: &str, period: &str, platform: Platform) -> String {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("brief {channel} {period} {}", platform.as_str()).as_bytes()).to_string()
}
