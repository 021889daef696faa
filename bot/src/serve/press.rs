//! Buttons.

use super::sentences::{self, plain};
use super::{Service, now_ms};
use crate::chat::{Asked, Button, Event, Incoming, Place, Press, Reply, Way};
use crate::gate;
use crate::store::{Entry, Kept, MadeUnder, Verdict};

impl Service {
    pub(super) async fn pressed(&self, press: &Press) -> anyhow::Result<()> {
        let Some(entry) = self.store.entry(&press.question).await? else {
            return self.whisper(press, plain(sentences::NOTHING_BEHIND)).await;
        };
        match press.button {
            Button::Useful => {
                self.store.judge(&press.question, &press.person, Verdict::Useful, now_ms()).await?;
                self.whisper(press, plain(sentences::THANKS)).await
            }
            Button::NotUseful => {
                self.store.judge(&press.question, &press.person, Verdict::NotUseful, now_ms()).await?;
                self.ask_reason(press).await
            }
            Button::Details | Button::More => self.show_behind(press).await,
            Button::Share => self.share(press, &entry).await,
            Button::Delete | Button::Stop if entry.event.person() != press.person => self.whisper(press, plain(sentences::NOT_YOURS)).await,
            Button::Stop if !self.under_way().contains_key(&press.question) => self.whisper(press, plain(sentences::ENDED_ALREADY)).await,
            Button::Delete | Button::Stop => self.cancel(&press.question).await,
        }
    }

    /// What lies behind an answer, for the presser alone: only where the presser's place has the scope that it was made under, and that
    /// still holds what it rests on.
    async fn show_behind(&self, press: &Press) -> anyhow::Result<()> {
        let reply = match self.store.kept(&press.question).await? {
            Some(kept) if self.may_see(press, &kept).await => behind(press.button, kept),
            _ => plain(sentences::NOTHING_BEHIND),
        };
        self.whisper(press, reply).await
    }

    /// Whether who presses may see, where it is pressed, what was answered then: the same audience, with the same scope still, in which
    /// its records still stand.
    async fn may_see(&self, press: &Press, kept: &Kept) -> bool {
        let Ok(circumstances) = self.circumstances(&press.place, &press.person).await else { return false };
        let access = self.app.access();
        let Ok(audience) = gate::audience_of(&press.place, &press.person, &circumstances, &access) else { return false };
        let under = MadeUnder { audience: kept.audience.clone(), scope: kept.scope.clone(), basis: kept.basis.clone() };
        let stands = self.stands(&under).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "cannot tell whether an answer still stands");
            false
        });
        kept.audience == audience.to_string() && stands
    }

    /// Asks the same again for the channel, under its scope; what was shown to one person is never posted again as it is.
    async fn share(&self, press: &Press, entry: &Entry) -> anyhow::Result<()> {
        let Event::Asked(asked) = &entry.event else { return Ok(()) };
        if asked.text.is_empty() {
            // Its words went with what it was about.
            return self.whisper(press, plain(sentences::NOTHING_BEHIND)).await;
        }
        // A second press asks anew; the same press delivered twice does not.
        let message = format!("shared {} {}", entry.id, press.trigger);
        let shared = Asked {
            message,
            asker: press.person.clone(),
            way: if asked.way == Way::Shortcut { Way::Shortcut } else { Way::Mention },
            private_to: None,
            follows: None,
            is_late: false,
            place: Place { thread: None, ..press.place.clone() },
            ..asked.clone()
        };
        self.take_in(&Incoming::message(shared)).await?;
        Ok(())
    }

    async fn ask_reason(&self, press: &Press) -> anyhow::Result<()> {
        let Some(messenger) = self.messenger(press.place.platform) else { return Ok(()) };
        if let Err(error) = messenger.ask_reason(&press.trigger, &press.question).await {
            tracing::warn!(%error, "cannot ask for a reason");
            return self.whisper(press, plain(sentences::THANKS)).await;
        }
        Ok(())
    }

    async fn whisper(&self, press: &Press, reply: Reply) -> anyhow::Result<()> {
        let Some(messenger) = self.messenger(press.place.platform) else { return Ok(()) };
        if let Err(error) = messenger.whisper(press, &reply).await {
            tracing::warn!(%error, "cannot answer a press");
        }
        Ok(())
    }
}

fn behind(button: Button, kept: Kept) -> Reply {
    match button {
        Button::Details => Reply {
            headline: "How this was looked up, and every value in it:".to_owned(),
            lines: kept.details,
            citations: kept.reply.citations,
            ..Reply::default()
        },
        _ => kept.reply,
    }
}
