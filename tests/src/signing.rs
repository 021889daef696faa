//! What Slack signs its requests with.

use sha2::{Digest, Sha256};

/// The value of `X-Slack-Signature` for a body that is sent at this time, written as in `X-Slack-Request-Timestamp`.
pub fn signature(secret: &[u8], at: &str, body: &[u8]) -> String {
    format!("v0={}", hmac(secret, &[b"v0:", at.as_bytes(), b":", body].concat()))
}

/// HMAC-SHA256 (RFC 2104) in hexadecimal digits; keys of at most 64 bytes.
pub fn hmac(key: &[u8], message: &[u8]) -> String {
    let mut block = [0_u8; 64];
    block[..key.len()].copy_from_slice(key);
    let pad = |byte: u8| block.map(|b| b ^ byte);
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(message).finalize();
    let outer = Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize();
    outer.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Slack's own sample, of its page on verifying requests.
    #[test]
    fn as_slack_signs() {
        let body = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&\
                    user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2F\
                    commands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.\
                    803a0bc887a14d10d2c447fce8b6703c";
        let expected = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503";
        assert_eq!(signature(b"8f742231b10e8888abcd99yyyzzz85a5", "1531420618", body.as_bytes()), expected);
    }
}
