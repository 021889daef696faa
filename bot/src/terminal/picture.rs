//! Pictures on terminals that can show them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Letters of base64 that kitty takes at once, a multiple of four.
const CHUNK: usize = 4096;

/// Columns that a picture takes; its height follows. It fits into the 80 that terminals have at least.
const N_COLUMNS: u32 = 76;

/// How a terminal takes pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// The graphics protocol of kitty, which Ghostty and WezTerm know, too (<https://sw.kovidgoyal.net/kitty/graphics-protocol/>).
    Kitty,
    /// Inline images of iTerm2 (<https://iterm2.com/documentation-images.html>).
    Iterm,
}

/// How this terminal takes pictures, by its environment; `None` where it cannot, or where tmux or screen stand between.
pub fn protocol(env: impl Fn(&str) -> Option<String>, is_terminal: bool) -> Option<Protocol> {
    let value = |name: &str| env(name).unwrap_or_default();
    let is_set = |name: &str| !value(name).is_empty();
    let term = value("TERM");
    let is_between = is_set("TMUX") || is_set("STY") || term.starts_with("tmux") || term.starts_with("screen");
    if !is_terminal || is_between {
        return None;
    }
    let program = value("TERM_PROGRAM");
    if is_set("KITTY_WINDOW_ID") || term.contains("kitty") || ["ghostty", "WezTerm"].contains(&program.as_str()) {
        return Some(Protocol::Kitty);
    }
    (program == "iTerm.app" || value("LC_TERMINAL") == "iTerm2").then_some(Protocol::Iterm)
}

/// What is printed to show a PNG. It ends with a new line, below the picture.
pub fn escape(protocol: Protocol, png: &[u8]) -> String {
    let encoded = STANDARD.encode(png);
    match protocol {
        Protocol::Kitty => kitty(&encoded),
        Protocol::Iterm => {
            let size = png.len();
            format!("\u{1b}]1337;File=inline=1;size={size};width={N_COLUMNS};preserveAspectRatio=1:{encoded}\u{7}\n")
        }
    }
}

/// In chunks; only the first says what comes. `q=2`: the terminal answers nothing, which would be read as typed.
fn kitty(encoded: &str) -> String {
    let n_chunks = encoded.len().div_ceil(CHUNK).max(1);
    let mut escapes = String::with_capacity(encoded.len() + n_chunks * 16);
    for nth in 0..n_chunks {
        let chunk = &encoded[nth * CHUNK..encoded.len().min((nth + 1) * CHUNK)];
        let what = if nth == 0 { format!("a=T,f=100,c={N_COLUMNS},q=2,") } else { String::new() };
        let more = u8::from(nth + 1 < n_chunks);
        escapes.push_str(&format!("\u{1b}_G{what}m={more};{chunk}\u{1b}\\"));
    }
    escapes.push('\n');
    escapes
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn on(variables: &[(&str, &str)]) -> Option<Protocol> {
        let env = |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        protocol(env, true)
    }

    #[test]
    fn terminals_are_known_by_their_environment() {
        assert_eq!(on(&[("KITTY_WINDOW_ID", "1"), ("TERM", "xterm-256color")]), Some(Protocol::Kitty));
        assert_eq!(on(&[("TERM", "xterm-kitty")]), Some(Protocol::Kitty));
        assert_eq!(on(&[("TERM_PROGRAM", "ghostty")]), Some(Protocol::Kitty));
        assert_eq!(on(&[("TERM_PROGRAM", "WezTerm")]), Some(Protocol::Kitty));
        assert_eq!(on(&[("TERM_PROGRAM", "iTerm.app")]), Some(Protocol::Iterm));
        assert_eq!(on(&[("LC_TERMINAL", "iTerm2")]), Some(Protocol::Iterm));
        assert_eq!(on(&[("TERM", "xterm-256color"), ("KITTY_WINDOW_ID", "")]), None);
    }

    #[test]
    fn nothing_is_shown_through_tmux_or_into_a_pipe() {
        assert_eq!(on(&[("TERM", "xterm-kitty"), ("TMUX", "/tmp/tmux-1")]), None);
        assert_eq!(on(&[("TERM", "screen-256color"), ("LC_TERMINAL", "iTerm2")]), None);
        assert_eq!(protocol(|_| Some("xterm-kitty".to_owned()), false), None);
    }

    #[test]
    fn kitty_gets_chunks_which_are_the_whole_picture() {
        let png: Vec<u8> = (0..=u8::MAX).cycle().take(7_000).collect();
        let escapes = escape(Protocol::Kitty, &png);
        let chunks: Vec<&str> = escapes.trim_end().split_terminator("\u{1b}\\").collect();
        let (heads, payloads): (Vec<&str>, Vec<&str>) = chunks.iter().filter_map(|chunk| chunk.split_once(';')).unzip();
        assert_eq!(heads, ["\u{1b}_Ga=T,f=100,c=76,q=2,m=1", "\u{1b}_Gm=1", "\u{1b}_Gm=0"]);
        assert!(payloads.iter().all(|payload| payload.len() <= CHUNK));
        assert_eq!(STANDARD.decode(payloads.concat()).unwrap(), png);
    }

    #[test]
    fn a_small_picture_is_one_chunk() {
        assert_eq!(escape(Protocol::Kitty, b"png"), "\u{1b}_Ga=T,f=100,c=76,q=2,m=0;cG5n\u{1b}\\\n");
        let iterm = "\u{1b}]1337;File=inline=1;size=3;width=76;preserveAspectRatio=1:cG5n\u{7}\n";
        assert_eq!(escape(Protocol::Iterm, b"png"), iterm);
    }
}
