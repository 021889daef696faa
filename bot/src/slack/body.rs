//! Bodies of calls to Slack, and what is read of its answers. Pure.

use serde_json::{Value, json};

use super::outgoing::{self, Message};
use crate::chat::{Form, Setting};
use crate::store::{Outgoing, Post, PostForm};

/// The type of the metadata that carries an outbox row's id.
pub(super) const METADATA: &str = "runlore_reply";

/// A post as a message.
pub(super) fn message(post: &Post) -> Message {
    let setting = |form| Setting { asker: post.called(), question: &post.question, form };
    match post.form {
        PostForm::Waiting => outgoing::sentence(&post.reply.headline),
        PostForm::Facts => outgoing::message(&post.reply, &setting(Form::Facts)),
        PostForm::Whole | PostForm::Picture => outgoing::message(&post.reply, &setting(Form::Whole)),
    }
}

/// The name of a row's picture on Slack.
pub(super) fn file_name(outgoing: &Outgoing) -> String {
    let name = outgoing.post.reply.picture.as_ref().map_or("chart.png", |picture| picture.name.as_str());
    format!("{}-{name}", &outgoing.id[..outgoing.id.len().min(8)])
}

pub(super) fn body(channel: &str, message: &Message) -> Value {
    json!({"channel": channel, "text": message.text, "blocks": message.blocks, "parse": "none"})
}

/// For one person alone: without the word Slack would show it to that person too, but a stand-in or a later Slack may not.
pub(super) fn private(message: &Message) -> Value {
    json!({"response_type": "ephemeral", "replace_original": false, "text": message.text, "blocks": message.blocks})
}

pub(super) fn next_cursor(page: &Value) -> String {
    page["response_metadata"]["next_cursor"].as_str().unwrap_or_default().to_owned()
}
