//! Accounts on the two platforms that are one person's. A code that was asked for on the one is typed on the other, and both are told: what
//! the settings give the first in direct messages holds for the second too. Not the other way round: who is talked into typing somebody's
//! code gives nothing away. Names count for nothing, and nothing happens where others read.

use super::sentences::{self, plain};
use super::{Service, now_ms};
use crate::chat::{Account, Asked, Event, Place, PlaceKind, Way};
use crate::gate;
use crate::refusal::Refusal;
use crate::store::{End, Ended, Entry, LinkCode, Linking, PostForm, is_code};
use crate::surface::{Outcome, Shown, Surface};

/// What somebody wants with two accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish<'a> {
    /// A code to type on the other platform.
    Code,
    /// To be one with who asked for this code there.
    Join(&'a str),
    /// To end it.
    Part,
}

/// The wish that was typed; none where it is a question. What a message says that somebody points at is nobody's wish.
pub(super) fn wish(asked: &Asked) -> Option<Wish<'_>> {
    if asked.way == Way::Shortcut {
        return None;
    }
    let words: Vec<&str> = asked.text.split_whitespace().map(|word| word.trim_matches(['`', '.', '!'])).collect();
    let is = |word: &str, command: &str| word.eq_ignore_ascii_case(command);
    match words[..] {
        [word] if is(word, "link") => Some(Wish::Code),
        [word] if is(word, "unlink") => Some(Wish::Part),
        [word, code] if is(word, "link") && (is_alone(asked) || is_code(code)) => Some(Wish::Join(code)),
        _ => None,
    }
}

/// Whether nobody else sees what is typed and what is answered.
fn is_alone(asked: &Asked) -> bool {
    asked.place.kind == PlaceKind::Direct || asked.is_private()
}

impl Service {
    /// Does what was wished, and says what came of it.
    pub(super) async fn take_wish(&self, entry: &Entry, asked: &Asked, wish: Wish<'_>) -> anyhow::Result<()> {
        let said = match self.may_link(asked).await {
            Ok(()) => self.grant(entry, asked, wish).await?,
            Err(refusal) => Err(refusal),
        };
        // What others have read links nobody.
        if let (Wish::Join(code), false) = (wish, is_alone(asked))
            && let Some(code) = self.store.link_code(code).await?
        {
            self.store.spend_link_code(&code, &entry.id).await?;
        }
        let (end, outcome, sentence) = match said {
            Ok(sentence) => (End::Answered, Outcome::Shown, sentence),
            Err(refusal) => {
                self.gauges.n_refused.inc();
                (End::Refused, Outcome::Refused, refusal.to_string())
            }
        };
        let (ended, shown) = (Ended { end, reference: None }, Shown::plain(Surface::Link, outcome));
        self.conclude_saying(&entry.id, asked, &ended, &sentence, shown).await;
        Ok(())
    }

    /// Whether somebody may link accounts here: alone, as a member of the team, and not too often.
    async fn may_link(&self, asked: &Asked) -> Result<(), Refusal> {
        if !is_alone(asked) {
            return Err(Refusal::new(sentences::LINK_ALONE).with_hint(sentences::CODE_SEEN));
        }
        let person = self.circumstances(&asked.place, &asked.asker).await?.person;
        if person.is_guest || person.is_stranger || person.is_bot {
            return Err(Refusal::new(sentences::MEMBERS_LINK));
        }
        self.limits().take(&asked.asker, &asked.place)
    }

    async fn grant(&self, entry: &Entry, asked: &Asked, wish: Wish<'_>) -> anyhow::Result<Result<String, Refusal>> {
        let (account, other) = (Account::at(&asked.place, &asked.asker), asked.place.platform.other());
        match wish {
            Wish::Part => Ok(match self.store.unlink(&account).await? {
                Some(other) => Ok(sentences::unlinked(&other)),
                None => Err(Refusal::new(sentences::NOT_LINKED)),
            }),
            _ if self.messenger(other).is_none() => Ok(Err(Refusal::new(sentences::not_there(other)))),
            Wish::Code => Ok(match self.store.linked(&account).await? {
                Some(other) => Err(Refusal::new(sentences::linked_already(&other))),
                None => Ok(sentences::link_code(&self.store.make_link_code(&account, &entry.id, entry.received_ms).await?, other)),
            }),
            Wish::Join(code) => self.join(entry, &account, code).await,
        }
    }

    async fn join(&self, entry: &Entry, account: &Account, code: &str) -> anyhow::Result<Result<String, Refusal>> {
        let refused = |sentence: &str| Ok(Err(Refusal::new(sentence)));
        let Some(code) = self.store.link_code(code).await? else { return refused(sentences::NO_SUCH_CODE) };
        if !code.spent_by.is_empty() && code.spent_by != entry.id {
            return refused(sentences::CODE_USED);
        }
        if code.until_ms < entry.received_ms {
            return refused(sentences::CODE_TOO_OLD);
        }
        if code.asker.platform == account.platform {
            return refused(&sentences::code_for(account.platform.other()));
        }
        let access = self.app.access();
        let named = (gate::named(&code.asker, &access), gate::named(account, &access));
        match named {
            (Some(one), Some(other)) if one != other => return refused(sentences::TWO_PEOPLE),
            (None, Some(_)) => return refused(&sentences::begin_here(code.asker.platform)),
            _ => {}
        }
        match self.store.link(&code, account, &entry.id, now_ms()).await? {
            Linking::Spent => refused(sentences::CODE_USED),
            Linking::Taken => refused(sentences::LINKED_ELSEWHERE),
            Linking::Linked => {
                self.tell_asker(&code, account).await?;
                Ok(Ok(sentences::linked_to(&code.asker)))
            }
        }
    }

    /// Tells who asked for a code, where it was asked for, with whom that is one person now.
    async fn tell_asker(&self, code: &LinkCode, account: &Account) -> anyhow::Result<()> {
        let Some(Entry { event: Event::Asked(asked), .. }) = self.store.entry(&code.question).await? else { return Ok(()) };
        let shown = Shown::plain(Surface::Link, Outcome::Shown);
        let id = format!("{} linked", code.question);
        let post = self.post_for(&id, &asked, PostForm::Whole, plain(sentences::linked_by(account)), shown);
        self.store.put_out(&post, now_ms()).await?;
        self.goes_out.notify_one();
        Ok(())
    }

    /// The account on the other platform whose code was typed by who is at a place; none where others read along.
    ///
    /// # Errors
    /// Where the state does not tell.
    pub(super) async fn linked_with(&self, place: &Place, person: &str) -> Result<Option<Account>, Refusal> {
        if place.kind != PlaceKind::Direct || person.is_empty() {
            return Ok(None);
        }
        self.store.joined(&Account::at(place, person)).await.map_err(|error| {
            tracing::warn!(%error, "cannot tell which accounts are one person's");
            Refusal::new(sentences::CANNOT_TELL)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::Platform;

    fn asked(kind: PlaceKind, way: Way, text: &str) -> Asked {
        let place = Place { platform: Platform::Slack, workspace: "T".to_owned(), channel: "C".to_owned(), kind, thread: None };
        let private_to = matches!(way, Way::Command | Way::PublicCommand | Way::Shortcut).then(|| "address".to_owned());
        let (message, asker, text) = ("1".to_owned(), "U".to_owned(), text.to_owned());
        Asked { place, message, asker, text, way, private_to, follows: None, is_late: false }
    }

    #[test]
    fn a_wish_is_typed_and_nothing_else() {
        let code = "0a".repeat(24);
        let direct = |text: &str| wish(&asked(PlaceKind::Direct, Way::Direct, text)).map(|wish| format!("{wish:?}"));
        assert_eq!(direct(" Link "), Some("Code".to_owned()));
        assert_eq!(direct("unlink."), Some("Part".to_owned()));
        assert_eq!(direct(&format!("link `{code}`")), Some(format!("Join({code:?})")));
        assert_eq!(direct("link abc"), Some("Join(\"abc\")".to_owned()));
        for question in ["", "link this run to the baseline", "which runs link to it?", "unlink it now"] {
            assert_eq!(direct(question), None, "{question}");
        }
        let link = format!("link {code}");
        let in_channel = |way: Way, text: &str| wish(&asked(PlaceKind::Channel, way, text)).is_some();
        assert!(in_channel(Way::Mention, &link) && in_channel(Way::Command, "link abc") && !in_channel(Way::Mention, "link abc"));
        assert!(!in_channel(Way::Shortcut, &link), "somebody else's words");
        let alone = |way: Way| is_alone(&asked(PlaceKind::Channel, way, &link));
        assert!(alone(Way::Command) && !alone(Way::Mention) && !alone(Way::PublicCommand));
    }
}
