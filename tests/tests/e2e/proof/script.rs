//! Scripts: what somebody does on one platform in one channel and in direct messages, step by step, the same in both worlds.

use runlore_bot::chat::{Asked, Button, Event, Incoming, Place, PlaceKind, Platform, Press, Way};
use runlore_bot::serve::Named;
use runlore_tests::dice::Dice;

use super::surfaces::SURFACES;
use super::words::Names;
use super::world::{BOSS, CLOSED, on};

/// One thing that is done.
#[derive(Debug, Clone)]
pub enum Step {
    /// Something that the platform tells.
    Event(Incoming),
    /// Somebody types a name.
    Type { place: Place, person: String, named: Named, typed: String },
    /// Whoever runs the program asks as in the channel.
    Ask(String),
    /// The same with the brief of a week.
    Brief(String),
    /// The same with a search.
    Search(String),
}

/// What one script does, in order.
#[derive(Debug, Clone)]
pub struct Script {
    /// Its number among those of its world, which its channel and person have too.
    pub number: usize,
    pub platform: Platform,
    pub steps: Vec<Step>,
}

/// Writes a script.
pub struct Author<'a> {
    pub dice: Dice,
    pub names: &'a Names,
    number: usize,
    platform: Platform,
    steps: Vec<Step>,
    /// The last question in the channel.
    last: Option<Asked>,
}

/// Whose question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// The last one of this script.
    Own,
    /// One that the others asked in their channel.
    OfOthers,
}

/// The script of a case: every surface has its turn as the first, others follow.
pub fn script(number: usize, seed: u64, names: &Names) -> Script {
    let mut dice = Dice::new(seed);
    let platform = *dice.pick(&Platform::ALL);
    let mut author = Author { dice, names, number, platform, steps: Vec::new(), last: None };
    (SURFACES[number % SURFACES.len()].1)(&mut author);
    for _ in 0..author.dice.below(3) {
        let (_, write) = *author.dice.pick(SURFACES);
        write(&mut author);
    }
    Script { number, platform, steps: author.steps }
}

impl Author<'_> {
    fn channel(&self) -> String {
        on(self.platform, &format!("C{}", self.number))
    }

    fn person(&self) -> String {
        on(self.platform, &format!("U{}", self.number))
    }

    fn next_message(&self) -> String {
        format!("{}.{}", 1_000 + self.number, self.steps.len())
    }

    pub fn place(&self, kind: PlaceKind, thread: Option<String>) -> Place {
        let channel = if kind == PlaceKind::Direct { on(self.platform, &format!("D{}", self.number)) } else { self.channel() };
        Place { platform: self.platform, workspace: "T1".to_owned(), channel, kind, thread }
    }

    pub fn question(&mut self) -> String {
        self.names.question(&mut self.dice)
    }

    /// A question in the channel.
    pub fn asked(&mut self, way: Way) -> Asked {
        let message = self.next_message();
        let place = self.place(if way == Way::Direct { PlaceKind::Direct } else { PlaceKind::Channel }, Some(message.clone()));
        // Who may read more than the channel gets there what the channel gets.
        let asker = if self.dice.is_in(25) && way != Way::Direct { on(self.platform, BOSS) } else { self.person() };
        let private = matches!(way, Way::Command | Way::PublicCommand | Way::Shortcut);
        let private_to = private.then(|| format!("address {}", self.steps.len()));
        Asked { place, message, asker, text: self.question(), way, private_to, follows: None, is_late: false }
    }

    pub fn ask(&mut self, asked: Asked) {
        if asked.place.kind == PlaceKind::Channel {
            self.last = Some(asked.clone());
        }
        self.steps.push(Step::Event(Incoming::message(asked)));
    }

    /// The last question of this script, asked now where there is none.
    pub fn last(&mut self) -> Asked {
        if self.last.is_none() {
            let asked = self.asked(Way::Mention);
            self.ask(asked);
        }
        self.last.clone().unwrap()
    }

    pub fn press(&mut self, button: Button, whose: Whose) {
        let last = self.last();
        let question = match whose {
            Whose::Own => Incoming::message(last.clone()).id(),
            Whose::OfOthers => Incoming::message(talk(self.platform, 0, "")).id(),
        };
        let trigger = format!("{} {} {}", self.channel(), self.steps.len(), button.action());
        let (person, private_to) = (last.asker, Some("address".to_owned()));
        let press = Press { place: self.place(PlaceKind::Channel, last.place.thread), person, button, question, trigger, private_to };
        self.happen(&format!("press {}", self.steps.len()), Event::Pressed(press));
    }

    pub fn happen(&mut self, key: &str, event: Event) {
        let key = format!("{} {} {key}", self.number, self.steps.len());
        self.steps.push(Step::Event(Incoming { key, event }));
    }

    pub fn person_and_workspace(&self) -> (Platform, String, String) {
        (self.platform, "T1".to_owned(), self.person())
    }

    pub fn type_name(&mut self, kind: PlaceKind) {
        let named = *self.dice.pick(&[Named::Run, Named::Project, Named::Metric]);
        let typed = self.names.beginning(&mut self.dice);
        let (place, person) = (self.place(kind, None), self.person());
        self.steps.push(Step::Type { place, person, named, typed });
    }

    pub fn then(&mut self, step: Step) {
        self.steps.push(step);
    }
}

/// What the others ask in their channel: in threads whose ids come up in other channels too.
pub fn talk(platform: Platform, n: usize, text: &str) -> Asked {
    let thread = Some(format!("T{}", n % 2));
    let place = Place { platform, workspace: "T1".to_owned(), channel: on(platform, CLOSED), kind: PlaceKind::Channel, thread };
    let (message, asker, text) = (format!("77.{n}"), on(platform, BOSS), text.to_owned());
    Asked { place, message, asker, text, way: Way::Mention, private_to: None, follows: None, is_late: false }
}
