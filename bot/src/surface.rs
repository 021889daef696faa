//! Every kind of thing that the bot shows to somebody, and what the audit keeps of one: never its words.
//!
//! Two kinds are none of these. What a platform's adapter says at once to acknowledge an event (`Looking…`, the sign under a question) is
//! the same for everybody. And `status`, `doctor`, `verify`, `feedback` and `audit` tell who runs the program about the program.

use runlore_indexer::space::Audience;
use serde::{Deserialize, Serialize};

use crate::brief::Brief;
use crate::chat::{Answer, Asked, Basis, PlaceKind, Way};

/// A kind of thing that somebody is shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Surface {
    /// A whole answer, for all who read the channel or thread.
    #[default]
    Answer,
    /// The first version of an answer: its facts, while the model still reads them.
    Facts,
    /// A whole answer in direct messages.
    Direct,
    /// A whole answer in a channel, for who asked alone: to a slash command, or where it cannot be posted for all.
    Private,
    /// The card of the run that a message names, for who chose it in the message's menu alone.
    Shortcut,
    /// An answer that was asked for again by the button that shares it, for all who read the channel.
    Shared,
    /// A whole answer to what was asked while the bot was away.
    Late,
    /// Why something is not answered, or not shown any more.
    Refusal,
    /// That something of ours went wrong, with a reference id.
    Failure,
    /// How many questions go before.
    Waiting,
    /// What the bot says where it was added to a channel.
    Greeting,
    /// How an answer was looked up and every value in it, for who pressed the button.
    Details,
    /// What an answer's message had no room for, for who pressed the button.
    More,
    /// A sentence or a window of our own after a press or a word such as `stop`, the same whatever was read.
    Note,
    /// A code that links two accounts of one person, and what came of it; nothing of records.
    Link,
    /// Names for somebody who types. One row a minute says under which scope, and not which names.
    Completion,
    /// The bot's own page: how it is, and how much it has read.
    Home,
    /// Example questions, where somebody opens the talk with the bot.
    Offer,
    /// An answer in the terminal: `ask`, `chat`, `demo`.
    Ask,
    /// What `search` finds in the terminal.
    Search,
    /// What `runs` lists in the terminal.
    Runs,
    /// A brief that nobody asked for in a chat: in the terminal, or posted when it is due.
    Brief,
}

impl Surface {
    /// Every one.
    pub const ALL: [Self; 22] = [
        Self::Answer,
        Self::Facts,
        Self::Direct,
        Self::Private,
        Self::Shortcut,
        Self::Shared,
        Self::Late,
        Self::Refusal,
        Self::Failure,
        Self::Waiting,
        Self::Greeting,
        Self::Details,
        Self::More,
        Self::Note,
        Self::Link,
        Self::Completion,
        Self::Home,
        Self::Offer,
        Self::Ask,
        Self::Search,
        Self::Runs,
        Self::Brief,
    ];

    /// Its word in the audit.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Answer => "answer",
            Self::Facts => "facts",
            Self::Direct => "direct",
            Self::Private => "private",
            Self::Shortcut => "shortcut",
            Self::Shared => "shared",
            Self::Late => "late",
            Self::Refusal => "refusal",
            Self::Failure => "failure",
            Self::Waiting => "waiting",
            Self::Greeting => "greeting",
            Self::Details => "details",
            Self::More => "more",
            Self::Note => "note",
            Self::Link => "link",
            Self::Completion => "completion",
            Self::Home => "home",
            Self::Offer => "offer",
            Self::Ask => "ask",
            Self::Search => "search",
            Self::Runs => "runs",
            Self::Brief => "brief",
        }
    }

    /// Where the whole answer to a question of a platform is shown.
    pub fn of(asked: &Asked) -> Self {
        match asked.way {
            _ if asked.is_late => Self::Late,
            _ if asked.is_shared() => Self::Shared,
            Way::Shortcut => Self::Shortcut,
            _ if asked.place.kind == PlaceKind::Direct => Self::Direct,
            _ if asked.is_private() => Self::Private,
            _ => Self::Answer,
        }
    }
}

/// How something ended that somebody is shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was shown, and nothing ended with it.
    #[default]
    Shown,
    /// With an answer.
    Answered,
    /// With an answer that nothing was found.
    Abstained,
    /// Told why not.
    Refused,
    /// With a reference id.
    Failed,
}

impl Outcome {
    /// Its word in the audit.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Shown => "shown",
            Self::Answered => "answered",
            Self::Abstained => "abstained",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }

    fn of(answer: &Answer) -> Self {
        match (&answer.reference, answer.abstained) {
            (Some(_), _) => Self::Failed,
            (None, true) => Self::Abstained,
            (None, false) => Self::Answered,
        }
    }
}

/// What is kept of something that was shown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// What it was.
    pub surface: Surface,
    /// How it ended.
    pub outcome: Outcome,
    /// Who could see it; empty where nobody was admitted.
    pub audience: String,
    /// The id of the scope that it was made under; empty where nothing was read.
    pub scope: String,
    /// Every record that it named or took a value from, by its id: the audit is kept for good, and a name may be anybody's words.
    pub records: Vec<String>,
    /// The hashes of the prompts that the model was given for it, in order.
    pub prompts: Vec<String>,
}

impl Shown {
    /// A sentence of our own, for which nothing was read.
    pub fn plain(surface: Surface, outcome: Outcome) -> Self {
        Self { surface, outcome, ..Self::default() }
    }

    /// The facts of an answer.
    pub fn facts(audience: &Audience, scope: &str, basis: &Basis, prompts: &[String]) -> Self {
        let (audience, scope) = (audience.to_string(), scope.to_owned());
        let (records, prompts) = (basis.records.clone(), prompts.to_vec());
        Self { surface: Surface::Facts, outcome: Outcome::Shown, audience, scope, records, prompts }
    }

    /// A brief.
    pub fn brief(audience: &Audience, brief: &Brief) -> Self {
        Self {
            surface: Surface::Brief,
            outcome: if brief.is_empty { Outcome::Abstained } else { Outcome::Answered },
            audience: audience.to_string(),
            scope: brief.scope.clone(),
            records: brief.basis.records.clone(),
            prompts: brief.prompts.clone(),
        }
    }

    /// A whole answer.
    pub fn answer(surface: Surface, audience: &Audience, answer: &Answer) -> Self {
        Self {
            surface,
            outcome: Outcome::of(answer),
            audience: audience.to_string(),
            scope: answer.scope.clone(),
            records: answer.basis.records.clone(),
            prompts: answer.prompts.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::chat::{Place, Platform};

    #[test]
    fn each_kind_has_one_word() {
        for (i, surface) in Surface::ALL.iter().enumerate() {
            assert!(Surface::ALL[..i].iter().all(|other| other.as_str() != surface.as_str()), "{surface:?}");
            assert_eq!(serde_json::to_value(surface).unwrap(), surface.as_str());
        }
        for outcome in [Outcome::Shown, Outcome::Answered, Outcome::Abstained, Outcome::Refused, Outcome::Failed] {
            assert_eq!(serde_json::to_value(outcome).unwrap(), outcome.as_str());
        }
    }

    fn asked(kind: PlaceKind, way: Way, message: &str, private_to: Option<&str>) -> Asked {
        Asked {
            place: Place { platform: Platform::Slack, workspace: "T".to_owned(), channel: "C".to_owned(), kind, thread: None },
            message: message.to_owned(),
            asker: "U".to_owned(),
            text: "?".to_owned(),
            way,
            private_to: private_to.map(str::to_owned),
            follows: None,
            is_late: false,
        }
    }

    #[test]
    fn an_answer_is_shown_where_it_was_asked() {
        let of = |kind, way, message, private_to| Surface::of(&asked(kind, way, message, private_to));
        assert_eq!(of(PlaceKind::Channel, Way::Mention, "1", None), Surface::Answer);
        assert_eq!(of(PlaceKind::Channel, Way::PublicCommand, "command 1", Some("url")), Surface::Answer);
        assert_eq!(of(PlaceKind::Channel, Way::Command, "command 1", Some("url")), Surface::Private);
        assert_eq!(of(PlaceKind::Channel, Way::Shortcut, "command 1", Some("url")), Surface::Shortcut);
        assert_eq!(of(PlaceKind::Direct, Way::Direct, "1", None), Surface::Direct);
        assert_eq!(of(PlaceKind::Direct, Way::Command, "command 1", Some("url")), Surface::Direct);
        assert_eq!(of(PlaceKind::Channel, Way::Shortcut, "shared q t", None), Surface::Shared);
        let late = Asked { is_late: true, ..asked(PlaceKind::Direct, Way::Direct, "1", None) };
        assert_eq!(Surface::of(&late), Surface::Late);
    }
}
