//! Names under which secrets stand, and values that are none all the same.

use super::MARK;

/// Ends of names whose value is a secret, compared in lower case without `_`, `-` and spaces.
const SECRET_ENDS: [&str; 13] = [
    "password",
    "passwd",
    "passphrase",
    "secret",
    "apikey",
    "accesskey",
    "secretkey",
    "privatekey",
    "accountkey",
    "authkey",
    "signingkey",
    "credential",
    "credentials",
];

/// Whether the value of this param, tag or config key is a secret.
pub(super) fn is_secret(key: &str, value: &str) -> bool {
    let last = key.rsplit(['.', '/', ':']).find(|part| part.parse::<u32>().is_err()).unwrap_or(key);
    let name: String = last.chars().filter(|c| !matches!(c, '_' | '-' | ' ')).flat_map(char::to_lowercase).collect();
    let value = value.trim();
    if is_plainly_none(value) {
        return false;
    }
    SECRET_ENDS.iter().any(|end| name.ends_with(end)) || (name.ends_with("token") && looks_random(value))
}

/// Entropy of a key of forty characters in base64, which may begin with a slash; no path has so much.
const OF_A_KEY: f64 = 4.6;

/// Values that stand for a secret without being one: empty, switches, numbers, paths, references, what was redacted already.
pub(super) fn is_plainly_none(value: &str) -> bool {
    let value = value.trim_end_matches([',', ';', ')', '}', ']']);
    let lower = value.to_ascii_lowercase();
    let is_reference = ["$", "{", "<", "*", "%(", MARK, "os.", "env.", "getenv", "process.env", "secrets.", "vault:"];
    let is_path = ["/", "./", "../", "~/"];
    value.len() < 4
        || matches!(
            lower.as_str(),
            "none" | "null" | "true" | "false" | "unset" | "redacted" | "required" | "optional" | "string" | "undefined"
        )
        || is_reference.iter().any(|start| lower.starts_with(start))
        || is_path.iter().any(|start| value.starts_with(start)) && entropy(value) < OF_A_KEY
        || (value.len() < 8 && value.parse::<f64>().is_ok())
}

/// Long, of letters and digits, and no number: what a token looks like, and `[PAD]`, `gpt2` and `2.5e-05` do not.
pub(super) fn looks_random(value: &str) -> bool {
    let is_of_token = |c: char| c.is_ascii_alphanumeric() || "-_.+/=~:".contains(c);
    value.len() >= 16
        && value.chars().all(is_of_token)
        && value.chars().any(|c| c.is_ascii_digit())
        && value.chars().any(|c| c.is_ascii_alphabetic())
        && value.parse::<f64>().is_err()
        && entropy(value) > 3.0
}

/// Letters and digits both: `hunter2`, and no word.
pub(super) fn is_mixed(value: &str) -> bool {
    value.chars().any(|c| c.is_ascii_digit()) && value.chars().any(|c| c.is_ascii_alphabetic())
}

/// A word, or several with `-` and `_`, in one case and without digits: a drawn token is that once in hundreds.
pub(super) fn is_wordy(value: &str) -> bool {
    let is_in_word = |c: char| c.is_ascii_alphabetic() || matches!(c, '-' | '_' | '=');
    let has = |is_case: fn(&char) -> bool| value.chars().any(|c| is_case(&c));
    value.chars().all(is_in_word) && !(has(char::is_ascii_lowercase) && has(char::is_ascii_uppercase))
}

/// Shannon entropy of the bytes, in bits a byte.
pub(super) fn entropy(text: &str) -> f64 {
    let mut counts = [0_u32; 256];
    for byte in text.bytes() {
        counts[usize::from(byte)] += 1;
    }
    let n_bytes = text.len() as f64;
    counts.iter().filter(|count| **count > 0).map(|count| f64::from(*count) / n_bytes).map(|share| -share * share.log2()).sum()
}

/// Whether this has the shape of a git hash, run id, checksum or UUID.
pub(super) fn is_hash_shaped(text: &str) -> bool {
    let digits: String = text.chars().filter(|c| *c != '-').collect();
    let has_shape = matches!((text.len(), digits.len()), (36, 32))
        || (digits.len() == text.len() && matches!(text.len(), 7..=12 | 32 | 40 | 56 | 64 | 96 | 128));
    has_shape && digits.bytes().all(|b| b.is_ascii_hexdigit())
}
