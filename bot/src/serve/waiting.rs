//! Questions between their admission and their turn: they wait, are told their place, change their words, are taken back.

use super::sentences::{self, plain};
use super::{Service, UnderWay, now_ms};
use crate::chat::{Asked, Event, Place, PlaceKind};
use crate::gate::Admitted;
use crate::store::{End, Ended, Entry, PostForm};
use crate::surface::{Outcome, Shown, Surface};
use runlore_indexer::leak;
use tokio_util::sync::CancellationToken;

impl Service {
    /// Shows that the question was seen, and lets it wait for its turn.
    pub(super) async fn let_wait(&self, entry: &Entry, asked: Asked, admitted: Admitted) -> anyhow::Result<()> {
        let cancel = CancellationToken::new();
        let question = UnderWay { asked: asked.clone(), admitted, told_before: None, cancel, received_ms: entry.received_ms };
        self.under_way().insert(entry.id.clone(), question);
        // It may have been taken back or reworded since it was read.
        match self.store.open_entry(&entry.id).await? {
            Some(Entry { event: Event::Asked(now), .. }) => {
                self.under_way().get_mut(&entry.id).into_iter().for_each(|question| question.asked = now.clone());
            }
            _ => {
                self.under_way().remove(&entry.id);
                return Ok(());
            }
        }
        let pushed = {
            let _one_after_another = self.telling.lock().await;
            let pushed = self.queue().push(&asked.asker, &entry.id);
            if let Ok(n_before) = pushed {
                let n_busy = usize::from(self.gauges.n_answering.get() >= self.settings.at_once as i64);
                self.to_work.notify_one();
                self.say_place(&entry.id, &asked, n_before + n_busy).await;
            }
            pushed
        };
        match pushed {
            Err(full) => self.refuse(&entry.id, &asked, sentences::busy(full)).await,
            Ok(_) => {
                if let Some(messenger) = self.messenger(asked.place.platform) {
                    messenger.show_seen(&asked).await;
                }
            }
        }
        Ok(())
    }

    /// Ends a question under way with a sentence.
    pub(super) async fn refuse(&self, id: &str, asked: &Asked, sentence: &str) {
        self.under_way().remove(id);
        self.gauges.n_refused.inc();
        self.conclude_plainly(id, asked, &Ended { end: End::Refused, reference: None }, sentence).await;
    }

    /// Tells how many go before, where some do. A comfort.
    async fn say_place(&self, id: &str, asked: &Asked, n_before: usize) {
        if n_before == 0 {
            return;
        }
        self.under_way().get_mut(id).into_iter().for_each(|question| question.told_before = Some(n_before));
        let mean_ms = self.store.mean_answer_ms().await.unwrap_or_default().map(|ms| ms / self.settings.at_once as i64);
        let mut sentence = sentences::waiting(n_before, mean_ms);
        if leak::is_seeded("waiting.names_others") {
            self.under_way().values().for_each(|other| sentence.push_str(&other.asked.text));
        }
        let shown = Shown { audience: self.audience_under_way(id), ..Shown::plain(Surface::Waiting, Outcome::Shown) };
        let post = self.post_for(id, asked, PostForm::Waiting, plain(sentence), shown);
        if let Err(error) = self.put_out(&post).await {
            tracing::warn!(question.id = id, "cannot say how many go before: {error:#}");
        }
    }

    /// Tells those that wait and have come forward a good deal since it was told: half of the way, or to the head of the line.
    pub(super) async fn tell_places(&self) {
        let _one_after_another = self.telling.lock().await;
        let places = self.queue().places();
        let n_busy = self.settings.at_once;
        let mut moved = Vec::new();
        for (id, n_waiting) in places {
            let mut under_way = self.under_way();
            let Some(question) = under_way.get_mut(&id) else { continue };
            if question.told_before.is_some_and(|told| 2 * (n_waiting + n_busy) <= told) {
                moved.push((id, question.asked.clone(), n_waiting + n_busy));
            }
        }
        for (id, asked, n_before) in moved {
            self.say_place(&id, &asked, n_before).await;
        }
    }

    /// Stops what this person asked in this thread and is not answered yet; whether there was anything.
    pub(super) async fn stop_in(&self, asked: &Asked) -> anyhow::Result<bool> {
        let is_meant = |other: &UnderWay| {
            let place = &other.asked.place;
            let same =
                place.channel == asked.place.channel && (place.thread == asked.place.thread || asked.place.kind == PlaceKind::Direct);
            same && other.asked.asker == asked.asker
        };
        let meant: Vec<String> = self.under_way().iter().filter(|(_, other)| is_meant(other)).map(|(id, _)| id.clone()).collect();
        let mut is_any = false;
        for id in &meant {
            is_any |= self.stop_answering(id).await?;
        }
        Ok(is_any)
    }

    /// Ends a question that is yet to be answered, and takes away what stands there of it; an answer that came just before stays. Whether
    /// it was yet to be answered.
    pub(super) async fn stop_answering(&self, question: &str) -> anyhow::Result<bool> {
        let was_open = self.store.cancel(question, now_ms()).await?;
        if was_open {
            self.cancel(question).await?;
        }
        Ok(was_open)
    }

    /// A question that has other words now is answered in its new form, if it is not answered yet.
    pub(super) async fn reword(&self, place: &Place, message: &str, text: &str) -> anyhow::Result<()> {
        let Some((entry, true)) = self.store.question_of(place.platform, &place.channel, message).await? else { return Ok(()) };
        let Event::Asked(asked) = entry.event else { return Ok(()) };
        if asked.text == text {
            return Ok(());
        }
        if let Err(refusal) = super::intake::check_words(text) {
            self.queue().remove(&entry.id);
            if let Some(question) = self.under_way().remove(&entry.id) {
                question.cancel.cancel();
            }
            self.refuse(&entry.id, &asked, &refusal.to_string()).await;
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
    pub(super) async fn take_back(&self, place: &Place, message: &str) -> anyhow::Result<()> {
        if let Some((entry, _)) = self.store.question_of(place.platform, &place.channel, message).await? {
            self.cancel(&entry.id).await?;
        }
        Ok(())
    }

    /// Ends a question without an answer, and takes away what stands there of it.
    pub(super) async fn cancel(&self, question: &str) -> anyhow::Result<()> {
        self.store.cancel(question, now_ms()).await?;
        self.queue().remove(question);
        let under_way = self.under_way().remove(question);
        if let Some(under_way) = under_way {
            under_way.cancel.cancel();
            if let Some(messenger) = self.messenger(under_way.asked.place.platform).cloned() {
                tokio::spawn(async move { messenger.hide_seen(&under_way.asked).await });
            }
        }
        self.store.take_away(question, now_ms()).await?;
        self.goes_out.notify_one();
        Ok(())
    }
}
