//! Ways to forge a request, each applied to a genuine one.

use runlore_tests::fuzz::Random;
use runlore_tests::signing::{hmac, signature};

use super::genuine::signed;
use super::{SECRET, Sent, now};

const AT: &str = "x-slack-request-timestamp";
const SIGNATURE: &str = "x-slack-signature";

/// Changes a genuine request so that it is none any more.
type Way = fn(&mut Random, &mut Sent);

/// Each with its name.
pub const WAYS: [(&str, Way); 25] = [
    ("another secret", |random, sent| {
        let secret = random.bytes(32);
        resign(sent, |at, body| signature(&secret, at, body));
    }),
    ("a secret one bit away", |random, sent| {
        let mut secret = SECRET.as_bytes().to_vec();
        flip(random, &mut secret);
        resign(sent, |at, body| signature(&secret, at, body));
    }),
    ("no secret", |_, sent| resign(sent, |at, body| signature(b"", at, body))),
    ("a bit of the body flipped", |random, sent| flip(random, &mut sent.body)),
    ("the body cut short", |random, sent| sent.body.truncate(random.below(sent.body.len()))),
    ("the body longer", |random, sent| {
        let more = *random.pick(&[&b" "[..], b"\n", b"&a=b", b"{}", b"\0", b"%20"]);
        sent.body.extend_from_slice(more);
    }),
    ("the body of another", |random, sent| sent.body = random.bytes(200)),
    ("a digit of the signature changed", |random, sent| {
        let at = 3 + random.below(64);
        let value = value(sent, SIGNATURE);
        value[at] = if value[at] == b'0' { b'1' } else { b'0' };
    }),
    ("the signature cut short", |random, sent| {
        let n = random.below(67);
        value(sent, SIGNATURE).truncate(n);
    }),
    ("the signature longer", |random, sent| {
        let more = *random.pick(&[&b"0"[..], b"00", b",v0=", b";"]);
        value(sent, SIGNATURE).extend_from_slice(more);
    }),
    ("upper-case digits", |_, sent| value(sent, SIGNATURE)[3..].make_ascii_uppercase()),
    ("another version", |random, sent| {
        let version = *random.pick(&[&b"v1="[..], b"v2=", b"V0=", b"v0:", b"v00=", b"=", b""]);
        value(sent, SIGNATURE).splice(0..3, version.iter().copied());
    }),
    ("no signature", |_, sent| sent.headers.retain(|(name, _)| *name != SIGNATURE)),
    ("no time", |_, sent| sent.headers.retain(|(name, _)| *name != AT)),
    ("neither", |_, sent| sent.headers.clear()),
    ("another time than the signed one", |random, sent| {
        let value = value(sent, AT);
        let signed: i64 = String::from_utf8_lossy(value).parse().unwrap();
        *value = (signed - 1 - random.below(250) as i64).to_string().into_bytes();
    }),
    ("signed well, and old", |random, sent| {
        let ago = 302 + span_s(random);
        *sent = signed(sent.path, sent.body.clone(), &(now() - ago).to_string());
    }),
    ("signed well, and of the future", |random, sent| {
        let ahead = 320 + span_s(random);
        *sent = signed(sent.path, sent.body.clone(), &(now() + ahead).to_string());
    }),
    ("signed well, at no time", |random, sent| {
        let now = now();
        let times = [
            i64::MIN.to_string(),
            i64::MAX.to_string(),
            (-now).to_string(),
            format!("+{now}"),
            format!("{now}.0"),
            format!("{now}e0"),
            "99999999999999999999".to_owned(),
            format!("{now}000"),
            format!("{}{now}", "0".repeat(40)),
            "0".to_owned(),
            "-1".to_owned(),
            "NaN".to_owned(),
            String::new(),
            format!("0x{now:x}"),
            "１７９３".to_owned(),
        ];
        let at = random.pick(&times);
        *sent = signed(sent.path, sent.body.clone(), at);
    }),
    ("two signatures", |random, sent| {
        double(random, sent, SIGNATURE, b"v0=0000000000000000000000000000000000000000000000000000000000000000")
    }),
    ("two times", |random, sent| double(random, sent, AT, b"1700000000")),
    ("bytes that are no text in the heads", |random, sent| {
        let name = *random.pick(&[SIGNATURE, AT]);
        let (value, byte) = (value(sent, name), 0x80 | random.below(128) as u8);
        let at = random.below(value.len());
        value[at] = byte;
    }),
    ("the body alone signed", |_, sent| resign(sent, |_, body| format!("v0={}", hmac(SECRET.as_bytes(), body)))),
    ("the parts in another order", |_, sent| {
        resign(sent, |at, body| format!("v0={}", hmac(SECRET.as_bytes(), &[b"v0:", body, b":", at.as_bytes()].concat())));
    }),
    ("the time's end moved into the body", |_, sent| {
        // `v0:170:0body` and `v0:1700:body` differ by where the colon stands alone.
        let at = value(sent, AT);
        let last = at.pop().unwrap_or(b'0');
        sent.body.insert(0, last);
    }),
];

/// The request, forged in this way.
pub fn forged(random: &mut Random, way: usize, genuine: &Sent) -> Sent {
    let mut sent = genuine.clone();
    (WAYS[way].1)(random, &mut sent);
    sent
}

fn value<'a>(sent: &'a mut Sent, name: &str) -> &'a mut Vec<u8> {
    let found = sent.headers.iter_mut().find(|(known, _)| *known == name);
    &mut found.expect("a genuine request has both").1
}

fn resign(sent: &mut Sent, sign: impl FnOnce(&str, &[u8]) -> String) {
    let at = String::from_utf8(value(sent, AT).clone()).unwrap();
    *value(sent, SIGNATURE) = sign(&at, &sent.body).into_bytes();
}

/// The genuine one and another, in either order.
fn double(random: &mut Random, sent: &mut Sent, name: &'static str, other: &[u8]) {
    let at = if random.once_in(2) { 0 } else { sent.headers.len() };
    sent.headers.insert(at, (name, other.to_vec()));
}

/// Seconds, up to half a lifetime, as often few as many.
fn span_s(random: &mut Random) -> i64 {
    let n_bits = random.below(31);
    random.below(1 << n_bits) as i64
}

fn flip(random: &mut Random, bytes: &mut [u8]) {
    let at = random.below(bytes.len());
    bytes[at] ^= 1 << random.below(8);
}
