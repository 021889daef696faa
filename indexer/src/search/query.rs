//! What a question asks of the keyword index: its words, the identifiers among them, and what stands in quotes. Pure.
//!
//! A question is never parsed as a query language, so no text can be wrong. The same rules cut the text that is indexed, so that
//! an identifier is found wherever it stands as a word of its own, as a part of a path, or at the end of a dotted key.

#[cfg(test)]
mod tests;

/// Most identifiers and most phrases of one question; a pasted stack trace has more, and the first ones say enough.
const MAX_EXACT: usize = 32;

/// Longest exact word in bytes; what is longer is a blob that nobody types.
const MAX_WORD_BYTES: usize = 200;

/// A question, taken apart.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Asked {
    /// The whole text, for the stemmed words.
    pub text: String,
    /// Words that name something and are looked for as they are written, in lower case, each once.
    pub identifiers: Vec<String>,
    /// Quoted parts of two or more words, in lower case, each once.
    pub phrases: Vec<Vec<String>>,
}

impl Asked {
    /// Takes a question apart. A quoted single word is an identifier. Where nothing looks like one, there are none.
    pub fn read(text: &str) -> Self {
        let mut identifiers: Vec<String> = exact_words(text).filter(|word| is_identifier(word)).map(str::to_lowercase).collect();
        let mut phrases = Vec::new();
        for quoted in quoted_parts(text) {
            let mut words: Vec<String> = exact_words(quoted).map(str::to_lowercase).collect();
            if words.len() == 1 {
                identifiers.append(&mut words);
            } else if !words.is_empty() {
                phrases.push(words);
            }
        }
        Self { text: text.to_owned(), identifiers: first_distinct(identifiers), phrases: first_distinct(phrases) }
    }
}

/// The words of a text as they are written, without the punctuation around them: `optimizer.lr`, `val/acc`, `--flag`, `tr11-176B`.
pub fn exact_words(text: &str) -> impl Iterator<Item = &str> {
    text.split(ends_word).map(trim).filter(|word| !word.is_empty() && word.len() <= MAX_WORD_BYTES)
}

/// The parts under which a compound word is found too: steps of a path, ends of a dotted key, names between `:`, `@` and `#`.
///
/// `runs/tr11-176B.yaml` has `runs`, `tr11-176B.yaml`, `tr11-176B`, `yaml`; `train.optimizer.lr` has `train`, `optimizer`, `lr`,
/// `optimizer.lr`. Parts without a letter are left out, so that a decimal number has none.
pub fn parts(word: &str) -> Vec<&str> {
    let mut found = vec![word.trim_start_matches('-')];
    for step in word.split(['/', '\\', ':', '@', '#']) {
        found.push(step);
        found.extend(step.split('.'));
        found.extend(step.match_indices('.').map(|(dot, _)| &step[dot + 1..]));
    }
    let mut kept: Vec<&str> = Vec::new();
    for part in found.into_iter().map(trim) {
        if part != word && part.contains(char::is_alphabetic) && !kept.contains(&part) {
            kept.push(part);
        }
    }
    kept
}

/// Whether a word looks like a name rather than prose: punctuation or a digit inside, all capitals, or a capital after a small letter.
pub fn is_identifier(word: &str) -> bool {
    let is_inner_mark = |c: char| !c.is_alphanumeric() && c != '-';
    let n_letters = word.chars().filter(|c| c.is_alphabetic()).count();
    let has_digit = word.contains(|c: char| c.is_numeric());
    let is_upper = n_letters > 1 && !word.contains(char::is_lowercase);
    let is_camel = word.chars().zip(word.chars().skip(1)).any(|(a, b)| a.is_lowercase() && b.is_uppercase());
    word.starts_with("--") || word.contains(is_inner_mark) || (n_letters > 0 && has_digit) || is_upper || is_camel
}

fn ends_word(c: char) -> bool {
    c.is_whitespace() || "\"“”„«»`'‘’()[]{}<>,;|=".contains(c)
}

/// Takes off the punctuation around a word, but leaves the two dashes of an option.
fn trim(word: &str) -> &str {
    let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
    match word.strip_prefix("--") {
        Some(option) if !bare.is_empty() && option.starts_with(bare) => &word[..bare.len() + 2],
        _ => bare,
    }
}

/// What stands between double quotes or backticks. A quote that is not closed is none.
fn quoted_parts(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut open: Option<(usize, char)> = None;
    for (at, mark) in text.char_indices() {
        match (open, mark) {
            (Some((start, closing)), mark) if mark == closing => {
                parts.push(&text[start..at]);
                open = None;
            }
            (None, '"' | '`') => open = Some((at + 1, mark)),
            (None, '“' | '„') => open = Some((at + mark.len_utf8(), '”')),
            _ => {}
        }
    }
    parts
}

fn first_distinct<T: PartialEq>(items: Vec<T>) -> Vec<T> {
    let mut kept: Vec<T> = Vec::new();
    for item in items {
        if kept.len() < MAX_EXACT && !kept.contains(&item) {
            kept.push(item);
        }
    }
    kept
}
