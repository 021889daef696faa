//! From open rows of the inbox to work: questions are admitted and wait, everything else is done at once.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use super::sentences::{self, plain};
use super::{Service, UnderWay, now_ms};
use crate::chat::{Asked, Event, Place, Way};
use crate::gate::{self, Circumstances};
use crate::refusal::Refusal;
use crate::store::{End, Ended, Entry, Post, PostForm};
use crate::telemetry;
use runlore_indexer::space::Audience;
use tokio_util::sync::CancellationToken;

/// How many rows are looked at in one turn.
const AT_ONCE: i64 = 500;

/// How often the table is looked at though nothing rang.
const EVERY: Duration = Duration::from_secs(1);

/// Takes up what comes in, until the service ends.
pub(super) async fn take_up(service: Arc<Service>) {
    let mut taken: HashSet<String> = HashSet::new();
    while !service.stop.is_cancelled() {
        match service.store.open_entries(AT_ONCE).await {
            Ok(entries) => {
                let open: HashSet<String> = entries.iter().map(|entry| entry.id.clone()).collect();
                taken.retain(|id| open.contains(id));
                for entry in entries {
                    if taken.insert(entry.id.clone()) {
                        let service = Arc::clone(&service);
                        tokio::spawn(async move { service.take_one(entry).await });
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

impl Service {
    async fn take_one(self: Arc<Self>, entry: Entry) {
        let (id, kind) = (entry.id.clone(), entry.event.kind());
        let outcome = match entry.event.clone() {
            Event::Asked(asked) => self.take_question(&entry, asked).await,
            event => self.take_other(&id, event).await,
        };
        if let Err(error) = outcome {
            // The row stays open and is taken up again when the service starts anew; a question is told at once.
            tracing::error!(event.id = id, kind, "{error:#}");
            if let Event::Asked(asked) = &entry.event {
                let reference = telemetry::failure_reference(&error);
                let ended = Ended { end: End::Failed, reference: Some(reference.clone()) };
                self.conclude_plainly(&id, asked, &ended, &sentences::failed(&reference)).await;
            }
        }
    }

    async fn take_question(&self, entry: &Entry, asked: Asked) -> anyhow::Result<()> {
        self.store.see_channel(asked.place.platform, &asked.place.channel, &asked.message).await?;
        if asked.way == Way::Overheard && !self.is_talk_of_two(&asked).await? {
            self.store.cancel(&entry.id, now_ms()).await?;
            return Ok(());
        }
        match self.admit(&asked).await {
            Ok(audience) => self.let_wait(entry, asked, audience).await,
            Err(refusal) => {
                self.gauges.n_refused.inc();
                let ended = Ended { end: End::Refused, reference: None };
                self.conclude_plainly(&entry.id, &asked, &ended, &refusal.to_string()).await;
                Ok(())
            }
        }
    }

    /// In a thread the bot answers without being named only where one person and the bot talk, and the bot spoke last.
    async fn is_talk_of_two(&self, asked: &Asked) -> anyhow::Result<bool> {
        let Some(mut thread) = self.store.thread(&asked.place).await? else { return Ok(false) };
        let is_of_two = thread.people.len() == 1 && thread.people.contains(&asked.asker) && thread.last_speaker.is_empty();
        thread.people.insert(asked.asker.clone());
        thread.last_speaker = asked.asker.clone();
        self.store.keep_thread(&asked.place, &thread, now_ms()).await?;
        Ok(is_of_two)
    }

    async fn admit(&self, asked: &Asked) -> Result<Audience, Refusal> {
        let circumstances = self.circumstances(&asked.place, &asked.asker).await?;
        if circumstances.person.is_bot {
            return Err(Refusal::new("I do not answer other programs."));
        }
        let audience = gate::admit(asked, &circumstances, &self.app.access(), &self.limits)?;
        let n_characters = asked.text.chars().count();
        if n_characters > sentences::MAX_QUESTION {
            return Err(Refusal::new(sentences::too_long(n_characters)));
        }
        if asked.text.trim().is_empty() {
            return Err(Refusal::new(sentences::EMPTY));
        }
        Ok(audience)
    }

    /// What the platform says of who asks and where; where it says nothing, nothing is answered.
    pub(super) async fn circumstances(&self, place: &Place, person: &str) -> Result<Circumstances, Refusal> {
        let cannot_tell = || Refusal::new(sentences::CANNOT_TELL);
        let messenger = self.messenger(place.platform).ok_or_else(cannot_tell)?;
        let (person, channel) = tokio::join!(messenger.person(place, person), messenger.channel(place));
        match (person, channel) {
            (Ok(person), Ok(channel)) => Ok(Circumstances { person, channel }),
            (person, channel) => {
                let causes: Vec<String> = [person.err(), channel.err()].into_iter().flatten().map(|e| e.to_string()).collect();
                tracing::warn!(channel.id = place.channel, "cannot tell who reads: {}", causes.join("; "));
                Err(cannot_tell())
            }
        }
    }

    /// Shows that the question was seen, and lets it wait for its turn.
    async fn let_wait(&self, entry: &Entry, asked: Asked, audience: Audience) -> anyhow::Result<()> {
        let question = UnderWay { asked: asked.clone(), audience, cancel: CancellationToken::new(), received_ms: entry.received_ms };
        self.under_way().insert(entry.id.clone(), question);
        let pushed = self.queue().push(&asked.asker, &entry.id);
        match pushed {
            Err(full) => {
                self.under_way().remove(&entry.id);
                self.gauges.n_refused.inc();
                let ended = Ended { end: End::Refused, reference: None };
                self.conclude_plainly(&entry.id, &asked, &ended, sentences::busy(full)).await;
            }
            Ok(n_before) => {
                let n_before = n_before + usize::from(self.gauges.n_answering.get() >= self.settings.at_once as i64);
                if n_before > 0 {
                    let sentence = sentences::waiting(n_before, self.store.mean_answer_ms().await?);
                    self.put_out(&entry.id, &asked, PostForm::Waiting, plain(sentence)).await?;
                }
                self.to_work.notify_one();
                if let Some(messenger) = self.messenger(asked.place.platform) {
                    messenger.show_seen(&asked).await;
                }
            }
        }
        Ok(())
    }

    /// What is no question.
    async fn take_other(&self, id: &str, event: Event) -> anyhow::Result<()> {
        match &event {
            Event::Edited { place, message, text } => self.reword(place, message, text).await?,
            Event::Deleted { place, message } => self.take_back(place, message).await?,
            Event::Pressed(press) => self.pressed(press).await?,
            Event::Reasoned { person, question, reason, note, .. } => self.store.add_reason(question, person, reason, note).await?,
            Event::Joined { place } => self.greet(id, place).await?,
            Event::Left { place } => tracing::warn!(channel.id = place.channel, "taken out of a channel, or the channel is gone"),
            Event::HomeOpened { person, .. } => self.show_home(event.platform(), person).await?,
            Event::TalkOpened { .. } => {}
            Event::Asked(_) => {}
        }
        Ok(self.store.done(id, now_ms()).await?)
    }

    /// A question that has other words now is answered in its new form, if it is not answered yet.
    async fn reword(&self, place: &Place, message: &str, text: &str) -> anyhow::Result<()> {
        let Some((entry, true)) = self.store.question_of(place.platform, &place.channel, message).await? else { return Ok(()) };
        let Event::Asked(asked) = entry.event else { return Ok(()) };
        if asked.text == text {
            return Ok(());
        }
        let asked = Asked { text: text.to_owned(), ..asked };
        self.store.reword(&entry.id, &Event::Asked(asked.clone())).await?;
        if let Some(question) = self.under_way().get_mut(&entry.id) {
            question.asked = asked;
            // Who works on the old words notices, and begins again with the new ones.
            std::mem::take(&mut question.cancel).cancel();
        }
        Ok(())
    }

    /// A question whose message is gone is not answered, and what was answered goes too.
    async fn take_back(&self, place: &Place, message: &str) -> anyhow::Result<()> {
        if let Some((entry, _)) = self.store.question_of(place.platform, &place.channel, message).await? {
            self.cancel(&entry.id).await?;
        }
        Ok(())
    }

    /// Ends a question without an answer, and takes away what stands there of it.
    pub(super) async fn cancel(&self, question: &str) -> anyhow::Result<()> {
        self.store.cancel(question, now_ms()).await?;
        self.queue().remove(question);
        if let Some(question) = self.under_way().remove(question) {
            question.cancel.cancel();
        }
        self.store.take_away(question, now_ms()).await?;
        self.goes_out.notify_one();
        Ok(())
    }

    async fn greet(&self, id: &str, place: &Place) -> anyhow::Result<()> {
        let nobody = Circumstances {
            person: Default::default(),
            channel: self.circumstances(place, "").await.map(|c| c.channel).unwrap_or_default(),
        };
        let sentence = match gate::audience_of(place, "", &nobody, &self.app.access()) {
            Ok(_) => sentences::greeting("@Runlore"),
            Err(refusal) => refusal.to_string(),
        };
        let post = Post {
            place: place.clone(),
            private_to: None,
            asker: None,
            question: id.to_owned(),
            reply: plain(sentence),
            form: PostForm::Whole,
        };
        self.store.put_out(&post, 0, now_ms()).await?;
        self.goes_out.notify_one();
        Ok(())
    }

    /// Ends a question with a sentence. Where even that cannot be stored the row stays open, and the next start takes it up.
    pub(super) async fn conclude_plainly(&self, id: &str, asked: &Asked, ended: &Ended, sentence: &str) {
        let post = self.post_for(id, asked, PostForm::Whole, plain(sentence));
        if let Err(error) = self.store.conclude(ended, &post, None, now_ms()).await {
            tracing::error!(question.id = id, %error, "cannot store how a question ended");
        }
        self.goes_out.notify_one();
    }

    /// Stores the next version of what stands under a question.
    pub(super) async fn put_out(&self, id: &str, asked: &Asked, form: PostForm, reply: crate::chat::Reply) -> anyhow::Result<()> {
        self.store.put_out(&self.post_for(id, asked, form, reply), 0, now_ms()).await?;
        self.goes_out.notify_one();
        Ok(())
    }

    pub(super) fn post_for(&self, id: &str, asked: &Asked, form: PostForm, mut reply: crate::chat::Reply) -> Post {
        if asked.is_late && form == PostForm::Whole {
            reply.notices.push(sentences::LATE.to_owned());
        }
        let private_to = asked.private_to.clone().map(|address| (asked.asker.clone(), address));
        let place = asked.place.clone();
        Post { place, private_to, asker: Some(asked.asker.clone()), question: id.to_owned(), reply, form }
    }
}
