//! What a press may do: where its question was asked, for whom, and how long after.

use std::time::Duration;

use anyhow::{Result, ensure};
use runlore_bot::chat::{Button, Event, Incoming, Place, PlaceKind, Platform, Press, Way};
use runlore_bot::store::Verdict;

use super::platform::asked;
use super::service::Bench;

const BEST: &str = "best val/map in vessel-detect";
const NOTHING: &str = "There is nothing more to this answer.";
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// A bench, and how many presses were made there, which tells them apart.
struct Presses {
    bench: Bench,
    n: usize,
}

impl Presses {
    async fn open() -> Result<Self> {
        Ok(Self { bench: Bench::open("", Vec::new()).await?, n: 0 })
    }

    /// Has a question answered that came so long ago; its id.
    async fn answered(&mut self, question: Incoming, ago_ms: i64, n_answered: i64) -> Result<String> {
        let now_ms = jiff::Timestamp::now().as_millisecond();
        self.bench.service.store.take_in(&question, now_ms - ago_ms).await?;
        self.bench.until_ended("answered", n_answered).await?;
        Ok(question.id())
    }

    /// Presses and gives what the presser was told, which is nothing where the press did what it should without a word.
    async fn press(&mut self, button: Button, person: &str, channel: &str, question: &str) -> Result<String> {
        let before = self.bench.platform.whispered().len();
        self.n += 1;
        let event = press(button, person, channel, question, self.n);
        self.take(&event).await?;
        Ok(self.bench.platform.whispered().get(before).cloned().unwrap_or_default())
    }

    /// Takes an event in and waits until it has ended.
    async fn take(&self, event: &Incoming) -> Result<()> {
        self.bench.service.take_in(event).await?;
        for _ in 0..600 {
            if self.bench.service.store.open_entry(&event.id()).await?.is_none() {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        anyhow::bail!("a press never ends: {event:?}")
    }

    fn stands(&self, question: &str) -> bool {
        self.bench.platform.standing().iter().any(|standing| standing.question == question && standing.key != "removed")
    }

    async fn until_gone(&self, question: &str) -> Result<()> {
        for _ in 0..400 {
            if !self.stands(question) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        anyhow::bail!("the answer still stands")
    }
}

fn press(button: Button, person: &str, channel: &str, question: &str, n: usize) -> Incoming {
    let place = Place {
        platform: Platform::Slack,
        workspace: "T1".to_owned(),
        channel: channel.to_owned(),
        kind: PlaceKind::Channel,
        thread: None,
    };
    let trigger = format!("t{n}");
    let press = Press { place, person: person.to_owned(), button, question: question.to_owned(), trigger, private_to: None };
    Incoming { key: format!("press t{n}"), event: Event::Pressed(press) }
}

/// A command, whose answer the asker alone sees.
fn command(message: &str, asker: &str) -> Incoming {
    let mut incoming = asked("C1", message, asker, BEST);
    if let Event::Asked(asked) = &mut incoming.event {
        asked.way = Way::Command;
        asked.private_to = Some("an address".to_owned());
        asked.place.thread = None;
    }
    incoming
}

#[tokio::test]
async fn a_press_does_something_only_in_the_place_of_its_question() -> Result<()> {
    let mut presses = Presses::open().await?;
    let question = presses.answered(asked("C1", "1", "ada", BEST), 0, 1).await?;
    for button in Button::ALL {
        let strange = [("C2", question.as_str()), ("D1", question.as_str()), ("C1", "no question's id"), ("C1", "")];
        for (channel, question) in strange {
            let told = presses.press(button, "ada", channel, question).await?;
            ensure!(told == format!("ada: {NOTHING}"), "{button:?} in {channel} of {question}: {told}");
        }
    }
    ensure!(presses.stands(&question) && presses.bench.service.store.feedback_counts().await?.n_useful == 0);
    ensure!(presses.bench.service.store.question_counts().await? == [("answered".to_owned(), 1)], "nothing was asked anew");

    ensure!(presses.press(Button::Useful, "grace", "C1", &question).await? == "grace: Thank you, noted.");
    let details = presses.press(Button::Details, "grace", "C1", &question).await?;
    ensure!(details.starts_with("grace: How this was looked up"), "{details}");
    for button in [Button::Delete, Button::Stop, Button::Share] {
        ensure!(presses.press(button, "grace", "C1", &question).await? == "grace: Only who asked can do that.", "{button:?}");
    }
    ensure!(presses.stands(&question));
    presses.press(Button::Delete, "ada", "C1", &question).await?;
    presses.until_gone(&question).await?;
    presses.bench.end().await
}

#[tokio::test]
async fn what_one_person_saw_is_that_persons() -> Result<()> {
    let mut presses = Presses::open().await?;
    let question = presses.answered(command("command 1", "ada"), 0, 1).await?;
    for button in Button::ALL {
        let told = presses.press(button, "grace", "C1", &question).await?;
        ensure!(told == format!("grace: {NOTHING}"), "{button:?}: {told}");
    }
    ensure!(presses.bench.service.store.question_counts().await? == [("answered".to_owned(), 1)], "somebody else shared it");
    let details = presses.press(Button::Details, "ada", "C1", &question).await?;
    ensure!(details.starts_with("ada: How this was looked up"), "{details}");

    // Shared once, however often that press comes.
    let share = press(Button::Share, "ada", "C1", &question, 1_000);
    for _ in 0..3 {
        presses.take(&share).await?;
    }
    presses.bench.until_ended("answered", 2).await?;
    ensure!(presses.bench.service.store.question_counts().await? == [("answered".to_owned(), 2)]);
    presses.bench.end().await
}

#[tokio::test]
async fn presses_expire() -> Result<()> {
    let mut presses = Presses::open().await?;
    let of_yesterday = presses.answered(asked("C1", "1", "ada", BEST), DAY_MS + 60_000, 1).await?;
    let alone_of_yesterday = presses.answered(command("command 1", "ada"), DAY_MS + 60_000, 2).await?;
    let of_last_month = presses.answered(asked("C1", "2", "ada", BEST), 30 * DAY_MS, 3).await?;
    let of_last_year = presses.answered(asked("C1", "3", "ada", BEST), 365 * DAY_MS, 4).await?;

    let told = presses.press(Button::Delete, "ada", "C1", &of_yesterday).await?;
    ensure!(told.contains("more than a day ago") && told.contains("Delete the message that asked"), "{told}");
    ensure!(presses.stands(&of_yesterday));
    let told = presses.press(Button::Share, "ada", "C1", &alone_of_yesterday).await?;
    ensure!(told.contains("Ask it again here"), "{told}");
    ensure!(presses.press(Button::NotUseful, "ada", "C1", &of_yesterday).await?.is_empty(), "a window opens");
    ensure!(presses.press(Button::Useful, "ada", "C1", &of_last_month).await?.contains("more than a week ago"));
    ensure!(presses.press(Button::Details, "ada", "C1", &of_last_month).await?.contains("How this was looked up"));
    ensure!(presses.press(Button::Details, "ada", "C1", &of_last_year).await?.contains("How this was looked up"));

    // A reason belongs to who judged, and to an answer that can still be judged.
    presses.bench.service.store.judge(&of_last_year, "ada", Verdict::NotUseful, 0).await?;
    for (n, person, question) in [(1, "ada", &of_yesterday), (2, "grace", &of_yesterday), (3, "ada", &of_last_year)] {
        let reasoned = Event::Reasoned {
            platform: Platform::Slack,
            person: person.to_owned(),
            question: question.clone(),
            reason: "wrong_number".to_owned(),
            note: format!("of {person}"),
        };
        presses.take(&Incoming { key: format!("reason {n}"), event: reasoned }).await?;
    }
    let feedback = presses.bench.service.store.feedback().await?;
    let notes: Vec<(&str, Option<&str>)> = feedback.iter().map(|said| (&*said.id, said.note.as_deref())).collect();
    ensure!(notes == [(&*of_last_year, None), (&*of_yesterday, Some("of ada"))], "{feedback:?}");

    // What is forgotten has nothing behind it.
    presses.bench.service.store.prune(i64::MAX).await?;
    for button in Button::ALL {
        let told = presses.press(button, "ada", "C1", &of_last_month).await?;
        ensure!(told == format!("ada: {NOTHING}"), "{button:?}: {told}");
    }
    presses.bench.end().await
}
