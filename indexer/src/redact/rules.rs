//! What a secret looks like: our own rules first, then those of gitleaks.
//!
//! `gitleaks.json` holds the rules of gitleaks 8.30.1 (MIT, `LICENSE.gitleaks`), one a line, less its generic rule, those
//! for certain file names, and the one for Discord's client ids, which are no secrets and look like the id of any channel; where
//! a group of theirs is less than the secret, `group` says 0. Our own cover what ML teams use and what gitleaks leaves to
//! its generic rule, which takes hashes and run ids for keys.

use serde::Deserialize;

/// One kind of secret.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Rule {
    /// Stands in the text instead of the secret.
    pub(super) id: String,
    /// As it was written; compiled as `gaps::widened` says.
    pub(super) pattern: String,
    /// In lower case; the pattern is tried where one of them stands.
    pub(super) keywords: Vec<String>,
    /// Least entropy of the secret, in bits a byte.
    pub(super) entropy: Option<f64>,
    /// The group of the pattern that is the secret.
    pub(super) group: Option<usize>,
    /// What else must hold.
    #[serde(skip)]
    pub(super) check: Check,
}

/// What must hold of a match besides its pattern.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Check {
    /// Nothing.
    None,
    /// What has the shape of a hash or UUID stands beside a word like `key` or `token`.
    #[default]
    NamedIfHash,
    /// It is no switch, path, reference or word of a sentence.
    Password,
    /// It is long and of letters and digits.
    Random,
    /// It has letters and digits.
    Mixed,
}

const GITLEAKS: &str = include_str!("gitleaks.json");

/// Every rule; where two find the same, the earlier gives its name.
pub(super) fn all() -> Vec<Rule> {
    let own = OWN.iter().map(|(id, keywords, pattern, check)| Rule {
        id: (*id).to_owned(),
        pattern: (*pattern).to_owned(),
        keywords: keywords.split(' ').map(str::to_owned).collect(),
        entropy: None,
        group: None,
        check: *check,
    });
    let vendored: Vec<Rule> = serde_json::from_str(GITLEAKS).unwrap_or_default();
    own.chain(vendored).collect()
}

/// A key in PEM: between its marks where both are there, else its lines.
const PRIVATE_KEY: &str = concat!(
    r"-----BEGIN[ A-Z0-9_-]{0,60}PRIVATE KEY(?: BLOCK)?-----",
    r"(?:(?:[^-]|-{1,4}[^-])*?-----END[ A-Z0-9_-]{0,60}PRIVATE KEY(?: BLOCK)?-----",
    r#"|(?:(?:\\+[nr]|[\s"'`+,|>\\*#]){0,60}[A-Za-z0-9+/=]{32,})+(?:(?:\\+[nr]|[\s"'`+,|>\\*#]){0,60}[A-Za-z0-9+/=]{4,})?)"#
);

/// The same where the beginning was cut off.
const PRIVATE_KEY_TAIL: &str = concat!(
    r#"(?:[A-Za-z0-9+/=]{32,}(?:\\+[nr]|[\s"'`+,|>\\*#]){0,60})+(?:[A-Za-z0-9+/=]+(?:\\+[nr]|[\s"'`+,|>\\*#]){0,60})?"#,
    r"-----END[ A-Z0-9_-]{0,60}PRIVATE KEY(?: BLOCK)?-----"
);

/// Keywords of names whose value is a secret whatever it looks like.
const PASSWORD_WORDS: &str = "password passwd passphrase secret credential key";

/// Id, keywords, pattern, check.
type OwnRule = (&'static str, &'static str, &'static str, Check);

const OWN: &[OwnRule] = &[
    ("private-key", "-----begin", PRIVATE_KEY, Check::None),
    ("private-key", "-----end", PRIVATE_KEY_TAIL, Check::None),
    ("aws-access-key", "akia asia abia acca a3t", r"\b((?:AKIA|ASIA|ABIA|ACCA|A3T[A-Z0-9])[A-Z0-9]{16})\b", Check::None),
    ("gcp-api-key", "aiza", r"\b(AIza[\w-]{35})", Check::None),
    ("gcp-oauth-token", "ya29.", r"\b(ya29\.[\w-]{20,})", Check::None),
    ("gcp-oauth-secret", "gocspx-", r"\b(GOCSPX-[\w-]{20,})", Check::None),
    ("azure-storage-key", "accountkey", r"(?i)AccountKey=([A-Za-z0-9+/]{40,}={0,2})", Check::None),
    ("azure-client-secret", "q~", r"\b([A-Za-z0-9_~.]{3}\dQ~[A-Za-z0-9_~.-]{31,34})", Check::None),
    (
        "github-token",
        "ghp_ gho_ ghu_ ghs_ ghr_ github_pat_",
        r"\b((?:gh[pousr]_[A-Za-z0-9]{36,255})|(?:github_pat_[A-Za-z0-9_]{22,255}))",
        Check::None,
    ),
    (
        "gitlab-token",
        "glpat- gldt- glrt- glcbt- glptt- glft- glimt- glagent- glsoat- gloas- glffct-",
        r"\b(gl(?:pat|dt|rt|cbt|ptt|ft|imt|agent|soat|oas|ffct)-[\w-]{20,})",
        Check::None,
    ),
    (
        "slack-token",
        "xoxa xoxb xoxc xoxd xoxe xoxo xoxp xoxr xoxs xapp-",
        r"\b((?:xoxe\.)?xox[a-eoprs]-[A-Za-z0-9%-]{10,}|xapp-\d-[A-Za-z0-9-]{10,})",
        Check::None,
    ),
    ("slack-webhook", "hooks.slack.com", r"hooks\.slack\.com/(?:services|workflows|triggers)/([A-Za-z0-9+/]{20,})", Check::None),
    ("discord-webhook", "/api/webhooks/", r"discord(?:app)?\.com/api/webhooks/\d+/([\w-]{30,})", Check::None),
    ("discord-token", "discord bot token", r"\b([MNO][\w-]{22,27}\.[\w-]{6}\.[\w-]{27,45})\b", Check::None),
    ("anthropic-key", "sk-ant-", r"\b(sk-ant-[\w-]{20,})", Check::None),
    ("openrouter-key", "sk-or-", r"\b(sk-or-[\w-]{20,})", Check::None),
    ("openai-key", "sk-", r"\b(sk-(?:(?:proj|svcacct|admin|None|lf)-[\w-]{20,}|[A-Za-z0-9]{20,}))", Check::None),
    ("huggingface-token", "hf_ api_org_", r"\b((?:hf|api_org)_[A-Za-z0-9]{30,})", Check::None),
    ("wandb-key", "wandb_v1_", r"\b(wandb_v1_\w{30,})", Check::None),
    ("wandb-key", "wandb", r"(?i)wandb[\w.-]{0,20}(?:key|token|secret)<=>((?:local-)?[0-9a-f]{40,})\b", Check::None),
    ("wandb-key", "wandb", r#"(?i)wandb(?:\.|\s+)login\s*\(?(?:[^)\n]{0,60}?[\s(=,])?\\*["']?((?:local-)?[0-9a-f]{40,})\b"#, Check::None),
    ("wandb-key", "wandb", r"(?i)wandb[\w./-]*\s+login\s+\w+\s+password\s+((?:local-)?[0-9a-f]{40,})\b", Check::None),
    ("comet-key", "comet", r"(?i)comet[\w.-]{0,20}(?:key|token)<=>([A-Za-z0-9]{20,})\b", Check::None),
    ("neptune-token", "eyjhcglf", r"\b(eyJhcGlf[A-Za-z0-9+/_-]{20,}={0,2})", Check::None),
    ("neptune-token", "neptune", r"(?i)neptune[\w.-]{0,20}(?:key|token)<=>([A-Za-z0-9+/=_-]{20,})", Check::None),
    ("clearml-key", "clearml trains", r"(?i)(?:clearml|trains)[\w.]{0,30}(?:access_key|secret_key)<=>([A-Za-z0-9]{16,})\b", Check::None),
    ("mlflow-credential", "mlflow", "(?i)mlflow[_-]tracking[_-](?:password|token)<:><any>", Check::Password),
    ("mlflow-credential", "mlflow", "(?i)mlflow[_-]tracking[_-](?:password|token)<-><any>", Check::Password),
    ("databricks-token", "dapi dkea dose", r"\b((?:dapi|dkea|dose)[0-9a-f]{32}(?:-\d)?)\b", Check::None),
    ("langsmith-key", "lsv2_", r"\b(lsv2_(?:pt|sk)_[0-9a-f]{32}_[0-9a-f]{10})", Check::None),
    ("langfuse-key", "sk-lf- pk-lf-", r"\b((?:sk|pk)-lf-[0-9a-f-]{36})", Check::None),
    ("replicate-token", "r8_", r"\b(r8_[A-Za-z0-9]{37})", Check::None),
    ("groq-key", "gsk_", r"\b(gsk_[A-Za-z0-9]{40,})", Check::None),
    ("xai-key", "xai-", r"\b(xai-[A-Za-z0-9]{60,})", Check::None),
    ("nvidia-key", "nvapi-", r"\b(nvapi-[\w-]{50,})", Check::None),
    ("modal-token", "ak- as-", r"\b(a[ks]-[A-Za-z0-9]{22})\b", Check::Random),
    ("runpod-key", "rpa_", r"\b(rpa_[A-Z0-9]{30,}[A-Za-z0-9]*)", Check::None),
    ("pinecone-key", "pcsk_", r"\b(pcsk_\w{40,})", Check::None),
    ("fireworks-key", "fw_", r"\b(fw_[A-Za-z0-9]{20,})\b", Check::Random),
    ("voyage-key", "pa-", r"\b(pa-[A-Za-z0-9_-]{40,})", Check::Random),
    ("lightning-key", "lightning", r"(?i)lightning[\w.-]{0,20}key<=>([A-Za-z0-9-]{20,})", Check::None),
    ("kaggle-key", "kaggle", r"(?i)kaggle[_-]key<=>([0-9a-f]{32})\b", Check::None),
    ("kaggle-key", "username", r#""username\\*"\s*:\s*\\*"[^"\n]*"\s*,\s*\\*"key\\*"\s*:\s*\\*"([0-9a-f]{32})"#, Check::None),
    ("docker-token", "dckr_", r"\b(dckr_(?:pat|oat)_[\w-]{20,})", Check::None),
    ("tailscale-key", "tskey-", r"\b(tskey-[\w-]{20,})", Check::None),
    ("pypi-token", "pypi-", r"\b(pypi-[\w-]{50,})", Check::Random),
    ("npm-token", "npm_", r"\b(npm_[A-Za-z0-9]{36})", Check::None),
    ("stripe-key", "sk_ rk_ pk_", r"\b((?:sk|rk|pk)_(?:live|test|prod)_[A-Za-z0-9]{10,})", Check::None),
    ("jwt", "eyj", r"\b(eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,})", Check::None),
    ("url-password", "://", r#"://[^\s:/@"'`<>\[\]]*:([^\s/"'`<>\[\]]+)@"#, Check::None),
    ("url-token", "://", r#"https?://([A-Za-z0-9_~.-]{20,})@"#, Check::Random),
    (
        "url-signature",
        "signature= credential= token= sig= access_token= api_key= apikey=",
        r#"(?i)[?&;](?:X-(?:Amz|Goog|Oss|Cos)-(?:Signature|Credential|Security-Token)|Signature|sig|security-token|access_token|refresh_token|auth_token|token|api_?key)=([^&\s"'`<>#\[\]]{8,})"#,
        Check::None,
    ),
    (
        "authorization",
        "authorization",
        r#"(?i)authorization\\*["']?\s*[:=]\s*[\\"']{0,4}(?:bearer|basic|(?:api-)?token)\s+([\w.~+/=-]{8,})"#,
        Check::None,
    ),
    ("bearer-token", "bearer", r"(?i)\bbearer\s+([\w.~+/-]{20,}=*)", Check::Random),
    ("netrc-password", "password", r#"(?i)\blogin\s+\S+\s+password\s+([^\s"'`\[\]]{4,})"#, Check::None),
    ("password", PASSWORD_WORDS, "(?i)<password><:><any>", Check::Password),
    ("password", PASSWORD_WORDS, r#"(?i)<password>[ \t]*:[ \t]+([^\s"'`]\S{3,})[ \t]*(?:\r?\n|$)"#, Check::Password),
    ("password", PASSWORD_WORDS, "(?i)<password><-><any>", Check::Password),
    (
        "password",
        "password passwd passphrase _pass _pwd secret key",
        r#"(?:PASSWORD|PASSWD|PASSPHRASE|_PASS|_PWD|SECRET|(?:API|ACCESS|SECRET|PRIVATE|AUTH|SIGNING)_?KEY)=([^\s"'`]{4,})"#,
        Check::Password,
    ),
    (
        "password",
        "password passwd passphrase",
        r#"(?i)(?:password|passwd|passphrase)\\*["'`]?[ \t]*(?::=|=>|[:=])[ \t]*(?:\\*"([^"\n]{4,200}?)\\*"|'([^'\n]{4,200})')"#,
        Check::Password,
    ),
    (
        "password",
        "password passwd passphrase key token",
        r#"(?i)\b(?:password|passwd|passphrase|(?:api|access|secret|private|auth)[ _-]?key|(?:access|auth|api|bot)[ _-]?token)\s+is\s*:?\s*\\*["'`]?([^\s"'`,;\\]{6,})"#,
        Check::Mixed,
    ),
    ("token", "token", r#"(?i)token<=>([^\s"'`,;\\\[\]{}()<>&]{16,})"#, Check::Random),
    ("token", "token", r#"(?i)token<->["'`]?([^\s"'`,;\\\[\]{}()<>&]{16,})"#, Check::Random),
];
