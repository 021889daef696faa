//! Words and parts of names: how a question's words are compared with names.

/// Words that say nothing about what is asked.
const STOP_WORDS: [&str; 118] = [
    "a", "about", "all", "am", "an", "and", "any", "are", "as", "at", "be", "been", "but", "by", "can", "could", "did", "do", "does",
    "for", "from", "get", "give", "got", "had", "has", "have", "how", "i", "if", "in", "into", "is", "it", "its", "just", "list", "made",
    "make", "many", "me", "much", "my", "of", "often", "on", "or", "our", "please", "s", "say", "should", "show", "so", "some", "tell",
    "than", "that", "the", "their", "them", "then", "there", "these", "they", "this", "those", "to", "up", "us", "was", "we", "were",
    "what", "when", "where", "which", "who", "whom", "whose", "why", "will", "with", "would", "you", "your", "not", "no", "happened",
    "happen", "caused", "cause", "find", "found", "pr", "pull", "request", "merge", "pulls", "requests", "prs", "commit", "note", "notes",
    "team", "during", "after", "before", "between", "while", "because", "also", "there's", "what's", "did", "done", "ever", "exactly",
];

/// The words of a text that carry meaning, lower-cased and cut to their stem.
pub fn content_words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        let lower = word.to_lowercase();
        if STOP_WORDS.contains(&lower.as_str()) || (lower.len() < 2 && !lower.chars().all(char::is_numeric)) {
            continue;
        }
        let stem = stem(&lower);
        if !words.contains(&stem) {
            words.push(stem);
        }
    }
    words
}

/// The share of the wanted words that stand in a text; 0 where none is wanted.
pub fn coverage(wanted: &[String], text: &str) -> f64 {
    let there: std::collections::HashSet<String> =
        text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(|word| stem(&word.to_lowercase())).collect();
    let n = wanted.iter().filter(|word| there.contains(*word)).count();
    if wanted.is_empty() { 0.0 } else { n as f64 / wanted.len() as f64 }
}

/// A crude stem: endings off, so that `caused` and `cause`, `nodes` and `node` are one.
fn stem(word: &str) -> String {
    let mut word = word.to_owned();
    for ending in ["ings", "ing", "edly", "ed", "es", "s", "ly", "e"] {
        if word.len() > ending.len() + 3 && word.ends_with(ending) {
            word.truncate(word.len() - ending.len());
            break;
        }
    }
    word
}

/// Spellings that mean the same part of a name, from those that people type to those that stand in names; several parts where a word is short for two.
const SAME: [(&str, &[&str]); 34] = [
    ("val", &["validation"]),
    ("valid", &["validation"]),
    ("dev", &["validation"]),
    ("training", &["train"]),
    ("testing", &["test"]),
    ("acc", &["accuracy"]),
    ("accuracies", &["accuracy"]),
    ("losses", &["loss"]),
    ("lr", &["learning", "rate"]),
    ("learningrate", &["learning", "rate"]),
    ("wd", &["weight", "decay"]),
    ("weightdecay", &["weight", "decay"]),
    ("bs", &["batch", "size"]),
    ("batchsize", &["batch", "size"]),
    ("map", &["mean", "average", "precision"]),
    ("ppl", &["perplexity"]),
    ("avg", &["average"]),
    ("temp", &["temperature"]),
    ("momenta", &["momentum"]),
    ("wup", &["warmup"]),
    ("warm", &["warm"]),
    ("gradnorm", &["grad", "norm"]),
    ("gradient", &["grad"]),
    ("gradients", &["grad"]),
    ("lbl", &["label"]),
    ("opt", &["optimizer"]),
    ("optim", &["optimizer"]),
    ("optimiser", &["optimizer"]),
    ("dropouts", &["dropout"]),
    ("epochs", &["epoch"]),
    ("steps", &["step"]),
    ("seeds", &["seed"]),
    ("rng", &["rng"]),
    ("zero", &["0"]),
];

/// One part of a word of a question, or of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Lower-case and in its common spelling.
    pub text: String,
    /// Which word of the question it belongs to.
    pub word: usize,
}

/// One word of a question as it was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// As typed, without punctuation at the ends.
    pub raw: String,
    /// The parts that it consists of.
    pub parts: Vec<String>,
}

/// Cuts a question into words, keeping names such as `validation/ssim`, `baseline-study_1-trial_4` and `#345` whole.
pub fn words(text: &str) -> Vec<Word> {
    text.split(|c: char| c.is_whitespace() || "(),;!?\"“”`’".contains(c))
        .map(|raw| raw.trim_end_matches("'s").trim_matches(|c: char| ".:'[]{}<>=".contains(c)))
        .filter(|raw| raw.chars().any(char::is_alphanumeric))
        .map(|raw| Word { raw: raw.to_owned(), parts: parts(raw) })
        .collect()
}

/// The parts of a name in their common spelling: `val/loss` is `validation`, `loss`; `lr` is `learning`, `rate`.
pub fn parts(name: &str) -> Vec<String> {
    let mut parts = Vec::new();
    for piece in name.split(|c: char| !c.is_alphanumeric()).filter(|piece| !piece.is_empty()) {
        for part in camel_parts(piece) {
            match SAME.iter().find(|(short, _)| *short == part) {
                Some((_, long)) => parts.extend(long.iter().map(|part| (*part).to_owned())),
                None => parts.push(part),
            }
        }
    }
    parts
}

/// `valLoss` is `val`, `loss`; words in capitals and words with digits stay whole.
fn camel_parts(piece: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut before: Option<char> = None;
    for c in piece.chars() {
        if c.is_uppercase()
            && before.is_some_and(char::is_lowercase)
            && piece.chars().filter(|c| c.is_uppercase()).count() < piece.len() / 2
        {
            parts.push(String::new());
        }
        if let Some(last) = parts.last_mut() {
            last.extend(c.to_lowercase());
        }
        before = Some(c);
    }
    parts
}

/// Whether a typed part means a part of a name: the same, its plural, its beginning where that is long, or one slip away.
/// Names that differ in a number are different names.
pub fn means(typed: &str, part: &str) -> bool {
    if typed == part || typed.strip_suffix('s') == Some(part) && part.len() > 3 {
        return true;
    }
    if typed.chars().chain(part.chars()).any(char::is_numeric) {
        return false;
    }
    let is_beginning = typed.len() >= 5 && part.starts_with(typed) && part.len() <= typed.len() + 4;
    let is_slip =
        typed.len() >= 5 && part.len() >= 5 && typed.chars().next() == part.chars().next() && strsim::damerau_levenshtein(typed, part) == 1;
    is_beginning || is_slip
}
