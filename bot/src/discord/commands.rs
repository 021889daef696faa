//! The commands as Discord knows them, and what was chosen there as the words that people type elsewhere. Pure.

use serde_json::{Value, json};

use crate::chat::Way;
use crate::serve::Named;

/// The name of the message command.
const EXPLAIN: &str = "Explain this run";

/// Kinds of options.
const SUBCOMMAND: u8 = 1;
const TEXT: u8 = 3;
const YES_OR_NO: u8 = 5;

/// Longest text that an option takes.
const MAX_TEXT: usize = 1_000;

/// Options whose names are offered while they are typed.
const OFFERED: [(&str, Named); 8] = [
    ("metric", Named::Metric),
    ("on", Named::Metric),
    ("project", Named::Project),
    ("run", Named::Run),
    ("first", Named::Run),
    ("second", Named::Run),
    ("third", Named::Run),
    ("fourth", Named::Run),
];

/// All commands, for one PUT.
pub(super) fn definition() -> Value {
    let metric = || name("metric", "What was measured", true);
    let project = || name("project", "Only in this project", false);
    let runs = || {
        [
            name("first", "A run", true),
            name("second", "Another run", true),
            name("third", "And another", false),
            name("fourth", "And another", false),
        ]
    };
    let narrowing = || {
        [
            project(),
            text("since", "Only runs started since, such as 2026-05-04 or last week", false),
            text("where", "Only runs like this: KEY=VALUE and ...", false),
        ]
    };
    let of = |one: Vec<Value>, more: &[Value]| [one, more.to_vec()].concat();
    let subcommands = vec![
        subcommand("ask", "A question in your own words", vec![text("question", "The question", true)]),
        subcommand(
            "best",
            "The best runs by a metric",
            of(vec![metric()], &of(narrowing().to_vec(), &[text("show", "A param to show beside it", false)])),
        ),
        subcommand("count", "How many runs", narrowing().to_vec()),
        subcommand("mean", "Mean of the runs' best", of(vec![metric()], &narrowing())),
        subcommand(
            "history",
            "One value or the points of a run's metric",
            vec![metric(), name("run", "The run", true), text("which", "best, final, points or at STEP", false)],
        ),
        subcommand("run", "A run's card", vec![name("run", "The run", true)]),
        subcommand("compare", "What differs between runs", of(runs().to_vec(), &[name("on", "By this metric", false)])),
        subcommand("running", "What is running now", vec![project()]),
        subcommand(
            "curve",
            "A chart of a metric over steps",
            of(vec![metric(), name("first", "A run", true)], &runs()[1..].iter().cloned().map(optional).collect::<Vec<_>>()),
        ),
        subcommand("search", "Notes, pulls, configs and runs by words", vec![text("words", "The words", true)]),
        subcommand(
            "brief",
            "What a week held",
            vec![text("week", "this week, last week, 2026-W12 or a day of it; else the week so far", false)],
        ),
        subcommand("help", "What can be asked here", Vec::new()),
        for_one("link", "Links your accounts on Slack and Discord", vec![text("code", "What I gave you on Slack", false)]),
        for_one("unlink", "Ends that", Vec::new()),
    ];
    json!([
        {
            "name": "runlore", "type": 1, "description": "Ask about this team's runs, notes and pull requests",
            "contexts": [0, 1], "integration_types": [0], "options": subcommands,
        },
        {"name": EXPLAIN, "type": 3, "contexts": [0, 1], "integration_types": [0]},
    ])
}

fn subcommand(name: &str, description: &str, mut options: Vec<Value>) -> Value {
    options
        .push(json!({"type": YES_OR_NO, "name": "public", "description": "For all who read here, not for you alone", "required": false}));
    for_one(name, description, options)
}

/// One whose answer nobody else sees.
fn for_one(name: &str, description: &str, options: Vec<Value>) -> Value {
    json!({"type": SUBCOMMAND, "name": name, "description": description, "options": options})
}

fn text(name: &str, description: &str, required: bool) -> Value {
    json!({"type": TEXT, "name": name, "description": description, "required": required, "max_length": MAX_TEXT})
}

fn name(name: &str, description: &str, required: bool) -> Value {
    json!({"type": TEXT, "name": name, "description": description, "required": required, "autocomplete": true, "max_length": 100})
}

fn optional(mut option: Value) -> Value {
    option["required"] = false.into();
    option
}

/// How a command is answered, and its words as people type them.
pub(super) fn words(data: &Value) -> Option<(Way, String)> {
    let chosen = &data["options"][0];
    let command = chosen["name"].as_str()?;
    let option = |name: &str| options(chosen).find(|option| option["name"] == name).map(|option| &option["value"]);
    let typed = |name: &str| option(name).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty());
    let way = if option("public").and_then(Value::as_bool) == Some(true) { Way::PublicCommand } else { Way::Command };
    let mut words: Vec<String> = Vec::new();
    match command {
        "ask" => return Some((way, typed("question").unwrap_or_default().to_owned())),
        "search" => return Some((way, format!("search {}", typed("words").unwrap_or_default()))),
        _ => words.push(command.to_owned()),
    }
    for name in ["code", "metric", "run", "first", "second", "third", "fourth"] {
        words.extend(typed(name).map(quoted));
    }
    for plain in ["which", "week"] {
        words.extend(typed(plain).map(str::to_owned));
    }
    words.extend(typed("project").map(|project| format!("in {}", quoted(project))));
    words.extend(typed("on").map(|metric| format!("on {}", quoted(metric))));
    for clause in ["since", "where"] {
        words.extend(typed(clause).map(|said| format!("{clause} {said}")));
    }
    words.extend(typed("show").map(|param| format!("show {}", quoted(param))));
    Some((way, words.join(" ")))
}

/// What somebody types whose names are to be offered: which names, what is typed, and the project that was chosen.
pub(super) fn typing(data: &Value) -> Option<(Named, &str, Option<&str>)> {
    let chosen = &data["options"][0];
    let focused = options(chosen).find(|option| option["focused"] == true)?;
    let name = focused["name"].as_str()?;
    let (_, named) = OFFERED.iter().find(|(offered, _)| *offered == name)?;
    let project = options(chosen).find(|option| option["name"] == "project").and_then(|option| option["value"].as_str());
    Some((*named, focused["value"].as_str().unwrap_or_default(), project.filter(|_| name != "project")))
}

fn options(chosen: &Value) -> impl Iterator<Item = &Value> {
    chosen["options"].as_array().into_iter().flatten()
}

/// A name as one word.
fn quoted(name: &str) -> String {
    let is_plain = !name.contains(|c: char| c.is_whitespace() || "\"'`=,".contains(c));
    if is_plain { name.to_owned() } else { format!("\"{}\"", name.replace('"', "'")) }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn check(chosen: Value, expected: (Way, &str)) {
        let (way, words) = words(&json!({"name": "runlore", "options": [chosen]})).unwrap();
        assert_eq!((way, words.as_str()), expected);
    }

    #[test]
    fn choices_are_what_people_type() {
        let option = |name: &str, value: &str| json!({"name": name, "type": 3, "value": value});
        check(
            json!({"name": "best", "options": [option("metric", "val/map"), option("project", "vessel detect"), option("where", "lr=0.1"), option("since", "last week")]}),
            (Way::Command, "best val/map in \"vessel detect\" since last week where lr=0.1"),
        );
        check(
            json!({"name": "compare", "options": [option("first", "a/b"), option("second", "#3"), option("on", "loss"), {"name": "public", "type": 5, "value": true}]}),
            (Way::PublicCommand, "compare a/b #3 on loss"),
        );
        check(
            json!({"name": "history", "options": [option("run", "r1"), option("metric", "loss"), option("which", "at 30")]}),
            (Way::Command, "history loss r1 at 30"),
        );
        check(json!({"name": "ask", "options": [option("question", " what failed? ")]}), (Way::Command, "what failed?"));
        check(json!({"name": "brief", "options": [option("week", "last week")]}), (Way::Command, "brief last week"));
        check(json!({"name": "help"}), (Way::Command, "help"));
        check(json!({"name": "link", "options": [option("code", "0a1b")]}), (Way::Command, "link 0a1b"));
        check(json!({"name": "link"}), (Way::Command, "link"));
    }

    #[test]
    fn what_is_offered_is_what_the_definition_says() {
        let definition = definition();
        let mut n_offered = 0;
        for subcommand in definition[0]["options"].as_array().unwrap() {
            for option in subcommand["options"].as_array().unwrap() {
                let name = option["name"].as_str().unwrap();
                let is_offered = OFFERED.iter().any(|(offered, _)| *offered == name);
                assert_eq!(option["autocomplete"] == true, is_offered, "{name}");
                assert!(option["description"].as_str().unwrap().len() <= 100);
                n_offered += usize::from(is_offered);
            }
            // Discord takes what is required first.
            let required: Vec<bool> = subcommand["options"].as_array().unwrap().iter().map(|option| option["required"] == true).collect();
            assert!(required.is_sorted_by(|a, b| a >= b), "{subcommand}");
        }
        assert!(n_offered > 10);
        let typed = json!({"options": [{"name": "best", "options": [{"name": "project", "value": "tide"}, {"name": "metric", "value": "va", "focused": true}]}]});
        assert_eq!(typing(&typed), Some((Named::Metric, "va", Some("tide"))));
    }
}
