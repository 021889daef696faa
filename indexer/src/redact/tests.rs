//! What is taken out, and what must survive.

#![expect(clippy::unwrap_used, reason = "tests")]

mod contexts;
mod drawn;
mod precision;
mod recall;

use std::borrow::Cow;
use std::time::Instant;

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::string::string_regex;
use proptest::test_runner::TestRunner;

use super::{Taken, redact, redact_record, rules};
use crate::record::{Body, Config, Pull, Record, TouchedFile};
use crate::run::{Run, RunText, Series};

/// Shapes of secrets that are known wherever they stand.
const ANYWHERE: [&str; 36] = [
    "AKIA[A-Z0-9]{16}",
    "ASIA[A-Z0-9]{16}",
    "AIza[A-Za-z0-9_-]{35}",
    "ya29\\.[A-Za-z0-9_-]{40}",
    "GOCSPX-[A-Za-z0-9]{28}",
    "ghp_[A-Za-z0-9]{36}",
    "gho_[A-Za-z0-9]{36}",
    "github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}",
    "glpat-[A-Za-z0-9]{20}",
    "xoxb-[0-9]{12}-[0-9]{12}-[A-Za-z0-9]{24}",
    "xapp-1-A[A-Z0-9]{10}-[0-9]{13}-[a-f0-9]{64}",
    "sk-[A-Za-z0-9]{48}",
    "sk-proj-[A-Za-z0-9_]{40}",
    "sk-ant-api03-[A-Za-z0-9_]{93}",
    "sk-or-v1-[a-f0-9]{64}",
    "hf_[A-Za-z0-9]{34}",
    "wandb_v1_[A-Za-z0-9]{40}",
    "eyJhcGlfYWRkcmVzcyI6[A-Za-z0-9]{60}",
    "dapi[a-f0-9]{32}",
    "lsv2_pt_[a-f0-9]{32}_[a-f0-9]{10}",
    "r8_[A-Za-z0-9]{37}",
    "gsk_[A-Za-z0-9]{52}",
    "xai-[A-Za-z0-9]{80}",
    "nvapi-[A-Za-z0-9]{64}",
    "rpa_[A-Z0-9]{40}",
    "pcsk_[A-Za-z0-9]{60}",
    "dckr_pat_[A-Za-z0-9]{27}",
    "pypi-AgEIcHlwaS5vcmc[A-Za-z0-9_]{80}",
    "npm_[A-Za-z0-9]{36}",
    "sk_live_[A-Za-z0-9]{24}",
    "eyJ[A-Za-z0-9]{20}\\.eyJ[A-Za-z0-9]{30}\\.[A-Za-z0-9_]{43}",
    "tskey-auth-[A-Za-z0-9]{24}",
    "pk-lf-[a-f0-9]{8}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{12}",
    "[a-z0-9]{3}8Q~[A-Za-z0-9_]{34}",
    "-----BEGIN RSA PRIVATE KEY-----\n[A-Za-z0-9+/]{64}\n[A-Za-z0-9+/]{64}\n-----END RSA PRIVATE KEY-----",
    "-----BEGIN OPENSSH PRIVATE KEY-----\n[A-Za-z0-9+/]{70}\n-----END OPENSSH PRIVATE KEY-----",
];

/// Names, and the shape of the secrets that only their name tells.
const NAMED: [(&str, &str); 24] = [
    ("WANDB_API_KEY", "[0-9a-f]{40}"),
    ("wandb.api_key", "local-[0-9a-f]{40}"),
    ("COMET_API_KEY", "[A-Za-z0-9]{25}"),
    ("NEPTUNE_API_TOKEN", "[A-Za-z0-9]{30,60}"),
    ("CLEARML_API_ACCESS_KEY", "[A-Z0-9]{20}"),
    ("clearml.api.credentials.secret_key", "[A-Za-z0-9]{50}"),
    ("MLFLOW_TRACKING_PASSWORD", "[A-Za-z]{4}[0-9!#]{4,12}"),
    ("MLFLOW_TRACKING_TOKEN", "[A-Za-z0-9]{32}"),
    ("AWS_SECRET_ACCESS_KEY", "[A-Za-z0-9+/]{39}[A-Za-z]"),
    ("aws_session_token", "[A-Za-z]{6}[0-9][A-Za-z0-9+/]{100}"),
    ("KAGGLE_KEY", "[0-9a-f]{32}"),
    ("LIGHTNING_API_KEY", "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{12}"),
    ("OPENAI_API_KEY", "[A-Za-z0-9]{32}"),
    ("MISTRAL_API_KEY", "[A-Za-z0-9]{32}"),
    ("TOGETHER_API_KEY", "[0-9a-f]{64}"),
    ("AZURE_OPENAI_API_KEY", "[0-9a-f]{32}"),
    ("db_password", "[A-Za-z]{3}[0-9#!%]{5,20}"),
    ("spring.datasource.password", "[A-Za-z0-9]{8,20}"),
    ("client_secret", "[A-Za-z0-9_~]{20,40}"),
    ("SLACK_SIGNING_SECRET", "[0-9a-f]{32}"),
    ("access-key", "[A-Za-z0-9]{20}"),
    ("private_key", "[A-Za-z0-9+]{40}"),
    ("HUB_TOKEN", "[A-Za-z]{4}[0-9]{4}[a-z0-9]{4}[A-Z][0-9a-z]{12}"),
    ("redis_passwd", "[A-Za-z0-9]{12}"),
];

fn sample(runner: &mut TestRunner, shape: &str) -> String {
    string_regex(shape).unwrap().new_tree(runner).unwrap().current()
}

/// Ways in which a named secret stands in a text.
fn in_contexts(name: &str, secret: &str) -> Vec<String> {
    let flag = name.to_lowercase().replace(['_', '.'], "-");
    vec![
        format!("{name}={secret}"),
        format!("export {name}={secret}\necho done"),
        format!("{name} = \"{secret}\""),
        format!("a: 1\n{name}: {secret}\nb: 2"),
        format!("{{\"{name}\": \"{secret}\", \"b\": 1}}"),
        format!("{{\\\"{name}\\\": \\\"{secret}\\\"}}"),
        format!("os.environ['{name}'] = '{secret}'"),
        format!("python train.py --{flag} {secret} --lr 0.1"),
        format!("python train.py --{flag}={secret} --lr 0.1"),
    ]
}

#[track_caller]
fn check_gone(text: &str, secret: &str) {
    let (redacted, taken) = redact(text);
    assert!(!redacted.contains(secret) && taken.n_secrets > 0, "{text:?} became {redacted:?}");
    assert_eq!(redacted, redact(&redacted).0, "redacting again changes {redacted:?}");
}

#[track_caller]
fn check_stays(text: &str) {
    assert_eq!((Cow::Borrowed(text), Taken::default()), redact(text));
}

#[test]
fn secrets_with_a_shape_are_gone_everywhere() {
    let mut runner = TestRunner::deterministic();
    for shape in ANYWHERE {
        for _ in 0..8 {
            let secret = sample(&mut runner, shape);
            for text in in_contexts("X", &secret) {
                check_gone(&text, &secret);
            }
            check_gone(&format!("I left {secret} in the notes."), &secret);
            check_gone(&format!("see (`{secret}`), please"), &secret);
            if !secret.contains('\n') {
                check_gone(&format!("https://host/path?a=1&k={secret}&b=2"), &secret);
            }
        }
    }
}

#[test]
fn secrets_with_a_name_are_gone_in_every_context() {
    let mut runner = TestRunner::deterministic();
    for (name, shape) in NAMED {
        for _ in 0..12 {
            let secret = sample(&mut runner, shape);
            for text in in_contexts(name, &secret) {
                check_gone(&text, &secret);
            }
        }
    }
}

#[test]
fn secrets_in_addresses_headers_and_commands_are_gone() {
    let hex = "0123456789abcdef0123456789abcdef01234567";
    let long = "q8J2xTz0LmN4pR6vW1yB3cD5";
    for (text, secret) in [
        ("postgres://mira:hunter2@db:5432/runs", "hunter2"),
        ("redis://:s3cr3t@cache/0", "s3cr3t"),
        (&format!("git clone https://{long}@host.example/x.git"), long),
        ("s3://b/k?X-Amz-Algorithm=A&X-Amz-Credential=AB%2F20260101&X-Amz-Signature=deadbeefdeadbeef&x=1", "deadbeefdeadbeef"),
        ("https://a.blob.example/c?sv=2022&sig=abc%2Fdefghijk%3D", "abc%2Fdefghijk%3D"),
        ("https://storage.example/o?X-Goog-Signature=0a1b2c3d4e5f", "0a1b2c3d4e5f"),
        (
            "AccountName=a;AccountKey=QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcQ==;",
            "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcQ",
        ),
        ("Authorization: Basic dXNlcjpwYXNz", "dXNlcjpwYXNz"),
        (&format!("curl -H 'Authorization: Bearer {long}' x"), long),
        (&format!("wandb login {hex}"), hex),
        (&format!("wandb login --relogin {hex}"), hex),
        (&format!("wandb.login(key=\"{hex}\")"), hex),
        (&format!("machine api.wandb.ai\n  login user\n  password {hex}"), hex),
        ("machine h login me password tiger", "tiger"),
        ("{\"username\":\"mira\",\"key\":\"0123456789abcdef0123456789abcdef\"}", "0123456789abcdef0123456789abcdef"),
        ("https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX", "XXXXXXXXXXXXXXXXXXXXXXXX"),
        ("https://discord.com/api/webhooks/123456789/abcdefghijABCDEFGHIJ0123456789abcdefghij", "abcdefghijABCDEFGHIJ0123456789abcdefghij"),
        ("the password: hunter2, do not tell", "hunter2"),
        ("password: swordfish\n", "swordfish"),
        ("\u{200b}AKIA\u{200b}QWERTYUIOPASDFGH", "QWERTYUIOPASDFGH"),
        ("password: p@ss(w0rd),x;y\n", "p@ss(w0rd),x;y"),
        ("DB_PASSWORD=a,b(c)d;e", "a,b(c)d;e"),
        ("AWS_SECRET_ACCESS_KEY=/aZ9bY8cX7dW6eV5fU4gT3hS2iR1jQ0kP+lO/mN", "/aZ9bY8cX7dW6eV5fU4gT3hS2iR1jQ0kP+lO/mN"),
        ("SMTP_PASS=Xy,12", "Xy,12"),
        ("{\"password\": \"correct horse battery staple\"}", "correct horse battery staple"),
        ("db_password: str = \"tiger9\"", "tiger9"),
        ("my wandb api key is 0123456789abcdef0123456789abcdef01234567, is it?", "0123456789abcdef0123456789abcdef01234567"),
        ("The password is hunter2.", "hunter2"),
        ("my api key is “q8J2xTz0LmN4pR6v” now", "q8J2xTz0LmN4pR6v"),
        ("| WANDB_API_KEY | 0123456789abcdef0123456789abcdef01234567 |", "0123456789abcdef0123456789abcdef01234567"),
        ("postgres://mira:p@ss@db:5432/runs", "p@ss"),
        ("{\"args\": [\"--db-password\", \"tiger9\"]}", "tiger9"),
    ] {
        check_gone(text, secret);
    }
}

#[test]
fn every_entry_of_a_kubernetes_secret_is_gone() {
    let text = "kind: ConfigMap\ndata:\n  region: north\n---\napiVersion: v1\nkind: Secret\ndata:\n  user: bWlyYQ==\n  pass: \"aHVudGVyMg==\"\n\
                stringData:\n  note: |\n    first line\n    second line\n  url: plain-words\ntype: Opaque\n---\nkind: Service\ndata:\n  port: eighty\n";
    let redacted = redact(text).0;
    for gone in ["bWlyYQ", "aHVudGVyMg", "first line", "second line", "plain-words"] {
        assert!(!redacted.contains(gone), "{redacted}");
    }
    for kept in ["region: north", "  user: [redacted:kubernetes-secret-yaml]\n", "type: Opaque", "port: eighty"] {
        assert!(redacted.contains(kept), "{redacted}");
    }
    assert_eq!(redacted, redact(&redacted).0);
    check_gone("{\n  \"kind\": \"Secret\",\n  \"data\": {\n    \"a\": \"bWlyYQ==\"\n  }\n}\n", "bWlyYQ==");
}

#[test]
fn keys_without_one_of_their_marks_are_gone_and_the_rest_stays() {
    let line = "q8J2xTz0LmN4pR6vW1yB3cD5q8J2xTz0LmN4pR6vW1yB3cD5q8J2xTz0LmN4pR6v";
    let (begin, end) = ("-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----");
    assert_eq!(
        "[redacted:private-key]\n\nThe loss fell.",
        redact(&format!("{begin}\n{line}\n{line}\nabc=\n\nThe loss fell.")).0.replace(" \n", "\n")
    );
    assert_eq!("step 3\n[redacted:private-key]\nstep 4", redact(&format!("step 3\n{line}\n{line}\nabc=\n{end}\nstep 4")).0);
    check_stays(&format!("It begins with {begin}\nand the loss fell in every run that we looked at.\n"));
}

#[test]
fn a_replacement_names_its_rule() {
    assert_eq!("key [redacted:aws-access-key] and", redact("key AKIAQWERTYUIOPASDFGH and").0);
    assert_eq!(2, redact("hf_abcdefghijklmnopqrstuvwxyzABCDEFGH and AKIAQWERTYUIOPASDFGH").1.n_secrets);
}

#[test]
fn what_answers_are_made_of_survives() {
    for text in [
        "token_budget=4096 max_tokens: 2048 tokenizer=gpt2 tokenizer_name: EleutherAI/gpt-neox-20b",
        "eos_token: <|endoftext|>\npad_token=[PAD]\nbos_token: \"<s>\"\nmask_token_id: 50264\nn_tokens=300000000000",
        "loss_per_token: 2.345678901234567e-05 tokens_per_second=123456.789012345678",
        "password_file: /run/secrets/db secret_name=${SECRET} api_key: null secret=true password = os.environ['PW']",
        "The secret: patience and a lower learning rate. The key: 0a6d27a91f234fb3a8c0505b7fd0adfd",
        "access_key: $AWS_ACCESS_KEY api_key=<your key> password: ********",
        "commit 9a8d12ddf04efe35a2f3965db5591c9d575e2ce2 of run 0a6d27a91f234fb3a8c0505b7fd0adfd in wandb",
        "wandb run https://wandb.ai/team/proj/runs/3k1x9abc synced; wandb version 0.16.6 commit 9a8d12ddf04efe35a2f3965db5591c9d575e2ce2",
        "sha256:1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32 checkpoints/tr11-176B-ml/global_step95000/model.pt",
        "https://host:8080/path@x user@host.example git@github.com:org/repo.git http://10.0.0.1:5000/#/experiments/1",
        "sk-learn-baseline-experiment-2024 task-sk-classification-of-everything-we-have",
        "keyboard: qwerty secretary: Ms. Jones; monkey=banana; author: mira; key=value; basic tokens",
        "NCCL timeout: WorkNCCL(SeqNum=1234, OpType=ALLREDUCE, Timeout(ms)=1800000) ran for 1804406 milliseconds",
        "caf\u{e9} \u{1f469}\u{200d}\u{1f4bb} \u{26a0}\u{fe0f} \u{645}\u{6cc}\u{200c}\u{62e}\u{648}\u{627}\u{647}\u{645}",
    ] {
        check_stays(text);
    }
}

#[test]
fn every_rule_compiles() {
    for rule in rules::all() {
        assert!(!rule.keywords.is_empty() && rule.keywords.iter().all(|word| !word.is_empty()), "{}", rule.id);
        assert!(regex::RegexBuilder::new(&rule.pattern).size_limit(1 << 26).build().is_ok(), "{}", rule.id);
    }
}

#[test]
fn hidden_characters_are_removed() {
    for (text, expected, n_hidden) in [
        ("a\u{200b}b\u{202e}c\u{2066}d\u{feff}e\u{e0041}f", "abcdef", 5),
        ("\u{1b}[31;1mred\u{1b}[0m\u{7} x\u{0}", "red x", 2),
        ("tab\tline\r\nend", "tab\tline\r\nend", 0),
        ("a\u{200d}b", "ab", 1),
        ("cut \u{1b}", "cut ", 0),
    ] {
        assert_eq!((Cow::Borrowed(expected), Taken { n_secrets: 0, n_hidden }), redact(text));
    }
}

fn record(body: Body) -> Record {
    Record {
        native_id: "a".to_owned(),
        key: "a".to_owned(),
        title: "with AKIAQWERTYUIOPASDFGH".to_owned(),
        project: None,
        author: None,
        url: Some("https://me:hunter2@host/x".to_owned()),
        created_ms: None,
        updated_ms: None,
        fingerprint: String::new(),
        body,
    }
}

#[test]
fn every_text_of_a_run_is_covered_and_values_go_by_their_names() {
    let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    let mut run = Run { notes: Some("token=hf_abcdefghijklmnopqrstuvwxyzABCDEFGH".to_owned()), ..Run::default() };
    run.params = vec![pair("db/password", "tiger"), pair("tokenizer", "gpt2"), pair("lr", "0.1"), pair("model.api_key", "None")];
    run.tags = vec![
        pair("hub_token", "a1b2c3d4e5f6g7h8i9j0"),
        pair("pad_token", "[PAD]"),
        pair("mlflow.source.git.commit", "9a8d12ddf04efe35a2f3965db5591c9d575e2ce2"),
    ];
    run.texts = vec![RunText {
        path: "log".to_owned(),
        text: "export WANDB_API_KEY=0123456789abcdef0123456789abcdef01234567".to_owned(),
        cut: false,
    }];
    let kept = run.clone();
    let mut record = record(Body::Run(Box::new(run)));
    assert_eq!(Taken { n_secrets: 6, n_hidden: 0 }, redact_record(&mut record));
    let Body::Run(run) = &record.body else { panic!("no run") };
    assert_eq!(kept.params[1..], run.params[1..]);
    assert_eq!(kept.tags[1..], run.tags[1..]);
    assert_eq!("[redacted:secret-by-name]", run.params[0].1);
    assert!(run.texts[0].text.ends_with("[redacted:wandb-key]"), "{}", run.texts[0].text);
    assert_eq!(Some("https://me:[redacted:url-password]@host/x"), record.url.as_deref());
    assert_eq!(Taken::default(), redact_record(&mut record), "{record:?}");
}

#[test]
fn names_of_metrics_logs_and_files_are_covered_and_stay_different() {
    let token = "hf_abcdefghijklmnopqrstuvwxyzABCDEFGH";
    let series = |key: &str| Series { key: key.to_owned(), points: Vec::new() };
    let mut run = Run { series: vec![series("loss"), series("lo\u{200b}ss"), series(token), series("val\u{200b}")], ..Run::default() };
    run.texts = vec![RunText { path: format!("logs/{token}.log"), text: String::new(), cut: false }];
    let mut first = record(Body::Run(Box::new(run)));
    assert_eq!(Taken { n_secrets: 4, n_hidden: 2 }, redact_record(&mut first));
    let Body::Run(run) = &first.body else { panic!("no run") };
    let keys: Vec<&str> = run.series.iter().map(|series| series.key.as_str()).collect();
    assert_eq!(["loss", "loss#1", "[redacted:huggingface-token]#2", "val"], *keys);
    assert!(!run.texts[0].path.contains(token), "{}", run.texts[0].path);
    let file = TouchedFile { path: format!("keys/{token}"), added: 1, deleted: 0 };
    let mut second = record(Body::Pull(Pull { files: vec![file], ..Pull::default() }));
    redact_record(&mut second);
    let Body::Pull(pull) = &second.body else { panic!("no pull") };
    assert_eq!("keys/[redacted:huggingface-token]#0", pull.files[0].path);
}

#[test]
fn values_go_by_the_names_beside_them_too() {
    let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    let values = vec![
        pair("env.0.name", "DB_PASSWORD"),
        pair("env.0.value", "tiger"),
        pair("env.1.name", "SEED"),
        pair("env.1.value", "tiger"),
        pair("args.0", "--api-key"),
        pair("args.1", "tiger"),
        pair("args.2", "tiger"),
        pair("hf_abcdefghijklmnopqrstuvwxyzABCDEFGH", "tiger"),
    ];
    let mut first = record(Body::Config(Config { text: String::new(), values }));
    assert_eq!(3 + 2, redact_record(&mut first).n_secrets);
    let Body::Config(config) = &first.body else { panic!("no config") };
    let kept: Vec<bool> = config.values.iter().map(|(_, value)| value == "tiger").collect();
    assert_eq!(kept, [false, false, false, true, false, false, true, true]);
    assert_eq!("[redacted:huggingface-token]#7", config.values[7].0);
    let data = vec![pair("kind", "Secret"), pair("data.user", "bWlyYQ=="), pair("metadata.name", "x")];
    let mut second = record(Body::Config(Config { text: String::new(), values: data }));
    assert_eq!(1 + 2, redact_record(&mut second).n_secrets);
    assert_eq!(Taken::default(), redact_record(&mut second));
}

#[test]
fn config_text_and_values_are_covered() {
    let values = vec![("db.password".to_owned(), "tiger".to_owned()), ("optimizer.lr".to_owned(), "1e-5".to_owned())];
    let mut record = record(Body::Config(Config { text: "db:\n  password: tiger\noptimizer:\n  lr: 1e-5\n".to_owned(), values }));
    assert_eq!(4, redact_record(&mut record).n_secrets);
    let Body::Config(config) = &record.body else { panic!("no config") };
    assert_eq!("db:\n  password: [redacted:password]\noptimizer:\n  lr: 1e-5\n", config.text);
    assert_eq!("1e-5", config.values[1].1);
}

#[test]
fn twenty_megabytes_take_about_a_second() {
    let line = "step 1200 | loss 2.3456 | lr 1e-5 | tokens 4096 | key metric: val/loss 0.123 | commit 9a8d12ddf04efe35a2f3965db5591c9d575e2ce2 | see https://host/run\n";
    let text = line.repeat((20 << 20) / line.len());
    redact(line);
    let started = Instant::now();
    assert_eq!(0, redact(&text).1.n_secrets);
    let seconds = started.elapsed().as_secs_f64();
    let rate = text.len() as f64 / seconds / 1e6;
    println!("{rate:.0} MB/s");
    assert!(rate > 5.0, "{rate:.1} MB/s");
}

proptest! {
    #[test]
    fn redacting_again_changes_nothing(text in "(password|token|key|secret|sk-|AKIA|hf_|://|:|=|@|\"| |\n|[a-zA-Z0-9]{1,20}|\u{200b}|\u{1b}\\[1m){0,30}") {
        let once = redact(&text).0.into_owned();
        prop_assert_eq!(&once, &redact(&once).0);
    }
}
