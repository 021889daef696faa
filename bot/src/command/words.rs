//! A line in words: separated by spaces, quotes hold together what has spaces.

/// One word of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    /// Without its quotes.
    pub(super) text: String,
    /// A part of it stood in quotes: it is a name, never a keyword.
    pub(super) is_quoted: bool,
}

impl Word {
    /// A name, whatever it looks like.
    pub(super) fn quoted(text: &str) -> Self {
        Self { text: text.to_owned(), is_quoted: true }
    }

    /// The word in lower case, where it can be a keyword.
    pub(super) fn keyword(&self) -> Option<String> {
        (!self.is_quoted).then(|| self.text.to_lowercase())
    }

    /// `key:value` as key and value.
    pub(super) fn option(&self) -> Option<(&str, &str)> {
        self.text.split_once(':').filter(|(_, value)| !value.is_empty())
    }

    /// With quotes where it had some.
    pub(super) fn as_typed(&self) -> String {
        if self.is_quoted { format!("\"{}\"", self.text) } else { self.text.clone() }
    }
}

/// Splits a line; `None` where a quote is not closed. An apostrophe within a word is no quote.
pub(super) fn split(line: &str) -> Option<Vec<Word>> {
    let mut words = Vec::new();
    let mut word = Word { text: String::new(), is_quoted: false };
    let mut open: Option<char> = None;
    for c in line.chars() {
        match open {
            Some(quote) if c == quote => open = None,
            Some(_) => word.text.push(c),
            None if is_quote(c) && may_open(&word.text) => {
                open = Some(closing(c));
                word.is_quoted = true;
            }
            None if c.is_whitespace() => push(&mut words, &mut word),
            None => word.text.push(c),
        }
    }
    push(&mut words, &mut word);
    open.is_none().then_some(words)
}

fn push(words: &mut Vec<Word>, word: &mut Word) {
    let ended = std::mem::replace(word, Word { text: String::new(), is_quoted: false });
    if !ended.text.is_empty() || ended.is_quoted {
        words.push(ended);
    }
}

fn is_quote(c: char) -> bool {
    matches!(c, '"' | '\'' | '`' | '\u{201c}')
}

/// Phones write curly quotes.
fn closing(quote: char) -> char {
    if quote == '\u{201c}' { '\u{201d}' } else { quote }
}

/// At the start of a word, or right behind `=`, `,` or `:`.
fn may_open(so_far: &str) -> bool {
    so_far.is_empty() || so_far.ends_with(['=', ',', ':'])
}
