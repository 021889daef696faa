//! The second pass: what people type, before it is stored, and what goes out, whatever it was made of, without secrets and hidden
//! characters. Records are redacted as they are read; this holds where they were read under older rules, and for what is typed.

use std::borrow::Cow;

use runlore_indexer::redact::{MARK, redact};
use serde_json::Value as Json;

use super::{Answer, Asked, Citation, Event, Incoming, Picture, PlannedCall, Question, Quote, Reply, Step};
use crate::facts::{Fact, Value};

/// Somebody typed a secret.
pub(crate) const TOOK_SECRET: &str = "I took a secret out of your question before storing it; change it if it was real.";

/// Whether a secret was taken out of this text.
pub(crate) fn was_redacted(text: &str) -> bool {
    text.contains(MARK)
}

/// Takes the secrets and hidden characters out of a text.
pub(crate) fn clean(text: &mut String) {
    if let Cow::Owned(cleaned) = redact(text).0 {
        *text = cleaned;
    }
}

/// The same of every text of a JSON value.
pub(crate) fn clean_json(value: &mut Json) {
    match value {
        Json::String(text) => clean(text),
        Json::Array(items) => items.iter_mut().for_each(clean_json),
        Json::Object(fields) => fields.values_mut().for_each(clean_json),
        Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
}

impl Incoming {
    /// The same without secrets in what was typed: this is stored.
    pub fn without_secrets(mut self) -> Self {
        match &mut self.event {
            Event::Asked(Asked { text, .. }) | Event::Edited { text, .. } | Event::ShutOut { why: text, .. } => clean(text),
            Event::Reasoned { reason, note, .. } => [reason, note].into_iter().for_each(clean),
            Event::Deleted { .. }
            | Event::Pressed(_)
            | Event::Joined { .. }
            | Event::Left { .. }
            | Event::HomeOpened { .. }
            | Event::TalkOpened { .. } => {}
        }
        self
    }
}

impl Question {
    /// The same without secrets: this goes into prompts.
    pub fn without_secrets(mut self) -> Self {
        clean(&mut self.text);
        self
    }
}

impl Reply {
    /// The same without secrets: this goes out.
    pub fn without_secrets(mut self) -> Self {
        clean(&mut self.headline);
        self.lines.iter_mut().chain(&mut self.narration).chain(&mut self.notices).for_each(clean);
        self.quotes.iter_mut().for_each(clean_quote);
        self.citations.iter_mut().for_each(clean_citation);
        if let Some(Picture { name, alt, .. }) = &mut self.picture {
            [name, alt].into_iter().for_each(clean);
        }
        self
    }
}

impl Answer {
    /// The same without secrets: this is printed, posted and kept.
    pub fn without_secrets(mut self) -> Self {
        [&mut self.question, &mut self.answer].into_iter().chain(&mut self.best_record).chain(&mut self.records).for_each(clean);
        self.quotes.iter_mut().for_each(clean_quote);
        self.citations.iter_mut().for_each(clean_citation);
        self.facts.iter_mut().for_each(clean_fact);
        self.plan.iter_mut().for_each(|PlannedCall { args, .. }| clean_json(args));
        Self { reply: self.reply.without_secrets(), ..self }
    }
}

impl Step {
    /// The same without secrets.
    pub fn without_secrets(self) -> Self {
        match self {
            Self::Waiting(text) => Self::Waiting(text),
            Self::Narration(mut text) => {
                clean(&mut text);
                Self::Narration(text)
            }
            Self::Facts { mut text, reply, scope, basis, prompts } => {
                clean(&mut text);
                Self::Facts { text, reply: Box::new(reply.without_secrets()), scope, basis, prompts }
            }
        }
    }
}

fn clean_quote(quote: &mut Quote) {
    [&mut quote.text, &mut quote.record].into_iter().for_each(clean);
}

fn clean_citation(citation: &mut Citation) {
    [&mut citation.record, &mut citation.title].into_iter().chain(&mut citation.url).for_each(clean);
}

pub(crate) fn clean_fact(fact: &mut Fact) {
    clean(&mut fact.name);
    fact.label.iter_mut().chain(&mut fact.record).chain(&mut fact.url).for_each(clean);
    if let Some(Value::Word(word)) = &mut fact.value {
        clean(word);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Not a real one, and not one in this file.
    fn secret() -> String {
        format!("hf_{}", "AbCdEfGh0123".repeat(3))
    }

    fn reply() -> Reply {
        let text = format!("with {} in it", secret());
        let quote = Quote { text: text.clone(), record: text.clone() };
        let citation = Citation { mark: "1".to_owned(), record: text.clone(), title: text.clone(), url: Some(text.clone()) };
        Reply {
            headline: text.clone(),
            lines: vec![text.clone()],
            quotes: vec![quote],
            narration: Some(text.clone()),
            notices: vec![text.clone()],
            citations: vec![citation],
            buttons: Vec::new(),
            picture: Some(Picture::new(text.clone(), text, b"png")),
        }
    }

    #[test]
    fn no_text_of_a_reply_or_answer_is_forgotten() {
        let told = serde_json::to_string(&reply().without_secrets()).unwrap_or_default();
        assert!(!told.contains(&secret()), "{told}");
        assert_eq!(told.matches(MARK).count(), 11);
        assert_eq!(reply().without_secrets().without_secrets(), reply().without_secrets());
        let text = format!("with {} in it", secret());
        let fact = Fact { value: Some(Value::Word(text.clone())), ..Fact::param(&text, &text, &text, Some(&text)) };
        let answer = Answer {
            question: text.clone(),
            answer: text.clone(),
            abstained: false,
            best_record: Some(text.clone()),
            records: vec![text.clone()],
            quotes: reply().quotes,
            facts: vec![fact],
            citations: reply().citations,
            plan: vec![PlannedCall { tool: "search".to_owned(), args: serde_json::json!({"words": [text]}) }],
            timings_ms: super::super::Timings::default(),
            reference: None,
            reply: reply(),
            subject: crate::answer::Subject::default(),
            scope: String::new(),
            basis: crate::chat::Basis::default(),
            prompts: Vec::new(),
        };
        let cleaned = answer.without_secrets();
        let told = serde_json::to_string(&cleaned).unwrap_or_default();
        assert!(!told.contains(&secret()) && cleaned.reply == reply().without_secrets(), "{told}");
        assert_eq!(told.matches(MARK).count(), 4 + 2 + 5 + 3 + 1);
    }

    #[test]
    fn what_is_typed_is_cleaned_before_it_is_stored() {
        let reasoned = Event::Reasoned {
            platform: super::super::Platform::Slack,
            person: "U1".to_owned(),
            question: "q".to_owned(),
            reason: "other".to_owned(),
            note: format!("I asked with {}\u{200b}", secret()),
        };
        let cleaned = Incoming { key: "k".to_owned(), event: reasoned }.without_secrets();
        assert!(matches!(&cleaned.event, Event::Reasoned { note, .. } if was_redacted(note) && note.ends_with(']')), "{cleaned:?}");
    }
}
