//! Bodies of calls to Discord, and what is read of its answers. Pure.

use serde_json::{Value, json};
use uuid::Uuid;

use super::outgoing::{self, Message};
use crate::chat::{Form, Reply, Setting, text};
use crate::store::{Outgoing, Post, PostForm};

/// The first moment that Discord's ids count from, milliseconds since 1970, UTC.
const EPOCH_MS: i64 = 1_420_070_400_000;

/// Longest description of a picture, in characters.
const MAX_ALT: usize = 1_000;

/// A post as a message.
pub(super) fn message(post: &Post, reply: &Reply) -> Message {
    let setting = |form| Setting { asker: post.called(), question: &post.question, form };
    match post.form {
        PostForm::Waiting => outgoing::sentence(&reply.headline),
        PostForm::Facts => outgoing::message(reply, &setting(Form::Facts)),
        PostForm::Whole | PostForm::Picture => outgoing::message(reply, &setting(Form::Whole)),
    }
}

/// A message of its own: the same again within some minutes is the same message.
pub(super) fn posted(message: &Message, outgoing: &Outgoing, part: usize) -> Value {
    let mut body = message.body();
    body["nonce"] = nonce(&outgoing.id, part).into();
    body["enforce_nonce"] = true.into();
    if let (Some(asked), 0) = (&outgoing.post.answers, part) {
        body["message_reference"] = json!({"message_id": asked, "fail_if_not_exists": false});
    }
    body
}

/// At most 25 letters that tell a row and a part of it.
pub(super) fn nonce(id: &str, part: usize) -> String {
    let short = Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{id} {part}").as_bytes()).simple().to_string();
    short[..24].to_owned()
}

/// A body with the picture's name and description.
pub(super) fn with_picture(mut body: Value, name: &str, alt: &str) -> Value {
    // Plain text, in which nothing is a mark.
    let alt: String = text::visible(alt).chars().take(MAX_ALT).collect();
    body["attachments"] = json!([{"id": 0, "filename": name, "description": alt}]);
    body
}

/// The id that a message of that moment would have.
pub(super) fn snowflake(at_ms: i64) -> String {
    ((at_ms - EPOCH_MS).max(0) << 22).to_string()
}

/// Ids are numbers of up to 20 digits.
pub(super) fn number(id: &str) -> u64 {
    id.parse().unwrap_or(0)
}

/// Whether a message is the row's: a button of it bears the question, or it replies to who asked it.
pub(super) fn is_of(message: &Value, outgoing: &Outgoing) -> bool {
    let post = &outgoing.post;
    let has_picture = message["attachments"].as_array().is_some_and(|attached| !attached.is_empty());
    if has_picture != (post.form == PostForm::Picture) {
        return false;
    }
    let answers = post.answers.as_deref().is_some_and(|asked| message["message_reference"]["message_id"] == asked);
    answers
        || message["nonce"] == nonce(&outgoing.id, 0).as_str()
        || message["components"].to_string().contains(&format!(":{}\"", post.question))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_tell_moments() {
        assert_eq!(snowflake(1_462_015_105_796), "175928847298985984");
        assert_eq!(nonce("x", 0).len(), 24);
        assert_ne!(nonce("x", 0), nonce("x", 1));
    }
}
