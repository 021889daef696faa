//! Facts: typed values with their source. Every number that a reply shows is one of them.

use runlore_indexer::run::AtStep;
use serde::Serialize;

/// What kind of value a fact is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FactKind {
    /// A logged value of a metric.
    Metric,
    /// A param as logged.
    Param,
    /// How many.
    Count,
    /// Mean over runs.
    Mean,
    /// Standard deviation over runs, with n - 1.
    Sd,
    /// Difference of two values.
    Difference,
    /// A step.
    Step,
    /// A point in time.
    Time,
    /// A word: a status, a name, a title.
    Text,
}

/// Which of a series' values a metric fact is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Of {
    /// The best finite value over the run's history.
    Best,
    /// The last value logged.
    Final,
    /// The value at a step.
    Step,
    /// The first value logged.
    First,
    /// The least finite value.
    Min,
    /// The greatest finite value.
    Max,
}

/// What a fact says: a number, or a word.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Value {
    /// In full precision.
    Number(f64),
    /// As logged.
    Word(String),
}

/// One typed value with its source.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Fact {
    /// `f1`, `f2`... in the order in which they were found.
    pub id: String,
    /// What kind of value.
    pub kind: FactKind,
    /// The metric's or param's key as logged, or what is counted.
    pub name: String,
    /// Which value of a series.
    pub of: Option<Of>,
    /// A finite number or a param's word; absent where the label says it, or where it is not finite.
    pub value: Option<Value>,
    /// `nan`, `inf` or `-inf`.
    pub non_finite: Option<&'static str>,
    /// Unit, where the source gives one.
    pub unit: Option<String>,
    /// The value as a word, or what the number is about.
    pub label: Option<String>,
    /// The record that it comes from.
    pub record: Option<String>,
    /// The step at which it was logged.
    pub step: Option<i64>,
    /// Where a person can look at the record.
    pub url: Option<String>,
}

impl Fact {
    /// A fact without its optional parts.
    pub fn new(kind: FactKind, name: &str) -> Self {
        Self {
            id: String::new(),
            kind,
            name: name.to_owned(),
            of: None,
            value: None,
            non_finite: None,
            unit: None,
            label: None,
            record: None,
            step: None,
            url: None,
        }
    }

    /// A value of a series.
    pub fn metric(name: &str, of: Of, at: AtStep, record: &str, url: Option<&str>) -> Self {
        Self { of: Some(of), step: Some(at.step), ..Self::new(FactKind::Metric, name) }.with_value(at.value).from(record, url)
    }

    /// A param as logged: a number where it is one, else the text as label.
    pub fn param(name: &str, raw: &str, record: &str, url: Option<&str>) -> Self {
        let fact = Self { label: Some(raw.to_owned()), ..Self::new(FactKind::Param, name) };
        let number = raw.trim().parse::<f64>().ok().filter(|_| raw.trim().starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c)));
        let fact = match number {
            Some(number) => fact.with_value(number),
            None => Self { value: Some(Value::Word(raw.to_owned())), ..fact },
        };
        fact.from(record, url)
    }

    /// A count.
    pub fn count(what: &str, n: usize) -> Self {
        Self::new(FactKind::Count, what).with_value(n as f64)
    }

    /// A word.
    pub fn text(name: &str, label: &str, record: &str) -> Self {
        Self { label: Some(label.to_owned()), ..Self::new(FactKind::Text, name) }.from(record, None)
    }

    /// The same fact with this number.
    pub fn with_value(mut self, value: f64) -> Self {
        self.value = value.is_finite().then_some(Value::Number(value));
        self.non_finite = match value {
            v if v.is_nan() => Some("nan"),
            f64::INFINITY => Some("inf"),
            f64::NEG_INFINITY => Some("-inf"),
            _ => None,
        };
        self
    }

    /// The same fact from this record.
    pub fn from(mut self, record: &str, url: Option<&str>) -> Self {
        self.record = Some(record.to_owned());
        self.url = url.map(str::to_owned);
        self
    }

    /// As people see it: six significant digits, counts and steps whole, words as they are.
    pub fn shown(&self) -> String {
        match (self.kind, &self.value, self.non_finite) {
            (FactKind::Param, _, _) => self.label.clone().unwrap_or_default(),
            (_, _, Some("nan")) => "NaN".to_owned(),
            (_, _, Some(infinity)) => infinity.to_owned(),
            (FactKind::Count | FactKind::Step, Some(Value::Number(value)), _) => format!("{value:.0}"),
            (_, Some(Value::Number(value)), _) => six_digits(*value),
            (_, Some(Value::Word(_)) | None, _) => self.label.clone().unwrap_or_default(),
        }
    }
}

/// A number to six significant digits, without trailing zeros; very large and small ones with an exponent.
pub fn six_digits(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let magnitude = value.abs().log10().floor() as i32;
    if !(-4..9).contains(&magnitude) {
        let text = format!("{value:.5e}");
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        return format!("{}e{exponent}", trim_zeros(mantissa));
    }
    let decimals = (5 - magnitude).max(0) as usize;
    trim_zeros(&format!("{value:.decimals$}")).to_owned()
}

fn trim_zeros(number: &str) -> &str {
    if number.contains('.') { number.trim_end_matches('0').trim_end_matches('.') } else { number }
}

/// The facts of one turn.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    facts: Vec<Fact>,
}

impl Ledger {
    /// Enters a fact and gives it back with its id.
    pub fn enter(&mut self, fact: Fact) -> Fact {
        let fact = Fact { id: format!("f{}", self.facts.len() + 1), ..fact };
        self.facts.push(fact.clone());
        fact
    }

    /// Enters a fact and gives back what people see of it.
    pub fn show(&mut self, fact: Fact) -> String {
        self.enter(fact).shown()
    }

    /// All facts, in order.
    pub fn facts(&self) -> &[Fact] {
        &self.facts
    }
}
