//! What the service says by itself, in one place, so that it can be read as a whole.

use jiff::Zoned;
use runlore_indexer::record::RecordKind;

use crate::chat::{Account, Platform, Reply};

/// Missed briefs that are named, at most.
const MAX_MISSED: usize = 4;

/// A reply of one sentence or two.
pub(super) fn plain(sentence: impl Into<String>) -> Reply {
    Reply { headline: sentence.into(), ..Reply::default() }
}

/// Nothing was asked.
pub(super) const EMPTY: &str = "You called me without a question. Ask in your own words, such as \"what was the best run last week?\"; `help` shows what can be typed.";

/// Longest question, in characters.
pub(super) const MAX_QUESTION: usize = 4_000;

/// The question is longer than that.
pub(super) fn too_long(n_characters: usize) -> String {
    format!(
        "This is {n_characters} characters long; I read questions of up to {MAX_QUESTION}. Put the question itself into a message of its own."
    )
}

/// Too many wait.
pub(super) fn busy(full: super::Full) -> &'static str {
    match full {
        super::Full::OfAsker => "I am still at your other questions; ask this again when they are answered.",
        super::Full::InAll => "I am busy: too many questions are waiting. Ask again in a few minutes.",
    }
}

/// The question waits.
pub(super) fn waiting(n_before: usize, mean_answer_ms: Option<i64>) -> String {
    let ahead = match n_before {
        1 => "One question is before yours".to_owned(),
        n => format!("{n} questions are before yours"),
    };
    match mean_answer_ms.map(|ms| (ms * (n_before as i64 + 1) + 999) / 1_000) {
        Some(seconds) => format!("{ahead}; I should be there in about {}.", span(seconds)),
        None => format!("{ahead}."),
    }
}

fn span(seconds: i64) -> String {
    match seconds {
        ..=1 => "a second".to_owned(),
        2..=90 => format!("{seconds} seconds"),
        _ => format!("{} minutes", (seconds + 59) / 60),
    }
}

/// Something of ours went wrong.
pub(super) fn failed(reference: &str) -> String {
    format!("Something went wrong on my side; the log has the reason under {reference}. You can ask again.")
}

/// The platform does not say who asks or who listens.
pub(super) const CANNOT_TELL: &str = "I cannot see right now who would read the answer, so I do not give one. Ask again in a minute.";

/// A picture cannot be shown to one person alone in a channel.
pub(super) const NO_PICTURE_HERE: &str = "There is a chart too; ask in a direct message or by mentioning me to see it.";

/// Found after having been away.
pub(super) const LATE: &str = "This was asked while I was away.";

/// Somebody typed a secret; the terminal says the same.
pub(super) use crate::chat::clean::TOOK_SECRET;

/// What was typed, where the answer alone is seen.
pub(super) fn asked_by_command(text: &str) -> String {
    let shown: String = text.chars().take(300).collect();
    format!("Asked with /runlore: {shown}")
}

/// A reply cannot be posted in the channel.
pub(super) const CANNOT_POST_HERE: &str = "I cannot post in this channel, so only you see this. Invite me to it, and ask again.";

/// The bot was added to a channel that it knows.
pub(super) fn greeting(name: &str) -> String {
    format!(
        "Hello, I am Runlore: I have read this team's runs, notes and pulls, and answer questions about them here.\n\
         Mention me with a question, such as \"{name} what was the best run last week?\"; `help` shows what can be typed."
    )
}

/// A button on a reply that is not the presser's own.
pub(super) const NOT_YOURS: &str = "Only who asked can do that.";

/// A press that comes too long after its question.
pub(super) const TOO_OLD_TO_SHARE: &str = "This was asked more than a day ago, and its answer may be another by now. Ask it again here.";
pub(super) const TOO_OLD_TO_DELETE: &str =
    "This was asked more than a day ago, and others may go by it. Delete the message that asked, and the answer goes with it.";
pub(super) const TOO_OLD_TO_JUDGE: &str = "This was asked more than a week ago. Ask it again, and tell me of the new answer.";

/// Stopping what has ended.
pub(super) const ENDED_ALREADY: &str = "This is answered already; `Delete` takes the answer away.";

/// Nothing of the asker's is under way.
pub(super) const NOTHING_TO_STOP: &str = "There is nothing of yours to stop.";

/// A message could not be made.
pub(super) const CANNOT_SHOW: &str = "I have an answer, but it cannot be shown here; the log has the reason.";

/// Who may read changed since the answer was made.
pub(super) const NO_LONGER: &str =
    "Who can read here, or what may be read here, changed while I answered, so I do not show the answer. You can ask again.";

/// The same of a brief.
pub(super) const NO_BRIEF: &str =
    "Who can read here, or what may be read here, changed while I wrote the brief, so I do not show it. `brief` asks for it.";

/// The brief comes late.
pub(super) fn brief_is_late(due: &Zoned, late_ms: i64) -> String {
    let minutes = late_ms / 60_000;
    let late = if minutes < 90 { format!("{minutes} minutes") } else { format!("{} hours", (minutes + 30) / 60) };
    format!("This brief comes {late} late; it was due on {}.", moment(due))
}

/// Briefs of these weeks were not posted; the last few are named.
pub(super) fn briefs_were_missed(weeks: &[String]) -> Option<String> {
    let named = &weeks[weeks.len().saturating_sub(MAX_MISSED)..];
    let earlier = weeks.len() - named.len();
    let before = if earlier > 0 { format!("{earlier} earlier ones and ") } else { String::new() };
    (!named.is_empty()).then(|| format!("I was away, or could not post, when these briefs were due: {before}{}.", named.join(", ")))
}

/// A test of the brief's way.
pub(super) fn test_brief(channel: &str, next: Option<&Zoned>) -> String {
    let next = match next {
        Some(next) => format!("The next brief comes on {}.", moment(next)),
        None => format!("No brief comes by itself yet: `[channels.{channel}]` of my settings has no `brief`."),
    };
    format!("This is a test: the weekly brief of `{channel}` arrives here. {next}")
}

/// A moment as a zone's clock shows it.
fn moment(at: &Zoned) -> String {
    let zone = at.time_zone().iana_name().unwrap_or("UTC");
    format!("{} ({zone})", at.strftime("%A, %Y-%m-%d at %H:%M"))
}

/// Thanks.
pub(super) const THANKS: &str = "Thank you, noted.";

/// The audit cannot be written.
pub(super) const CANNOT_NOTE: &str = "I cannot show this right now. Try again in a minute.";

/// What stood behind a button is not there.
pub(super) const NOTHING_BEHIND: &str = "There is nothing more to this answer.";

/// How the service is.
pub(super) const WELL: &str = "All is well.";
pub(super) const WITHOUT_MODEL: &str = "The model is away: facts answer alone.";
pub(super) const CATALOG_AWAY: &str = "What I have read cannot be reached right now.";
pub(super) const NOTHING_READ: &str = "There is nothing here that I have read and you may see.";

/// How many questions wait; nothing where none does.
pub(super) fn n_waiting(n: usize) -> Option<String> {
    match n {
        0 => None,
        1 => Some("One question is waiting.".to_owned()),
        n => Some(format!("{n} questions are waiting.")),
    }
}

/// How many records of each kind were read.
pub(super) fn has_read(read: &[(RecordKind, u64)]) -> String {
    if read.is_empty() {
        return NOTHING_READ.to_owned();
    }
    let of = |(kind, n): &(RecordKind, u64)| if *n == 1 { format!("1 {}", kind.as_str()) } else { format!("{n} {}s", kind.as_str()) };
    let read: Vec<String> = read.iter().map(of).collect();
    format!("For our direct messages I have read {}.", read.join(", "))
}

/// Of accounts on two platforms that are one person's.
pub(super) const LINK_ALONE: &str = "Type this in a direct message to me, where nobody else reads along.";
pub(super) const CODE_SEEN: &str = "A code that was typed where others read it is of no use any more.";
pub(super) const MEMBERS_LINK: &str = "Only members of the team can link their accounts.";
pub(super) const NOT_LINKED: &str = "Your account here is linked with none; `link` begins it.";
pub(super) const NO_SUCH_CODE: &str =
    "I made no such code. Type `link` in a direct message to me on the other platform, and copy all of it.";
pub(super) const CODE_USED: &str = "This code was used already. Type `link` on the other platform for a new one.";
pub(super) const CODE_TOO_OLD: &str = "This code is more than ten minutes old. Type `link` on the other platform for a new one.";
pub(super) const TWO_PEOPLE: &str = "My settings name these two accounts as two people's, so I do not link them.";
pub(super) const LINKED_ELSEWHERE: &str = "One of these two accounts is linked with another one already; `unlink` there ends that.";

/// The code, for who asked for it.
pub(super) fn link_code(code: &str, on: Platform) -> String {
    format!(
        "Type `link {code}` in a direct message to me on {} within ten minutes. Whoever types it there reads what you may: show it to \
         nobody.",
        on.name()
    )
}

/// The other platform is none of ours.
pub(super) fn not_there(other: Platform) -> String {
    format!("I am not on {} here, so there is nothing to link.", other.name())
}

/// A code that was typed where it was made.
pub(super) fn code_for(other: Platform) -> String {
    format!("This code is for {}: type it in a direct message to me there.", other.name())
}

/// Told to who typed a code.
pub(super) fn linked_to(asker: &Account) -> String {
    format!(
        "You and {} are one person for me now: what my settings let that account read in direct messages, you may read here. If that is not \
         you, type `unlink`.",
        shown(asker)
    )
}

/// Told to who asked for it.
pub(super) fn linked_by(other: &Account) -> String {
    format!(
        "You and {} are one person for me now: what my settings let you read in direct messages, that account may read there. If that is not \
         you, type `unlink`.",
        shown(other)
    )
}

/// A code of an account that the settings do not name, typed on one that they name.
pub(super) fn begin_here(other: Platform) -> String {
    format!("My settings name your account here, so begin here: type `link` to me, and what I answer on {}.", other.name())
}

/// A second link.
pub(super) fn linked_already(other: &Account) -> String {
    format!("You are linked with {} already; `unlink` ends that.", shown(other))
}

/// The end of it.
pub(super) fn unlinked(other: &Account) -> String {
    format!("You and {} are two people for me again.", shown(other))
}

/// An account, by its id: names are anybody's.
fn shown(account: &Account) -> String {
    format!("`{}` on {}", account.person, account.platform.name())
}
