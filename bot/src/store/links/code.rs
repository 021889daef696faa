//! A code that links two accounts: a random id, and what signs who asked for it. Hexadecimal digits, as redaction leaves them alone.

use hmac::{Hmac, KeyInit, Mac};
use runlore_indexer::chunk::hex;
use sha2::Sha256;

use super::super::{StoreError, to_json};
use crate::chat::Account;

/// Digits of the id, and of the signature behind it.
const ID: usize = 16;
const SIGNATURE: usize = 32;

/// What a code says.
#[derive(Debug, Clone, Copy)]
pub(super) struct Says<'a> {
    /// Its id.
    pub(super) id: &'a str,
    /// Who asked for it.
    pub(super) asker: &'a Account,
    /// Until when it can be typed.
    pub(super) until_ms: i64,
}

/// The code of what it says.
pub(super) fn written(says: Says<'_>, key: &str) -> Result<String, StoreError> {
    let signature = hex(&signed(says, key)?.finalize().into_bytes()[..]);
    Ok(format!("{}{}", says.id, &signature[..SIGNATURE]))
}

/// Whether this signature, in digits, is that of what is said.
pub(super) fn is_signed(says: Says<'_>, signature: &str, key: &str) -> Result<bool, StoreError> {
    let Some(bytes) = bytes(signature) else { return Ok(false) };
    Ok(signed(says, key)?.verify_truncated_left(&bytes).is_ok())
}

/// The id and the signature of a code; nothing where it has not the form of one.
pub(super) fn parted(code: &str) -> Option<(&str, &str)> {
    is_code(code).then(|| code.split_at(ID))
}

/// Whether a word has the form of a code.
pub fn is_code(word: &str) -> bool {
    word.len() == ID + SIGNATURE && word.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'))
}

/// So many random bytes, in hexadecimal digits.
pub(super) fn random<const N: usize>() -> Result<String, StoreError> {
    let mut bytes = [0_u8; N];
    let filled = rustls::crypto::ring::default_provider().secure_random.fill(&mut bytes);
    filled.map_err(|_| StoreError::NoRandomness)?;
    Ok(hex(&bytes))
}

/// The id of a new code.
pub(super) fn new_id() -> Result<String, StoreError> {
    random::<{ ID / 2 }>()
}

fn signed(says: Says<'_>, key: &str) -> Result<Hmac<Sha256>, StoreError> {
    let Says { id, asker, until_ms } = says;
    let said = to_json(&("link", id, asker, until_ms))?;
    let mac = Hmac::<Sha256>::new_from_slice(key.as_bytes());
    let mac = mac.map_err(|error| StoreError::Broken { what: "key", reason: error.to_string() })?;
    Ok(mac.chain_update(said.as_bytes()))
}

fn bytes(digits: &str) -> Option<Vec<u8>> {
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::chat::Platform;

    fn account(person: &str) -> Account {
        Account { platform: Platform::Slack, workspace: "T1".to_owned(), person: person.to_owned() }
    }

    #[test]
    fn a_code_says_one_thing_under_one_key() {
        let (ada, grace, id) = (account("U1"), account("U2"), "0123456789abcdef");
        let says = Says { id, asker: &ada, until_ms: 7 };
        let code = written(says, "k").unwrap();
        assert!(is_code(&code) && code.starts_with(id), "{code}");
        let (_, signature) = parted(&code).unwrap();
        assert!(is_signed(says, signature, "k").unwrap());
        let elsewhere = Account { platform: Platform::Discord, ..ada.clone() };
        let others = [
            Says { id: "0123456789abcdee", ..says },
            Says { asker: &grace, ..says },
            Says { asker: &elsewhere, ..says },
            Says { until_ms: 8, ..says },
        ];
        assert!(others.iter().all(|other| !is_signed(*other, signature, "k").unwrap()));
        assert!(!is_signed(says, signature, "another").unwrap());
        for at in 0..SIGNATURE {
            let digit = if &signature[at..=at] == "0" { "1" } else { "0" };
            let forged = format!("{}{digit}{}", &signature[..at], &signature[at + 1..]);
            assert!(!is_signed(says, &forged, "k").unwrap(), "{forged}");
        }
    }

    #[test]
    fn only_lower_hexadecimal_digits_make_a_code() {
        let code = "0123456789abcdef".repeat(3);
        assert!(is_code(&code));
        let shorter = code[1..].to_owned();
        let others =
            [String::new(), "link".to_owned(), format!("{code}0"), code.to_uppercase(), format!("+{shorter}"), "é".repeat(24), shorter];
        for word in &others {
            assert!(parted(word).is_none(), "{word}");
        }
    }

    #[test]
    fn no_two_ids_are_the_same() {
        let ids: std::collections::HashSet<String> = (0..100).map(|_| new_id().unwrap()).collect();
        assert!(ids.len() == 100 && ids.iter().all(|id| id.len() == ID));
    }
}
