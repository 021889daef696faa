//! Any text, redacted: without what nobody sees, and what was redacted once is not changed again.

use anyhow::Result;
use runlore_indexer::redact::redact;
use runlore_tests::fuzz::{Format, Outcome, Target, fuzz};
use runlore_tests::team::fixtures;

/// Names and beginnings of secrets; what follows them is chance.
const WORDS: [&str; 48] = [
    "password = ",
    "PASSWORD=",
    "passwd: ",
    "secret: ",
    "api_key=",
    "apikey: \"",
    "token=",
    "Authorization: Bearer ",
    "AWS_SECRET_ACCESS_KEY=",
    "aws_access_key_id = AKIA",
    "hf_",
    "ghp_",
    "gho_",
    "github_pat_",
    "glpat-",
    "xoxb-",
    "xoxp-",
    "xapp-1-",
    "sk-",
    "sk-ant-",
    "eyJhbGciOi",
    "wandb_api_key: ",
    "WANDB_API_KEY=",
    "://user:hunter22@",
    "postgres://",
    "-----BEGIN RSA PRIVATE KEY-----\n",
    "-----END RSA PRIVATE KEY-----",
    "machine h login u password ",
    "AccountKey=",
    "sig=",
    "X-Amz-Signature=",
    "[redacted:",
    "[redacted:password]",
    "]",
    "MTk4NjIyNDgzNDcxOTI1MjQ4.",
    "npm_",
    "pypi-AgEIcHlwaS5vcmc",
    "AIza",
    "ya29.",
    "SG.",
    "key-",
    "dop_v1_",
    "0123456789abcdef0123456789abcdef01234567",
    "550e8400-e29b-41d4-a716-446655440000",
    "s3cr3t-V4lu3-qZ9xW2eR",
    "aB3dE5gH7jK9mN1pQ3sT5vX7zA9cE1fG3",
    "dGhpcyBpcyBub3QgYSBzZWNyZXQ=",
    "export ",
];

fn seeds() -> Vec<Vec<u8>> {
    let folder = fixtures();
    let files = ["notes/vessel-detect/log.md", "configs/vessel-detect/train.yaml", "configs/common/cluster.json", "runlore.toml"];
    let mut seeds: Vec<Vec<u8>> = files.iter().filter_map(|file| std::fs::read(folder.join(file)).ok()).collect();
    let lines = [
        "export API_KEY=aB3dE5gH7jK9mN1pQ3sT5vX7zA9cE1fG3 # for the tracker",
        "{\"password\": \"s3cr3t-V4lu3-qZ9xW2eR\", \"lr\": 1e-3}",
        "postgres://runlore:s3cr3t-V4lu3@db.example:5432/runs?sslmode=require",
        "commit 0123456789abcdef0123456789abcdef01234567 of run 550e8400-e29b-41d4-a716-446655440000",
        "a\u{200b}pi_k\u{ad}ey = \u{202e}aB3dE5gH7jK9mN1pQ3sT5vX7zA9cE1fG3\u{1b}[0m",
    ];
    seeds.extend(lines.iter().map(|line| line.as_bytes().to_vec()));
    seeds
}

#[test]
fn redactor() -> Result<()> {
    // The patterns are built when they are first needed, which is no input's fault.
    WORDS.iter().for_each(|word| drop(redact(&format!("{word}aB3dE5gH7jK9mN1pQ3sT5vX7zA9cE1fG3"))));
    fuzz(&Target { name: "redactor", format: Format::Text, seeds: seeds(), words: &WORDS, check: &check })
}

fn check(input: &[u8]) -> Outcome {
    let text = String::from_utf8_lossy(input);
    let (once, _) = redact(&text);
    if let Some(unseen) = unseen(&once) {
        return Err(format!("{unseen:?} is left, which nobody sees"));
    }
    let (twice, _) = redact(&once);
    if once != twice {
        return Err(format!("redacting again changes {:?} into {:?}", first_difference(&once, &twice), first_difference(&twice, &once)));
    }
    let rules: std::collections::BTreeSet<&str> = once.split("[redacted:").skip(1).filter_map(|rest| rest.split(']').next()).collect();
    let is_rule = |name: &&str| name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    Ok(rules.into_iter().filter(is_rule).take(3).collect::<Vec<_>>().join(" "))
}

/// A character that shows nothing, or turns the direction of writing. Joiners stay between letters that are not ASCII.
fn unseen(text: &str) -> Option<char> {
    text.chars().find(|&c| {
        let is_control = c.is_control() && !matches!(c, '\t' | '\n' | '\r');
        let is_hidden = matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}');
        is_control || is_hidden
    })
}

/// What stands where the first text begins to differ from the second.
fn first_difference<'a>(one: &'a str, other: &str) -> &'a str {
    let n_same = one.bytes().zip(other.bytes()).take_while(|(a, b)| a == b).count();
    let start = one.floor_char_boundary(n_same.saturating_sub(20).min(one.len()));
    &one[start..one.floor_char_boundary((n_same + 60).min(one.len()))]
}
