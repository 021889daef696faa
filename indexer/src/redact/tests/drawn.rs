//! Secrets drawn at random from what a rule describes, with the names that the rule asks for.

use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::string::{RegexGeneratorStrategy, string_regex_parsed};
use proptest::test_runner::TestRunner;
use regex::Regex;
use regex_syntax::hir::{Capture, Class, ClassUnicode, ClassUnicodeRange, Dot, Hir, HirKind, Repetition};

use crate::redact::gaps::{self, Lead};
use crate::redact::rules::{Check, Rule};
use crate::redact::{engine, names};

/// What gitleaks writes between a name and the rest.
const THEIR_GAP: &str = r#"(?:[ \t\w.-]{0,20})[\s'"]{0,3}"#;

/// Shortest secret that is drawn: fewer characters stand in any text.
const LEAST: usize = 4;

/// Draws that may fail before a rule is given up.
const MAX_TRIES: usize = 4_000;

type Drawing = RegexGeneratorStrategy<String>;

/// A rule's secrets.
pub(super) struct Source {
    rule: Rule,
    /// The rule's own pattern: as gitleaks wrote it, or as ours is compiled.
    pattern: Regex,
    /// Draws the name that the rule asks for; none where the secret is known without one.
    name: Option<Drawing>,
    text: Drawing,
}

/// One secret.
pub(super) struct Drawn {
    pub(super) rule: String,
    /// As in an environment: `WANDB_API_KEY`.
    pub(super) name: Option<String>,
    /// What stands in a place: the secret, or what makes it one too.
    pub(super) text: String,
    pub(super) secret: String,
}

impl Source {
    pub(super) fn new(rule: Rule) -> Self {
        let own = if Lead::of(&rule.pattern) == Lead::Assigned { rule.pattern.clone() } else { gaps::widened(&rule.pattern) };
        let pattern = engine::compile(&own).unwrap();
        let (name, text) = name_and_text(&rule, &own);
        Self { name: name.map(|name| drawing(&parsed(&name))), text: drawing(&text), pattern, rule }
    }

    /// A secret that the rule itself finds where it stands alone, or behind its name.
    pub(super) fn draw(&self, runner: &mut TestRunner) -> Drawn {
        for _ in 0..MAX_TRIES {
            let name = self.name.as_ref().map(|name| in_environment(&sample(name, runner)));
            let text = sample(&self.text, runner);
            let Some(secret) = self.secret_of(name.as_deref(), &text) else { continue };
            // What only ends a secret is for the place to give.
            let text = if self.secret_of(name.as_deref(), &secret).as_ref() == Some(&secret) { secret.clone() } else { text };
            return Drawn { rule: self.rule.id.clone(), name, text, secret };
        }
        panic!("cannot draw from {}: {}", self.rule.id, self.rule.pattern)
    }

    fn secret_of(&self, name: Option<&str>, text: &str) -> Option<String> {
        let alone = match (name, Lead::of(&self.rule.pattern)) {
            (None, _) => text.to_owned(),
            (Some(name), Lead::Flag) => format!("--{name} {text}"),
            (Some(name), _) => format!("{name}={text}"),
        };
        let lower = alone.to_lowercase();
        let captures = self.pattern.captures(&alone).filter(|_| self.rule.keywords.iter().any(|word| lower.contains(word)))?;
        let groups = captures.iter().skip(1).flatten().find(|group| !group.is_empty());
        let secret = self.rule.group.map_or(groups.or_else(|| captures.get(0)), |group| captures.get(group))?.as_str();
        let is_right = match self.rule.check {
            Check::None | Check::NamedIfHash => true,
            Check::Password => !names::is_plainly_none(secret),
            Check::Random => names::looks_random(secret) && !names::is_plainly_none(secret),
            Check::Mixed => names::is_mixed(secret) && !names::is_plainly_none(secret),
        };
        let is_mixed_up = self.rule.entropy.is_none_or(|least| names::entropy(secret) >= least);
        (is_right && is_mixed_up && secret.len() >= LEAST).then(|| secret.to_owned())
    }
}

/// The shape of the name, where the rule asks for one, and that of what follows it.
fn name_and_text(rule: &Rule, own: &str) -> (Option<String>, Hir) {
    for gap in ["<=>", "<:>", "<->"] {
        if let Some((name, secret)) = rule.pattern.split_once(gap) {
            let secret = if rule.check == Check::Random { TOKEN_DRAWN } else { &secret.replace("<any>", ANY_DRAWN) };
            return (Some(own_name(name)), parsed(secret));
        }
    }
    match rule.pattern.find(THEIR_GAP) {
        Some(gap) => {
            let name = rule.pattern[..gap].replace(r"[\w.-]{0,50}?", "").replace("(?i:", "(?:").replace("(?i)", "");
            let closed = ")".repeat(name.matches('(').count() - name.matches(')').count());
            let secret = group(&parsed(own), rule.group.unwrap_or(1)).unwrap();
            (Some(format!("(?:{name}{closed})_{}", suffix(&rule.id))), secret)
        }
        None => (needed_name(&rule.id), parsed(if rule.id == "private-key" { key_drawn(rule) } else { own })),
    }
}

/// Keys as programs write them: the rule takes anything between its marks.
fn key_drawn(rule: &Rule) -> &'static str {
    if rule.keywords[0] == "-----begin" {
        "-----BEGIN (?:RSA |EC |OPENSSH |ENCRYPTED )?PRIVATE KEY-----\n(?:[A-Za-z0-9+/]{64}\n){3,20}[A-Za-z0-9+/]{8,60}={0,2}\n-----END (?:RSA |EC |OPENSSH )?PRIVATE KEY-----"
    } else {
        "(?:[A-Za-z0-9+/]{64}\n){3,20}[A-Za-z0-9+/]{8,60}={0,2}\n-----END (?:RSA |EC |OPENSSH )?PRIVATE KEY-----"
    }
}

/// Any password, as people choose them.
const ANY_DRAWN: &str = "[A-Za-z0-9_!#%+*?~^.:/@=]{6,24}";

/// A token of a service that we do not know.
const TOKEN_DRAWN: &str = "[A-Za-z0-9_.~+/=-]{16,48}";

/// The name of one of our rules, with few letters where it may hold anything.
fn own_name(name: &str) -> String {
    let name = name.replace("(?i)", "").replace("<password>", gaps::PASSWORD).replace(r"[\w.-]{0,20}", "(?:_[A-Z]{1,8})?_");
    let name = name.replace(r"[\w.]{0,30}", "(?:_[A-Z]{1,8})?_");
    if name == "token" || name.starts_with("(?:password") { format!("[A-Z]{{2,9}}_{name}") } else { name }
}

/// The last two words of a rule's id, as the end of a name.
fn suffix(id: &str) -> String {
    let words: Vec<&str> = id.split('-').collect();
    words[words.len().saturating_sub(2)..].join("_")
}

/// Names for those whose keyword stands outside of what the pattern describes.
fn needed_name(id: &str) -> Option<String> {
    match id {
        "discord-token" => Some("DISCORD_TOKEN".to_owned()),
        "facebook-access-token" => Some("FACEBOOK_ACCESS_TOKEN".to_owned()),
        _ => None,
    }
}

fn in_environment(name: &str) -> String {
    name.replace(|c: char| !c.is_ascii_alphanumeric(), "_").to_uppercase()
}

fn parsed(pattern: &str) -> Hir {
    regex_syntax::parse(pattern).unwrap_or_else(|e| panic!("{pattern}: {e}"))
}

fn drawing(shape: &Hir) -> Drawing {
    string_regex_parsed(&drawable(shape)).unwrap_or_else(|e| panic!("{shape}: {e}"))
}

fn sample(drawing: &Drawing, runner: &mut TestRunner) -> String {
    drawing.new_tree(runner).unwrap().current()
}

/// The group of this number.
fn group(shape: &Hir, index: usize) -> Option<Hir> {
    match shape.kind() {
        HirKind::Capture(capture) if capture.index as usize == index => Some((*capture.sub).clone()),
        kind => kind.subs().iter().find_map(|sub| group(sub, index)),
    }
}

fn dot() -> Hir {
    Hir::literal(*b".")
}

/// The same without boundaries, in printable ASCII, and line feeds where nothing else will do.
fn drawable(shape: &Hir) -> Hir {
    match shape.kind() {
        HirKind::Look(_) => Hir::empty(),
        HirKind::Class(Class::Unicode(class)) => {
            let mut seen = class.clone();
            seen.intersect(&ClassUnicode::new([ClassUnicodeRange::new(' ', '~')]));
            let line_feed = ClassUnicode::new([ClassUnicodeRange::new('\n', '\n')]);
            Hir::class(Class::Unicode(if seen.ranges().is_empty() { line_feed } else { seen }))
        }
        HirKind::Repetition(repetition) => Hir::repetition(Repetition { sub: Box::new(drawable(&repetition.sub)), ..repetition.clone() }),
        HirKind::Capture(capture) => Hir::capture(Capture { sub: Box::new(drawable(&capture.sub)), ..capture.clone() }),
        // In `hooks.slack.com` any character is described and a dot is meant.
        HirKind::Concat(subs) => {
            Hir::concat(subs.iter().map(|sub| if *sub == Hir::dot(Dot::AnyCharExceptLF) { dot() } else { drawable(sub) }).collect())
        }
        HirKind::Alternation(subs) => Hir::alternation(subs.iter().map(drawable).collect()),
        HirKind::Empty | HirKind::Literal(_) | HirKind::Class(Class::Bytes(_)) => shape.clone(),
    }
}
