//! Answers what waits, one after another: the facts go out as soon as they are known, the whole answer behind them.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::mpsc;

use super::sentences::{self, plain};
use super::{Service, UnderWay, now_ms};
use crate::chat::{Answer, Asked, Button, PlaceKind, Question, Reply, Step, Way};
use crate::gate::Admitted;
use crate::model::CancellationToken;
use crate::store::{End, Ended, Kept, MadeUnder, Post, PostForm, ThreadChange};
use crate::surface::{self, Shown, Surface};
use crate::telemetry;

/// How often an answer is begun that never comes to an end, such as one that takes the program down with it.
const MAX_ATTEMPTS: i64 = 3;

/// Facts that the details show.
const MAX_DETAILS: usize = 60;

/// How much longer than its deadline an answer may take to notice that it is over.
const GRACE: Duration = Duration::from_secs(10);

/// How the work on a question ended.
enum Outcome {
    Answer(Box<Answer>),
    /// The asker took it back, or the service ends.
    Cancelled,
    /// The asker changed the words.
    Reworded,
    Failed(anyhow::Error),
}

/// Answers what waits, until the service ends.
pub(super) async fn answer_waiting(service: Arc<Service>) {
    loop {
        let next = service.queue().take_next();
        match next {
            Some(question) => {
                service.gauges.n_answering.inc();
                service.tell_places().await;
                service.work_on(&question).await;
                service.gauges.n_answering.dec();
            }
            None => tokio::select! {
                () = service.to_work.notified() => {}
                () = service.stop.cancelled() => return,
            },
        }
        if service.stop.is_cancelled() {
            return;
        }
    }
}

impl Service {
    async fn work_on(self: &Arc<Self>, id: &str) {
        let Some(question) = self.under_way().get(id).cloned() else { return };
        let outcome = match self.begin(id).await {
            Ok(true) => self.answer_one(id, &question).await,
            Ok(false) => Outcome::Cancelled,
            Err(error) => Outcome::Failed(error),
        };
        let concluded = match outcome {
            Outcome::Reworded => {
                // With its new words it waits for its turn again.
                let pushed = self.queue().push(&question.asked.asker, id);
                match pushed {
                    Ok(_) => self.to_work.notify_one(),
                    Err(full) => self.refuse(id, &question.asked, sentences::busy(full)).await,
                }
                return;
            }
            Outcome::Cancelled => Ok(()),
            Outcome::Answer(answer) => self.conclude_with(id, &question, *answer).await,
            Outcome::Failed(error) => Err(error),
        };
        if let Err(error) = concluded {
            self.fail(id, &question.asked, &error).await;
        }
        self.under_way().remove(id);
        self.goes_out.notify_one();
        if let Some(messenger) = self.messenger(question.asked.place.platform).cloned() {
            tokio::spawn(async move { messenger.hide_seen(&question.asked).await });
        }
    }

    async fn fail(&self, id: &str, asked: &Asked, error: &anyhow::Error) {
        self.gauges.n_failed.inc();
        let reference = telemetry::failure_reference(error);
        let ended = Ended { end: End::Failed, reference: Some(reference.clone()) };
        self.conclude_plainly(id, asked, &ended, &sentences::failed(&reference)).await;
    }

    /// Notes that work begins, and whether the question is still open; an answer that was begun too often is given up.
    async fn begin(&self, id: &str) -> anyhow::Result<bool> {
        let Some(entry) = self.store.open_entry(id).await? else { return Ok(false) };
        anyhow::ensure!(entry.attempts < MAX_ATTEMPTS, "begun {MAX_ATTEMPTS} times and never ended");
        self.store.begin(id).await?;
        Ok(true)
    }

    /// Answers in a task of its own, so that a panic is one question's failure; passes the facts on as they come.
    async fn answer_one(self: &Arc<Self>, id: &str, question: &UnderWay) -> Outcome {
        let asked = &question.asked;
        let subject = match self.store.subject(&asked.place).await {
            Ok(subject) => subject.unwrap_or_default(),
            Err(error) => return Outcome::Failed(error.into()),
        };
        let (steps, mut taken) = mpsc::unbounded_channel();
        let over = CancellationToken::new();
        let mut task = {
            let (app, cancel) = (Arc::clone(&self.app), over.clone());
            let Admitted { audience, zone } = question.admitted.clone();
            let question = Question { text: asked.text.clone(), audience, subject, zone };
            let way = asked.way;
            tokio::spawn(async move {
                let on_step = |step: Step| _ = steps.send(step);
                match way {
                    Way::Shortcut => app.explain(&question, &on_step, &cancel).await,
                    _ => app.answer(&question, &on_step, &cancel).await,
                }
            })
        };
        let deadline = tokio::time::sleep(self.settings.deadline);
        let too_late = tokio::time::sleep(self.settings.deadline + GRACE);
        tokio::pin!(deadline, too_late);
        loop {
            tokio::select! {
                Some(step) = taken.recv() => self.pass_on(id, question, step).await,
                answer = &mut task => return match answer {
                    _ if question.cancel.is_cancelled() => self.why_cancelled(id),
                    Ok(answer) => Outcome::Answer(Box::new(answer)),
                    Err(error) => Outcome::Failed(anyhow::Error::new(error).context("the answer broke off")),
                },
                () = question.cancel.cancelled(), if !over.is_cancelled() => over.cancel(),
                () = &mut deadline, if !over.is_cancelled() => over.cancel(),
                () = &mut too_late => {
                    task.abort();
                    return if question.cancel.is_cancelled() { self.why_cancelled(id) } else {
                        Outcome::Failed(anyhow::anyhow!("no answer within {:?}", self.settings.deadline + GRACE))
                    };
                }
            }
        }
    }

    /// A question whose work was stopped: with new words it is still under way.
    fn why_cancelled(&self, id: &str) -> Outcome {
        if self.under_way().contains_key(id) && !self.stop.is_cancelled() { Outcome::Reworded } else { Outcome::Cancelled }
    }

    async fn pass_on(&self, id: &str, question: &UnderWay, step: Step) {
        let Step::Facts { mut reply, scope, basis, prompts, .. } = step else { return };
        if question.cancel.is_cancelled() {
            return;
        }
        self.gauges.facts_after(now_ms() - question.received_ms);
        reply.notices.extend(self.app.count_beyond("facts.count_all").await.map(|n| n.to_string()));
        reply.buttons = vec![Button::Stop];
        let shown = Shown::facts(&question.admitted.audience, &scope, &basis, &prompts);
        let made_under = Some(MadeUnder { audience: question.admitted.audience.to_string(), scope, basis });
        let post = Post { made_under, ..self.post_for(id, &question.asked, PostForm::Facts, *reply, shown) };
        if let Err(error) = self.put_out(&post).await {
            tracing::warn!(question.id = id, "the facts wait for the whole answer: {error:#}");
        }
    }

    async fn conclude_with(&self, id: &str, question: &UnderWay, answer: Answer) -> anyhow::Result<()> {
        let asked = &question.asked;
        let end = if answer.reference.is_some() { End::Failed } else { End::Answered };
        let ended = Ended { end, reference: answer.reference.clone() };
        let mut reply = answer.reply.clone();
        if answer.reference.is_some() {
            reply = plain(answer.answer.clone());
        }
        reply.notices.extend(self.app.count_beyond("answer.counts_all").await.map(|n| n.to_string()));
        reply.buttons = buttons(asked, &answer);
        if reply.picture.is_some() && asked.is_private() && !self.keeps_private(asked.place.platform) {
            reply.notices.push(sentences::NO_PICTURE_HERE.to_owned());
        }
        let audience = question.admitted.audience.to_string();
        let kept = kept(&audience, asked, &answer);
        // What was read under no scope holds nothing of records.
        let (scope, basis) = (answer.scope.clone(), answer.basis.clone());
        let made_under = (!answer.scope.is_empty()).then_some(MadeUnder { audience, scope, basis });
        let has_fallen = match &made_under {
            Some(under) => !self.stands(under).await?,
            None => false,
        };
        if has_fallen {
            // Nothing of it is kept, then.
            return self.conclude_fallen(id, question, &ended).await;
        }
        let surface = if answer.reference.is_some() { Surface::Failure } else { Surface::of(asked) };
        let shown = Shown::answer(surface, &question.admitted.audience, &answer);
        let post = Post { made_under, ..self.post_for(id, asked, PostForm::Whole, reply, shown) };
        let thread =
            ThreadChange { place: asked.place.clone(), subject: answer.subject, asker: asked.asker.clone(), begins: asked.begins() };
        if self.store.conclude(&ended, &post, Some((&kept, &thread)), now_ms()).await? {
            self.gauges.answered_after(now_ms() - question.received_ms);
        }
        // What went from the catalog before this was stored may have been forgotten everywhere else already.
        if !self.app.corpus.catalog.last_change().await.is_ok_and(|change| change == answer.basis.change) {
            self.look_again.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Ends a question whose answer may not be shown any more.
    async fn conclude_fallen(&self, id: &str, question: &UnderWay, ended: &Ended) -> anyhow::Result<()> {
        tracing::warn!(question.id = id, "what an answer rests on went while it was made; it is not shown");
        let shown = Shown::plain(Surface::Refusal, surface::Outcome::Refused);
        let post = self.post_for(id, &question.asked, PostForm::Whole, plain(sentences::NO_LONGER), shown);
        self.store.conclude(ended, &post, None, now_ms()).await?;
        Ok(())
    }
}

/// What is kept of an answer.
fn kept(audience: &str, asked: &Asked, answer: &Answer) -> Kept {
    Kept {
        audience: audience.to_owned(),
        person: asked.asker.clone(),
        scope: answer.scope.clone(),
        records: answer.records.clone(),
        reply: Reply { buttons: Vec::new(), picture: None, ..answer.reply.clone() },
        details: details(answer),
        basis: answer.basis.clone(),
        facts_ms: answer.timings_ms.facts as i64,
        answer_ms: answer.timings_ms.answer as i64,
    }
}

/// How an answer was looked up, and every fact of it.
fn details(answer: &Answer) -> Vec<String> {
    let calls = answer.plan.iter().map(|call| format!("{} {}", call.tool, call.args));
    let facts = answer.facts.iter().take(MAX_DETAILS).map(|fact| {
        let step = fact.step.map(|step| format!(" at step {step}")).unwrap_or_default();
        format!("{} = {}{step} ({})", fact.name, fact.shown(), fact.record.as_deref().unwrap_or("counted"))
    });
    calls.chain(facts).collect()
}

fn buttons(asked: &Asked, answer: &Answer) -> Vec<Button> {
    if answer.reference.is_some() {
        return Vec::new();
    }
    let is_private = asked.is_private();
    let mut buttons = vec![Button::Useful, Button::NotUseful];
    if !answer.plan.is_empty() {
        buttons.push(Button::Details);
    }
    if is_private && asked.place.kind == PlaceKind::Channel && !answer.abstained {
        buttons.push(Button::Share);
    }
    if !is_private {
        buttons.push(Button::Delete);
    }
    buttons
}
