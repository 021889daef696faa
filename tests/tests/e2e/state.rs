//! The state keeps what it is told and no more, on SQLite and on PostgreSQL.

use std::sync::Arc;

use anyhow::Result;
use runlore_bot::answer::Subject;
use runlore_bot::chat::{Account, Asked, Basis, Event, Incoming, Place, PlaceKind, Platform, Reply, Way};
use runlore_bot::store::{End, Ended, Kept, Linking, Post, PostForm, Sent, Store, ThreadChange, Verdict};
use runlore_bot::surface::Shown;
use runlore_tests::not_run::not_run;
use runlore_tests::postgres::Postgres;

/// A fresh state on each database that is there; what it lies in lives as long.
async fn stores() -> Result<Vec<(Store, Option<tempfile::TempDir>, Option<Arc<Postgres>>)>> {
    let folder = tempfile::tempdir()?;
    let sqlite = Store::open(&format!("sqlite://{}", folder.path().join("bot.db").display())).await?;
    let mut stores = vec![(sqlite, Some(folder), None)];
    match Postgres::shared()? {
        Ok(server) => stores.push((Store::open(&server.fresh_database()?).await?, None, Some(server))),
        Err(reason) => not_run("the state's tests on PostgreSQL", &reason),
    }
    Ok(stores)
}

fn place() -> Place {
    Place {
        platform: Platform::Slack,
        workspace: "T".to_owned(),
        channel: "C".to_owned(),
        kind: PlaceKind::Channel,
        thread: Some("1".to_owned()),
    }
}

fn question(text: &str) -> Incoming {
    let asked = Asked {
        place: place(),
        message: "1".to_owned(),
        asker: "U".to_owned(),
        text: text.to_owned(),
        way: Way::Mention,
        private_to: None,
        follows: None,
        is_late: false,
    };
    Incoming::message(asked)
}

fn post(id: &str, headline: &str) -> Post {
    let reply = Reply { headline: headline.to_owned(), ..Reply::default() };
    Post {
        place: place(),
        private_to: None,
        otherwise: None,
        answers: None,
        asker: None,
        question: id.to_owned(),
        reply,
        form: PostForm::Whole,
        made_under: None,
        shown: Shown::default(),
    }
}

fn kept() -> Kept {
    Kept {
        audience: "a".to_owned(),
        person: "U".to_owned(),
        scope: "s".to_owned(),
        records: vec!["r".to_owned()],
        reply: Reply::default(),
        details: vec!["d".to_owned()],
        basis: Basis { records: vec!["i".to_owned()], change: 7, ..Basis::default() },
        facts_ms: 1,
        answer_ms: 2,
    }
}

fn thread() -> ThreadChange {
    ThreadChange { place: place(), subject: Subject::default(), asker: "U".to_owned(), begins: true }
}

#[tokio::test]
async fn a_question_ends_once_and_its_message_is_brought_up_to_its_last_version() -> Result<()> {
    for (store, _folder, _server) in stores().await? {
        // NUL and everything else that people paste.
        let incoming = question("why \0 \u{202e} '; DROP TABLE inbox; --");
        let id = incoming.id();
        assert!(store.take_in(&incoming, 5).await? && !store.take_in(&incoming, 6).await?);
        let entry = store.open_entry(&store.open_ids(9).await?.remove(0)).await?.unwrap();
        assert_eq!((&entry.id, &entry.event, entry.received_ms, entry.attempts), (&id, &incoming.event, 5, 0));
        store.begin(&id).await?;
        assert_eq!(store.entry(&id).await?.unwrap().attempts, 1);

        store.put_out(&post(&id, "facts"), 7).await?;
        let first = store.due(7, 9).await?.remove(0);
        assert!(!first.is_unsure && first.remote.is_none() && first.version == 1);
        assert!(store.begin_send(&first, 7).await? && !store.begin_send(&first, 7).await?, "a row that was read before is sent once");
        assert!(store.due(7, 9).await?[0].is_unsure);
        store.sent(&first.id, 1, &Sent::Posted("m1".to_owned())).await?;
        assert!(store.due(i64::MAX, 9).await?.is_empty());

        let ended = |end| Ended { end, reference: None };
        assert!(store.conclude(&ended(End::Answered), &post(&id, "all"), Some((&kept(), &thread())), 8).await?);
        assert!(!store.conclude(&ended(End::Failed), &post(&id, "late"), None, 9).await?, "the first end stands");
        let second = store.due(9, 9).await?.remove(0);
        assert_eq!((second.version, second.remote.as_deref(), second.post.reply.headline.as_str()), (2, Some("m1"), "all"));
        store.sent(&second.id, 2, &Sent::Posted("m1".to_owned())).await?;
        assert_eq!(store.kept(&id).await?, Some(kept()));
        assert_eq!(store.question_counts().await?, [("answered".to_owned(), 1)]);

        store.judge(&id, "U", Verdict::NotUseful, 10).await?;
        store.add_reason(&id, "U", "wrong_number", "it \0 was 3").await?;
        let feedback = store.feedback().await?.remove(0);
        assert_eq!((feedback.reason.as_deref(), feedback.note.as_deref()), (Some("wrong_number"), Some("it  was 3")));
        assert_eq!(store.feedback_counts().await?.n_not_useful, 1);

        store.take_away(&id, 11).await?;
        let gone = store.due(11, 9).await?.remove(0);
        assert!(gone.is_to_go && gone.remote.as_deref() == Some("m1"));
        store.sent(&gone.id, 2, &Sent::Removed).await?;
        assert!(store.due(i64::MAX, 9).await?.is_empty());
    }
    Ok(())
}

#[tokio::test]
async fn sends_that_fail_come_again_when_they_are_due() -> Result<()> {
    for (store, _folder, _server) in stores().await? {
        store.put_out(&post("q", "x"), 1).await?;
        let row = store.due(1, 9).await?.remove(0);
        assert!(store.begin_send(&row, 0).await?);
        store.sent(&row.id, 1, &Sent::Again { due_ms: 50 }).await?;
        assert!(store.due(49, 9).await?.is_empty());
        let row = store.due(50, 9).await?.remove(0);
        assert!(!row.is_unsure && row.attempts == 1);
        assert!(store.begin_send(&row, 0).await?);
        store.sent(&row.id, 1, &Sent::Unsure { due_ms: 90 }).await?;
        assert!(store.due(89, 9).await?.is_empty() && store.due(90, 9).await?[0].is_unsure);
        store.sent(&row.id, 1, &Sent::Dropped("why".to_owned())).await?;
        assert!(store.due(i64::MAX, 9).await?.is_empty());
        assert_eq!(store.outbox_counts().await?, [("dropped".to_owned(), 1)]);
    }
    Ok(())
}

/// What is said in a thread without the bot's name is for it only while one person and the bot talk, and the bot spoke last.
#[tokio::test]
async fn a_thread_knows_who_talks_in_it() -> Result<()> {
    for (store, _folder, _server) in stores().await? {
        let here = place();
        let say = |person: &'static str, message: &'static str| store.note_speaker(&here, person, message, 2);
        let answer = async |id: &str, thread: ThreadChange| {
            let mut asked = question("why");
            asked.key = id.to_owned();
            store.take_in(&asked, 1).await?;
            let ended = Ended { end: End::Answered, reference: None };
            anyhow::ensure!(store.conclude(&ended, &post(&asked.id(), "x"), Some((&kept(), &thread)), 2).await?);
            anyhow::Ok(())
        };
        assert_eq!(store.subject(&place()).await?, None);
        assert!(!say("U", "1").await?, "nobody asked the bot there yet");
        answer("q1", thread()).await?;
        assert_eq!(store.subject(&place()).await?, Some(Subject::default()));
        assert!(say("U", "2").await? && say("U", "2").await?, "the same message again is the same");
        assert!(!say("U", "3").await?, "the bot has not answered yet");
        answer("q2", thread()).await?;
        assert!(!say("V", "4").await?, "somebody else");
        answer("q3", thread()).await?;
        assert!(!say("U", "5").await?, "there are three now");

        // A thread below the answer, or below the question, goes on with the conversation; one below something else is a new one.
        let beside = ThreadChange { place: Place { thread: Some("re:50".to_owned()), ..place() }, ..thread() };
        answer("q0", beside).await?;
        for (below, is_known) in [("50", true), ("51", false)] {
            let place = Place { thread: Some(below.to_owned()), ..place() };
            store.adopt_thread(&place, 3).await?;
            store.adopt_thread(&place, 3).await?;
            assert_eq!(store.note_speaker(&place, "U", "8", 3).await?, is_known, "{below}");
        }

        let other = |begins| ThreadChange { place: Place { thread: Some("9".to_owned()), ..place() }, begins, ..thread() };
        answer("q4", other(false)).await?;
        assert!(!store.note_speaker(&other(false).place, "U", "6", 3).await?, "others may have talked before the bot came");
        store.prune(i64::MAX).await?;
        assert_eq!(store.subject(&place()).await?, None);
        answer("q5", thread()).await?;
        assert!(say("U", "7").await?, "who talked in a forgotten thread is forgotten too");
    }
    Ok(())
}

/// What is forgotten leaves its place, so that it can be taken away; what is not posted yet says something else instead.
#[tokio::test]
async fn an_answer_that_is_forgotten_keeps_no_word() -> Result<()> {
    for (store, _folder, _server) in stores().await? {
        let incoming = question("why did it diverge");
        let id = incoming.id();
        store.take_in(&incoming, 1).await?;
        let ended = Ended { end: End::Answered, reference: None };
        let answer = Kept { reply: Reply { headline: "it diverged".to_owned(), ..Reply::default() }, ..kept() };
        let subject = Subject { project: Some("diverged".to_owned()), ..Subject::default() };
        let thread = ThreadChange { subject, ..thread() };
        assert!(store.conclude(&ended, &post(&id, "it diverged"), Some((&answer, &thread)), 2).await?);
        store.judge(&id, "U", Verdict::NotUseful, 3).await?;
        store.add_reason(&id, "U", "other", "it diverged later").await?;
        assert_eq!((store.made().await?.len(), store.subjects().await?.len()), (1, 1));

        let instead = Reply { headline: "gone".to_owned(), ..Reply::default() };
        store.forget(&[id.clone(), "unknown".to_owned()], &instead, 1).await?;
        assert!(store.made().await?.is_empty() && store.subjects().await?.is_empty() && store.kept(&id).await?.is_none());
        let Event::Asked(asked) = store.entry(&id).await?.unwrap().event else { panic!("a question") };
        assert_eq!((asked.text.as_str(), asked.place), ("", place()));
        assert!(!store.question_of(Platform::Slack, "C", "1").await?.unwrap().1, "who takes the question back is understood yet");
        assert_eq!(store.feedback().await?[0].note, None);
        let due = store.due(9, 9).await?.remove(0);
        assert_eq!((due.post.reply.headline.as_str(), due.version, due.post.made_under), ("gone", 2, None));
        assert!(store.begin_send(&due_of(&store).await?, 9).await?);
        store.sent(&due.id, 2, &Sent::Posted("m".to_owned())).await?;

        // What stands on the platform stays there.
        store.forget(std::slice::from_ref(&id), &instead, 1).await?;
        assert!(store.due(i64::MAX, 9).await?.is_empty());
        assert_eq!(store.place_of_message(Platform::Slack, "m").await?, Some(place()));
        assert!(store.scrub(i64::MAX).await? && store.prune(i64::MAX).await? > 0);
        assert!(store.feedback().await?.is_empty() && store.entry(&id).await?.is_none());
    }
    Ok(())
}

async fn due_of(store: &Store) -> Result<runlore_bot::store::Outgoing> {
    Ok(store.due(9, 9).await?.remove(0))
}

#[tokio::test]
async fn rewording_and_cancelling() -> Result<()> {
    for (store, _folder, _server) in stores().await? {
        let incoming = question("first");
        let id = incoming.id();
        store.take_in(&incoming, 1).await?;
        let (entry, is_open) = store.question_of(Platform::Slack, "C", "1").await?.unwrap();
        assert!(entry.id == id && is_open);
        store.reword(&id, &question("second").event).await?;
        let Event::Asked(asked) = store.entry(&id).await?.unwrap().event else { panic!("a question") };
        assert_eq!(asked.text, "second");
        assert!(store.cancel(&id, 2).await? && !store.cancel(&id, 3).await?);
        assert!(!store.question_of(Platform::Slack, "C", "1").await?.unwrap().1);

        for seen in ["5.1", "4.9", "6.0", "10.0", "7.0"] {
            store.see_channel(Platform::Slack, "C", seen).await?;
        }
        assert_eq!(store.seen_channels(Platform::Slack).await?, [("C".to_owned(), "10.0".to_owned())]);
        assert!(store.seen_channels(Platform::Discord).await?.is_empty());
    }
    Ok(())
}

#[tokio::test]
async fn a_link_has_two_sides_and_a_code_one_use() -> Result<()> {
    let account = |platform: Platform, person: &str| Account { platform, workspace: String::new(), person: person.to_owned() };
    for (store, _folder, _server) in stores().await? {
        let (one, other) = (account(Platform::Slack, "U1"), account(Platform::Discord, "7"));
        let code = store.make_link_code(&one, "q1", 10).await?;
        let code = store.link_code(&code).await?.unwrap();
        assert_eq!((&code.asker, &*code.question, &*code.spent_by), (&one, "q1", ""));
        // The same question again, as after a restart, finds what it did.
        for _ in 0..2 {
            assert_eq!(store.link(&code, &other, "q2", 20).await?, Linking::Linked);
        }
        assert_eq!(store.link(&code, &account(Platform::Discord, "8"), "q3", 30).await?, Linking::Spent);
        let second = store.make_link_code(&account(Platform::Slack, "U2"), "q4", 40).await?;
        let second = store.link_code(&second).await?.unwrap();
        assert_eq!(store.link(&second, &other, "q5", 50).await?, Linking::Taken);
        assert_eq!((store.linked(&one).await?, store.linked(&other).await?), (Some(other.clone()), Some(one.clone())));
        // Only who typed the code has something of it.
        assert_eq!((store.joined(&one).await?, store.joined(&other).await?), (None, Some(one.clone())));
        assert_eq!(store.linked(&account(Platform::Discord, "U1")).await?, None);
        assert_eq!(store.links().await?.len(), 1);
        // What could not be linked changed nothing, its code included.
        assert_eq!(store.unlink(&other).await?, Some(one.clone()));
        assert_eq!(store.link(&second, &other, "q5", 60).await?, Linking::Linked);
        assert_eq!((store.unlink(&one).await?, store.linked(&one).await?), (None, None));
    }
    Ok(())
}
