//! Buttons. What a press carries was in the hands of who presses: it does something only where its question was asked, for whom the
//! answer was made, and for as long as it may still be meant. Whatever is not so reads like an answer with nothing behind it.

use super::sentences::{self, plain};
use super::{Service, now_ms};
use crate::chat::{Asked, Button, Event, Incoming, Place, PlaceKind, Platform, Press, Reply, SHARED, Way};
use crate::gate;
use crate::store::{Audited, Entry, Kept, MadeUnder, Verdict};
use crate::surface::{Outcome, Shown, Surface};
use runlore_indexer::leak;

/// A day, in milliseconds.
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// How long after its question an answer can be shared and taken away: later its words may mean something else ("last week"), and others
/// have read it and gone on from it.
const CHANGES_FOR_MS: i64 = DAY_MS;

/// How long it can be judged: later the judgement is of records that have moved on. A window that is open then can still be sent.
const JUDGED_FOR_MS: i64 = 7 * DAY_MS;
const REASON_FOR_MS: i64 = JUDGED_FOR_MS + DAY_MS;

impl Service {
    pub(super) async fn pressed(&self, press: &Press) -> anyhow::Result<()> {
        let under = match self.store.entry(&press.question).await? {
            Some(entry) => stands_under(entry, press),
            None => self.brief_under(press).await?,
        };
        let Some((asked, asked_ms)) = under else {
            return self.say(press, sentences::NOTHING_BEHIND).await;
        };
        if let Some(sentence) = refused(press, &asked, now_ms() - asked_ms) {
            return self.say(press, sentence).await;
        }
        match press.button {
            Button::Useful => {
                self.store.judge(&press.question, &press.person, Verdict::Useful, now_ms()).await?;
                self.say(press, sentences::THANKS).await
            }
            Button::NotUseful => {
                self.store.judge(&press.question, &press.person, Verdict::NotUseful, now_ms()).await?;
                self.ask_reason(press).await
            }
            Button::Details | Button::More => self.show_behind(press).await,
            Button::Share => self.share(press, &asked).await,
            Button::Stop if self.stop_answering(&press.question).await? => Ok(()),
            Button::Stop => self.say(press, sentences::ENDED_ALREADY).await,
            Button::Delete => self.cancel(&press.question).await,
        }
    }

    /// Keeps why an answer was not useful, of somebody who said that it was not, for as long as the answer can be judged.
    pub(super) async fn reasoned(&self, reasoned: &Reasoned<'_>) -> anyhow::Result<()> {
        let asked = match self.store.entry(reasoned.question).await? {
            Some(entry) => Some((entry.event.platform(), entry.received_ms)),
            None => self.store.brief_place(reasoned.question).await?.map(|(place, at_ms)| (place.platform, at_ms)),
        };
        let Some((platform, asked_ms)) = asked else { return Ok(()) };
        if now_ms() - asked_ms > REASON_FOR_MS || platform != reasoned.platform {
            return Ok(());
        }
        Ok(self.store.add_reason(reasoned.question, reasoned.person, reasoned.reason, reasoned.note).await?)
    }

    /// A brief reads like an answer to a question that nobody asked, where it is pressed in its own channel.
    async fn brief_under(&self, press: &Press) -> anyhow::Result<Option<(Asked, i64)>> {
        let Some((place, at_ms)) = self.store.brief_place(&press.question).await? else { return Ok(None) };
        if (place.platform, &place.channel) != (press.place.platform, &press.place.channel) {
            return Ok(None);
        }
        let (message, asker, text) = (String::new(), String::new(), String::new());
        let asked = Asked { place, message, asker, text, way: Way::Mention, private_to: None, follows: None, is_late: false };
        Ok(Some((asked, at_ms)))
    }

    /// What lies behind an answer, for the presser alone: only where the presser's place has the scope that it was made under, and that
    /// still holds what it rests on.
    async fn show_behind(&self, press: &Press) -> anyhow::Result<()> {
        match self.store.kept(&press.question).await? {
            Some(kept) if self.may_see(press, &kept).await => {
                let shown = shown_behind(press.button, &kept);
                let mut reply = behind(press.button, kept);
                reply.notices.extend(self.app.count_beyond("details.counts_all").await.map(|n| n.to_string()));
                self.whisper(press, reply, shown).await
            }
            _ => self.say(press, sentences::NOTHING_BEHIND).await,
        }
    }

    /// Whether who presses may see, where it is pressed, what was answered then: the same audience, with the same scope still, in which
    /// its records still stand.
    async fn may_see(&self, press: &Press, kept: &Kept) -> bool {
        if leak::is_seeded("details.unchecked") {
            return true;
        }
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
    async fn share(&self, press: &Press, asked: &Asked) -> anyhow::Result<()> {
        if asked.text.is_empty() {
            // Its words went with what it was about.
            return self.say(press, sentences::NOTHING_BEHIND).await;
        }
        // A second press asks anew; the same press delivered twice does not.
        let message = format!("{SHARED}{} {}", press.question, press.trigger);
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
        if !self.may_show(&audited(press, Shown::plain(Surface::Note, Outcome::Shown))).await {
            return Ok(());
        }
        if let Err(error) = messenger.ask_reason(&press.trigger, &press.question).await {
            tracing::warn!(%error, "cannot ask for a reason");
            return self.say(press, sentences::THANKS).await;
        }
        Ok(())
    }

    /// Shows a sentence of our own to who pressed.
    async fn say(&self, press: &Press, sentence: &str) -> anyhow::Result<()> {
        let beyond = self.app.count_beyond("note.counts_all").await.map(|n| n.to_string()).unwrap_or_default();
        self.whisper(press, plain(format!("{sentence}{beyond}")), Shown::plain(Surface::Note, Outcome::Shown)).await
    }

    /// Shows something to who pressed, once the audit has its row.
    async fn whisper(&self, press: &Press, reply: Reply, shown: Shown) -> anyhow::Result<()> {
        let Some(messenger) = self.messenger(press.place.platform) else { return Ok(()) };
        let reply = if self.may_show(&audited(press, shown)).await { reply } else { plain(sentences::CANNOT_NOTE) };
        if let Err(error) = messenger.whisper(press, &reply.without_secrets()).await {
            tracing::warn!(%error, "cannot answer a press");
        }
        Ok(())
    }
}

fn audited(press: &Press, shown: Shown) -> Audited {
    Audited::at(&press.place, &press.person, &press.question, shown)
}

fn shown_behind(button: Button, kept: &Kept) -> Shown {
    let surface = if button == Button::Details { Surface::Details } else { Surface::More };
    let (audience, scope, records) = (kept.audience.clone(), kept.scope.clone(), kept.basis.records.clone());
    Shown { audience, scope, records, ..Shown::plain(surface, Outcome::Shown) }
}

/// Why an answer was not useful, as the window says it.
pub(super) struct Reasoned<'a> {
    pub(super) platform: Platform,
    pub(super) person: &'a str,
    pub(super) question: &'a str,
    pub(super) reason: &'a str,
    pub(super) note: &'a str,
}

/// The question and when it came, where the press stands under its answer: in the place where it was asked, and by who asked it where
/// nobody else sees the answer.
fn stands_under(entry: Entry, press: &Press) -> Option<(Asked, i64)> {
    let Event::Asked(asked) = entry.event else { return None };
    if leak::is_seeded("press.of_any_channel") || leak::is_seeded("details.unchecked") {
        return Some((asked, entry.received_ms));
    }
    // What one person alone is shown in a channel may go on in direct messages.
    let is_own = press.place.kind == PlaceKind::Direct && asked.asker == press.person;
    let is_there = asked.place.platform == press.place.platform && (asked.place.channel == press.place.channel || is_own);
    let is_for_one = asked.is_private() || asked.place.kind == PlaceKind::Direct;
    (is_there && (!is_for_one || asked.asker == press.person)).then_some((asked, entry.received_ms))
}

/// Why a press does nothing: it is the asker's alone, or comes too long after the question. Stopping ends with the answer; what is read
/// can be read for as long as it is kept.
fn refused(press: &Press, asked: &Asked, age_ms: i64) -> Option<&'static str> {
    let is_askers = matches!(press.button, Button::Share | Button::Delete | Button::Stop);
    if is_askers && asked.asker != press.person {
        return Some(sentences::NOT_YOURS);
    }
    let (most_ms, sentence) = match press.button {
        Button::Share => (CHANGES_FOR_MS, sentences::TOO_OLD_TO_SHARE),
        Button::Delete => (CHANGES_FOR_MS, sentences::TOO_OLD_TO_DELETE),
        Button::Useful | Button::NotUseful => (JUDGED_FOR_MS, sentences::TOO_OLD_TO_JUDGE),
        Button::Details | Button::More | Button::Stop => return None,
    };
    (age_ms > most_ms).then_some(sentence)
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
