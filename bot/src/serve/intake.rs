//! From open rows of the inbox to work: questions are admitted and wait, everything else is done at once.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::press::Reasoned;
use super::sentences::{self, plain};
use super::{Service, linking, now_ms};
use crate::chat::clean::was_redacted;
use crate::chat::{Asked, Event, Place, Platform, Reply, SendError, Way};
use crate::gate::{self, Admitted, Circumstances};
use crate::refusal::Refusal;
use crate::store::{Audited, End, Ended, Entry, Post, PostForm};
use crate::surface::{Outcome, Shown, Surface};
use crate::telemetry;
use tokio::sync::Semaphore;

/// How many rows are looked at in one turn.
const AT_ONCE: i64 = 500;

/// How often the table is looked at though nothing rang, and how long something that failed rests.
const EVERY: Duration = Duration::from_secs(1);

/// How many events are taken up side by side.
const SIDE_BY_SIDE: usize = 16;

/// Longest pause that a platform may ask for before it tells who asks, in milliseconds.
const MAX_PAUSE_MS: i64 = 10_000;

/// Takes up what comes in, until the service ends.
pub(super) async fn take_up(service: Arc<Service>) {
    let mut taken: HashSet<String> = HashSet::new();
    let turns = Arc::new(Semaphore::new(SIDE_BY_SIDE));
    while !service.stop.is_cancelled() {
        match service.store.open_ids(AT_ONCE).await {
            Ok(ids) => {
                taken.retain(|id| ids.contains(id));
                for id in ids {
                    if taken.insert(id.clone()) {
                        tokio::spawn(take_one(Arc::clone(&service), Arc::clone(&turns), id));
                    }
                }
            }
            Err(error) => tracing::error!(%error, "cannot read the inbox"),
        }
        tokio::select! {
            () = service.came_in.notified() => {}
            () = tokio::time::sleep(EVERY) => {}
            () = service.stop.cancelled() => {}
        }
    }
}

/// Takes up one entry; what goes wrong with it, a panic too, is that one's failure.
async fn take_one(service: Arc<Service>, turns: Arc<Semaphore>, id: String) {
    let Ok(_turn) = turns.acquire().await else { return };
    let entry = match service.store.open_entry(&id).await {
        Ok(Some(entry)) => entry,
        Ok(None) => return,
        Err(error) => {
            tracing::error!(event.id = id, %error, "cannot read an event; it is taken up at the next start");
            return;
        }
    };
    let taken = {
        let (service, entry) = (Arc::clone(&service), entry.clone());
        tokio::spawn(async move { service.take(entry).await })
    };
    let error = match taken.await {
        Ok(Ok(())) => return,
        Ok(Err(error)) => error,
        Err(error) => anyhow::Error::new(error).context("taking up an event broke off"),
    };
    let reference = telemetry::failure_reference(&error);
    match &entry.event {
        Event::Asked(asked) => {
            service.queue().remove(&id);
            service.under_way().remove(&id);
            let ended = Ended { end: End::Failed, reference: Some(reference.clone()) };
            service.conclude_plainly(&id, asked, &ended, &sentences::failed(&reference)).await;
        }
        _ => {
            if let Err(error) = service.store.done(&id, now_ms()).await {
                tracing::error!(event.id = id, %error, "cannot end an event");
            }
        }
    }
}

impl Service {
    async fn take(&self, entry: Entry) -> anyhow::Result<()> {
        match entry.event.clone() {
            Event::Asked(asked) => self.take_question(&entry, asked).await,
            event => self.take_other(&entry.id, event).await,
        }
    }

    async fn take_question(&self, entry: &Entry, mut asked: Asked) -> anyhow::Result<()> {
        if let Some(message) = &asked.follows
            && let Some(place) = self.store.place_of_message(asked.place.platform, message).await?
        {
            asked.place.thread = place.thread;
            self.store.reword(&entry.id, &Event::Asked(asked.clone())).await?;
        }
        self.store.adopt_thread(&asked.place, now_ms()).await?;
        let (platform, channel) = (asked.place.platform, asked.place.channel.as_str());
        // Not while what was asked before is still looked for: that begins at the last one seen.
        if is_message(&asked) && self.n_catching_up.of(platform).load(Ordering::Relaxed) == 0 {
            self.store.see_channel(platform, channel, &asked.message).await?;
        }
        if self.store.was_deleted(platform, channel, &asked.message).await? {
            return self.cancel(&entry.id).await;
        }
        if is_stop(&asked.text) {
            if self.stop_in(&asked).await? || asked.way == Way::Overheard {
                return Ok(self.store.pass_over(&entry.id, now_ms()).await?);
            }
            let ended = Ended { end: End::Answered, reference: None };
            self.conclude_plainly(&entry.id, &asked, &ended, sentences::NOTHING_TO_STOP).await;
            return Ok(());
        }
        if asked.way == Way::Overheard && !self.is_talk_of_two(&asked).await? {
            return Ok(self.store.pass_over(&entry.id, now_ms()).await?);
        }
        if let Some(wish) = linking::wish(&asked) {
            return self.take_wish(entry, &asked, wish).await;
        }
        match self.admit(&asked).await {
            Ok(admitted) => self.let_wait(entry, asked, admitted).await,
            Err(refusal) => {
                self.gauges.n_refused.inc();
                let ended = Ended { end: End::Refused, reference: None };
                let beyond = self.app.count_beyond("refusal.counts_all").await.map(|n| n.to_string()).unwrap_or_default();
                self.conclude_plainly(&entry.id, &asked, &ended, &format!("{refusal}{beyond}")).await;
                Ok(())
            }
        }
    }

    /// In a thread the bot answers without being named only where one person and the bot talk, and the bot spoke last.
    async fn is_talk_of_two(&self, asked: &Asked) -> anyhow::Result<bool> {
        Ok(self.store.note_speaker(&asked.place, &asked.asker, &asked.message, now_ms()).await?)
    }

    async fn admit(&self, asked: &Asked) -> Result<Admitted, Refusal> {
        let circumstances = self.circumstances(&asked.place, &asked.asker).await?;
        if circumstances.person.is_bot {
            return Err(Refusal::new("I do not answer other programs."));
        }
        let admitted = gate::admit(asked, &circumstances, &self.app.access(), &self.limits())?;
        check_words(&asked.text)?;
        Ok(admitted)
    }

    /// What the platform says of who asks and where; where it says nothing, nothing is answered.
    pub(super) async fn circumstances(&self, place: &Place, person: &str) -> Result<Circumstances, Refusal> {
        let cannot_tell = || Refusal::new(sentences::CANNOT_TELL);
        let messenger = self.messenger(place.platform).ok_or_else(cannot_tell)?;
        let look = || async { tokio::join!(messenger.person(place, person), messenger.channel(place)) };
        let mut seen = look().await;
        if let (Err(SendError::Pause { after_ms }), _) | (_, Err(SendError::Pause { after_ms })) = &seen {
            tokio::time::sleep(Duration::from_millis((*after_ms).clamp(0, MAX_PAUSE_MS) as u64)).await;
            seen = look().await;
        }
        match seen {
            (Ok(facts), Ok(channel)) => Ok(Circumstances { person: facts, channel, linked: self.linked_with(place, person).await? }),
            (person, channel) => {
                let causes: Vec<String> = [person.err(), channel.err()].into_iter().flatten().map(|e| e.to_string()).collect();
                tracing::warn!(channel.id = place.channel, "cannot tell who reads: {}", causes.join("; "));
                Err(cannot_tell())
            }
        }
    }

    /// What is no question.
    async fn take_other(&self, id: &str, event: Event) -> anyhow::Result<()> {
        match &event {
            Event::Edited { place, message, text } => self.reword(place, message, text).await?,
            Event::Deleted { place, message } => self.take_back(place, message).await?,
            Event::Pressed(press) => self.pressed(press).await?,
            Event::Reasoned { platform, person, question, reason, note } => {
                self.reasoned(&Reasoned { platform: *platform, person, question, reason, note }).await?;
            }
            Event::Joined { place } => self.greet(id, place).await?,
            Event::Left { place } => tracing::warn!(channel.id = place.channel, "taken out of a channel, or the channel is gone"),
            Event::HomeOpened { workspace, person, .. } => self.show_home(event.platform(), workspace, person).await?,
            Event::ShutOut { why, .. } => self.shut_out(event.platform(), why),
            Event::TalkOpened { place, person } => self.offer(place, person).await,
            Event::Asked(_) => {}
        }
        Ok(self.store.done(id, now_ms()).await?)
    }

    async fn greet(&self, id: &str, place: &Place) -> anyhow::Result<()> {
        let nobody = Circumstances {
            person: Default::default(),
            channel: self.circumstances(place, "").await.map(|c| c.channel).unwrap_or_default(),
            linked: None,
        };
        let (sentence, shown) = match gate::audience_of(place, "", &nobody, &self.app.access()) {
            Ok(audience) => {
                let shown = Shown { audience: audience.to_string(), ..Shown::plain(Surface::Greeting, Outcome::Shown) };
                (sentences::greeting("@Runlore"), shown)
            }
            Err(refusal) => (refusal.to_string(), Shown::plain(Surface::Greeting, Outcome::Refused)),
        };
        let sentence = self.app.count_beyond("greeting.counts_all").await.map_or(sentence.clone(), |n| format!("{sentence} {n}"));
        let post = Post {
            place: place.clone(),
            private_to: None,
            otherwise: None,
            asker: None,
            question: id.to_owned(),
            answers: None,
            reply: plain(sentence),
            form: PostForm::Whole,
            made_under: None,
            shown,
        };
        self.store.put_out(&post, now_ms()).await?;
        self.goes_out.notify_one();
        Ok(())
    }

    async fn offer(&self, place: &Place, person: &str) {
        let Some(messenger) = self.messenger(place.platform) else { return };
        if self.may_show(&Audited::at(place, person, "", Shown::plain(Surface::Offer, Outcome::Shown))).await {
            messenger.offer(place).await;
        }
    }

    /// Ends a question with a sentence; tries until the state takes it or the service ends, and then the next start takes it up.
    pub(super) async fn conclude_plainly(&self, id: &str, asked: &Asked, ended: &Ended, sentence: &str) {
        let (surface, outcome) = match ended.end {
            End::Refused => (Surface::Refusal, Outcome::Refused),
            End::Failed => (Surface::Failure, Outcome::Failed),
            End::Answered | End::Cancelled => (Surface::Note, Outcome::Shown),
        };
        let shown = Shown { audience: self.audience_under_way(id), ..Shown::plain(surface, outcome) };
        self.conclude_saying(id, asked, ended, sentence, shown).await;
    }

    /// The same with what the audit keeps of it.
    pub(super) async fn conclude_saying(&self, id: &str, asked: &Asked, ended: &Ended, sentence: &str, shown: Shown) {
        let post = self.post_for(id, asked, PostForm::Whole, plain(sentence), shown);
        while let Err(error) = self.store.conclude(ended, &post, None, now_ms()).await {
            tracing::error!(question.id = id, %error, "cannot store how a question ended; trying on");
            tokio::select! {
                () = tokio::time::sleep(EVERY) => {}
                () = self.stop.cancelled() => return,
            }
        }
        self.goes_out.notify_one();
    }

    /// Stores the next version of what stands under a question that is still open. What one person alone sees comes whole where it cannot
    /// be changed.
    pub(super) async fn put_out(&self, post: &Post) -> anyhow::Result<()> {
        if post.private_to.is_none() || self.keeps_private(post.place.platform) {
            self.store.put_out_while_open(post, now_ms()).await?;
            self.goes_out.notify_one();
        }
        Ok(())
    }

    /// Whether what one person alone sees can be changed there, and hold a picture.
    pub(super) fn keeps_private(&self, platform: Platform) -> bool {
        self.messenger(platform).is_some_and(|messenger| messenger.keeps_private())
    }

    /// Who will see the answer to a question under way, in words; empty where nobody was admitted.
    pub(super) fn audience_under_way(&self, id: &str) -> String {
        self.under_way().get(id).map(|question| question.admitted.audience.to_string()).unwrap_or_default()
    }

    pub(super) fn post_for(&self, id: &str, asked: &Asked, form: PostForm, mut reply: Reply, shown: Shown) -> Post {
        if asked.is_late && form == PostForm::Whole {
            reply.notices.push(sentences::LATE.to_owned());
        }
        if was_redacted(&asked.text) && form == PostForm::Whole {
            reply.notices.push(sentences::TOOK_SECRET.to_owned());
        }
        let address = asked.private_to.clone().map(|address| (asked.asker.clone(), address));
        let (private_to, otherwise) = if asked.is_private() { (address, None) } else { (None, address) };
        if asked.way == Way::PublicCommand && form != PostForm::Waiting {
            // Nobody else sees what was typed.
            reply.notices.push(sentences::asked_by_command(&asked.text));
        }
        let (place, asker) = (asked.place.clone(), Some(asked.asker.clone()));
        let answers = Some(asked.message.clone()).filter(|_| is_message(asked));
        Post { place, private_to, otherwise, asker, question: id.to_owned(), answers, reply, form, made_under: None, shown }
    }
}

/// Whether the message's id is one of the channel's history, and not of a command, a shortcut or a press.
fn is_message(asked: &Asked) -> bool {
    asked.private_to.is_none() && !asked.message.contains(' ')
}

/// Whether the words only ask to stop.
fn is_stop(text: &str) -> bool {
    let text = text.trim().trim_end_matches(['.', '!']).to_lowercase();
    matches!(text.as_str(), "stop" | "cancel" | "never mind" | "nevermind")
}

/// Whether there are words, and not too many.
pub(super) fn check_words(text: &str) -> Result<(), Refusal> {
    let n_characters = text.chars().count();
    if n_characters > sentences::MAX_QUESTION {
        return Err(Refusal::new(sentences::too_long(n_characters)));
    }
    if text.trim().is_empty() { Err(Refusal::new(sentences::EMPTY)) } else { Ok(()) }
}
