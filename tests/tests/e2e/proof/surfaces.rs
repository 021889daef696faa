//! Everything that the bot shows to anybody, one line each, with what somebody does to see it. A new surface joins here.

use runlore_bot::chat::{Button, Event, Incoming, PlaceKind, Way};

use super::script::{Author, Step, Whose, talk};
use super::world::CLOSED;

/// Writes the steps after which a surface is seen.
pub type Writes = fn(&mut Author);

/// All of them.
pub const SURFACES: &[(&str, Writes)] = &[
    ("an answer in a channel", |author| ask(author, Way::Mention)),
    ("an answer in a thread that goes on", |author| follow(author, Way::Mention)),
    ("an answer in a thread without the bot's name", |author| follow(author, Way::Overheard)),
    ("an answer in a thread whose id the others have too", thread_of_others),
    ("an answer in a thread below a message of the others", thread_below_others),
    ("an answer in direct messages", |author| ask(author, Way::Direct)),
    ("an answer to a command, for the asker alone", |author| ask(author, Way::Command)),
    ("an answer to a command, for all", |author| ask(author, Way::PublicCommand)),
    ("the card of a run that a message names", shortcut),
    ("an answer that comes late", late),
    ("an answer to a question in other words", edited),
    ("nothing, where a question is taken back", deleted),
    ("a refusal where nothing is set up", |author| elsewhere(author, "UNKNOWN")),
    ("a refusal where others read along", |author| elsewhere(author, "SHARED")),
    ("a refusal of a guest", guest),
    ("a sentence about nothing to stop", stop),
    ("a refusal to end a link that there is not", |author| typed(author, Way::Direct, "unlink")),
    ("a refusal to link where others read along", |author| typed(author, Way::Mention, "link")),
    ("a refusal of a code that nobody made", |author| typed(author, Way::Command, &format!("link {}", "0a".repeat(24)))),
    ("the details of an answer", |author| press(author, Button::Details)),
    ("the details of an answer of the others", |author| author.press(Button::Details, Whose::OfOthers)),
    ("the rest of an answer", |author| press(author, Button::More)),
    ("the rest of an answer of the others", |author| author.press(Button::More, Whose::OfOthers)),
    ("an answer that is shared", shared),
    ("an answer of the others that is shared", |author| author.press(Button::Share, Whose::OfOthers)),
    ("thanks", |author| press(author, Button::Useful)),
    ("the window for a reason", |author| press(author, Button::NotUseful)),
    ("a reason, taken in silence", reasoned),
    ("a deletion", |author| press(author, Button::Delete)),
    ("a deletion of what the others asked", |author| author.press(Button::Delete, Whose::OfOthers)),
    ("a stop that comes too late", |author| press(author, Button::Stop)),
    ("names for who types in a channel", |author| author.type_name(PlaceKind::Channel)),
    ("names for who types in direct messages", |author| author.type_name(PlaceKind::Direct)),
    ("the bot's page", home),
    ("the greeting of a channel", joined),
    ("examples for who opens the talk", talk_opened),
    ("an answer in the terminal", |author| {
        let text = author.question();
        author.then(Step::Ask(text));
    }),
    ("a brief in the terminal", |author| {
        let week = author.names.filled("{week}", &mut author.dice);
        author.then(Step::Brief(week));
    }),
    ("passages in the terminal", |author| {
        let text = author.question();
        author.then(Step::Search(text));
    }),
];

fn ask(author: &mut Author, way: Way) {
    let asked = author.asked(way);
    author.ask(asked);
}

fn follow(author: &mut Author, way: Way) {
    let last = author.last();
    let mut asked = author.asked(way);
    (asked.place, asked.asker) = (last.place, last.asker);
    author.ask(asked);
}

fn thread_of_others(author: &mut Author) {
    let mut asked = author.asked(Way::Mention);
    asked.place.thread = Some(format!("T{}", author.dice.below(2)));
    asked.text = (*author.dice.pick(&["and the worst?", "and the best val/loss?", "how many are there?", "why?"])).to_owned();
    author.ask(asked);
}

/// A message's id is its row's on paper, and so is a thread's that hangs below it.
fn thread_below_others(author: &mut Author) {
    let mut asked = author.asked(Way::Mention);
    let question = Incoming::message(talk(asked.place.platform, 0, "")).id();
    asked.place.thread = Some(runlore_bot::store::outbox_id(&question, 0));
    asked.text = (*author.dice.pick(&["and the worst?", "and the best val/loss?", "how many are there?"])).to_owned();
    author.ask(asked);
}

fn shortcut(author: &mut Author) {
    let mut asked = author.asked(Way::Shortcut);
    asked.text = author.names.filled("look at {run}, it is like {run} or {run}", &mut author.dice);
    author.ask(asked);
}

fn late(author: &mut Author) {
    let mut asked = author.asked(Way::Mention);
    asked.is_late = true;
    author.ask(asked);
}

fn edited(author: &mut Author) {
    let last = author.last();
    let text = author.question();
    author.happen("edited", Event::Edited { place: last.place, message: last.message, text });
}

fn deleted(author: &mut Author) {
    let last = author.last();
    author.happen("deleted", Event::Deleted { place: last.place, message: last.message });
}

fn elsewhere(author: &mut Author, channel: &str) {
    let mut asked = author.asked(Way::Mention);
    // Shared with another organisation, a channel of the settings is closed; one that they do not name always was.
    asked.place.channel = format!("{channel}{}", asked.place.channel);
    author.then(Step::Event(Incoming::message(asked)));
}

fn guest(author: &mut Author) {
    let mut asked = author.asked(Way::Mention);
    asked.asker = format!("GUEST{}", asked.asker);
    author.then(Step::Event(Incoming::message(asked)));
}

fn stop(author: &mut Author) {
    typed(author, Way::Mention, "stop");
}

fn typed(author: &mut Author, way: Way, text: &str) {
    let mut asked = author.asked(way);
    asked.text = text.to_owned();
    author.ask(asked);
}

fn press(author: &mut Author, button: Button) {
    author.press(button, Whose::Own);
}

fn shared(author: &mut Author) {
    ask(author, Way::Command);
    press(author, Button::Share);
}

fn reasoned(author: &mut Author) {
    let question = Incoming::message(author.last()).id();
    let (platform, _, person) = author.person_and_workspace();
    author.happen(
        "reason",
        Event::Reasoned { platform, person, question, reason: "wrong".to_owned(), note: "the others have it".to_owned() },
    );
}

fn home(author: &mut Author) {
    let (platform, workspace, person) = author.person_and_workspace();
    author.happen("home", Event::HomeOpened { platform, workspace, person });
}

fn joined(author: &mut Author) {
    let mut place = author.place(PlaceKind::Channel, None);
    if author.dice.is_in(20) {
        place.channel = format!("NOT{CLOSED}");
    }
    author.happen("joined", Event::Joined { place });
}

fn talk_opened(author: &mut Author) {
    let (place, (_, _, person)) = (author.place(PlaceKind::Direct, None), author.person_and_workspace());
    author.happen("talk", Event::TalkOpened { place, person });
}
