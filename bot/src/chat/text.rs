//! Text that can do nothing on any platform: without invisible characters, without live addresses.

use std::sync::LazyLock;

use regex::{Captures, Regex};

/// An address with its host, or the beginning of a bare one.
static ADDRESS: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"(?i)://([^\s/?#:|<>]*)|www\.").ok());

/// Without control characters but line feed and tab, and without characters that show nothing or turn the direction of writing.
pub(crate) fn visible(text: &str) -> String {
    text.chars().filter(|&c| is_seen(c)).collect()
}

fn is_seen(c: char) -> bool {
    if c.is_control() {
        return matches!(c, '\n' | '\t');
    }
    !matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}')
}

/// Visible, trimmed and defanged: for all that is neither evidence nor ours.
pub(crate) fn inert(text: &str) -> String {
    defanged(visible(text).trim())
}

/// Every address with a visible change that keeps it from being one: `https[:]//evil[.]com/x`, `www[.]evil.com`.
pub(crate) fn defanged(text: &str) -> String {
    let Some(address) = ADDRESS.as_ref() else { return text.replace("://", "[:]//") };
    let change = |found: &Captures| match found.get(1) {
        Some(host) => format!("[:]//{}", host.as_str().replace('.', "[.]")),
        None => found[0].replace('.', "[.]"),
    };
    address.replace_all(text, change).into_owned()
}
