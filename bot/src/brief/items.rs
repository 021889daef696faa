//! Decisions and open items in a note, word for word. Pure.
//!
//! The rule: what stands under a heading such as `Decisions` or `Open items`, item by item, up to the next heading of its rank or a higher
//! one; a line that begins with `Decision:` or `Open:` or the like; and every unticked box, wherever it stands. A ticked box is done. What
//! stands in a block of code is no item.

/// What an item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum ItemKind {
    /// Something was decided.
    Decision,
    /// Something is to be done.
    Open,
}

/// Words of a heading, or of the beginning of a line, that say what follows.
const DECISIONS: [&str; 4] = ["decision", "decisions", "decided", "we decided"];
const OPEN: [&str; 11] = [
    "open",
    "open item",
    "open items",
    "open question",
    "open questions",
    "todo",
    "todos",
    "to do",
    "next step",
    "next steps",
    "action items",
];

/// What the lines that follow a heading are.
struct Section {
    kind: ItemKind,
    rank: usize,
}

/// The items of a note, in its order, each once.
pub(super) fn items(text: &str) -> Vec<(ItemKind, String)> {
    let mut items: Vec<(ItemKind, String)> = Vec::new();
    let (mut section, mut in_code): (Option<Section>, bool) = (None, false);
    for line in text.lines().map(str::trim) {
        if line.starts_with("```") || line.starts_with("~~~") {
            in_code = !in_code;
            continue;
        }
        if in_code || line.is_empty() {
            continue;
        }
        if let Some((rank, heading)) = heading(line) {
            let goes_on = section.as_ref().is_some_and(|section| rank > section.rank);
            let opened = kind_of(heading).map(|kind| Section { kind, rank });
            section = if opened.is_some() || !goes_on { opened } else { section };
            continue;
        }
        let found = item(line, section.as_ref().map(|section| section.kind)).filter(|(_, text)| text.chars().any(char::is_alphanumeric));
        items.extend(found.filter(|item| !items.contains(item)));
    }
    items
}

/// What a line says, if it is an item.
fn item(line: &str, under: Option<ItemKind>) -> Option<(ItemKind, String)> {
    let text = without_marker(line);
    if let Some(open) = text.strip_prefix("[ ]") {
        return Some((ItemKind::Open, open.trim().to_owned()));
    }
    if text.to_lowercase().starts_with("[x]") {
        return None;
    }
    if let Some((label, said)) = text.split_once(':')
        && let Some(kind) = kind_of(label)
    {
        return Some((kind, plain(said).to_owned()));
    }
    under.map(|kind| (kind, text.to_owned()))
}

/// A heading's rank and words: `## Decisions`, or a line of its own in bold type or with a colon at its end, which ranks below all others.
fn heading(line: &str) -> Option<(usize, &str)> {
    let rank = line.bytes().take_while(|b| *b == b'#').count();
    if (1..=6).contains(&rank) && line[rank..].starts_with([' ', '\t']) {
        return Some((rank, line[rank..].trim()));
    }
    let is_bold = line.len() > 4 && line.starts_with("**") && line.trim_end_matches(':').ends_with("**");
    let names_items = line.ends_with(':') && kind_of(line).is_some();
    (is_bold || names_items).then_some((7, line))
}

/// What the words of a heading say; `None` where they say something else.
fn kind_of(words: &str) -> Option<ItemKind> {
    let words = plain(words).to_lowercase();
    if DECISIONS.contains(&words.as_str()) {
        return Some(ItemKind::Decision);
    }
    OPEN.contains(&words.as_str()).then_some(ItemKind::Open)
}

/// Without the signs around.
fn plain(words: &str) -> &str {
    words.trim_matches(|c: char| c.is_whitespace() || "*_:#".contains(c))
}

/// A line without what makes it an item of a list: `- `, `* `, `+ `, `3. `, `3) `.
fn without_marker(line: &str) -> &str {
    if let Some(rest) = line.strip_prefix(['-', '*', '+']).filter(|rest| rest.starts_with([' ', '\t'])) {
        return rest.trim_start();
    }
    let rest = line.trim_start_matches(|c: char| c.is_ascii_digit());
    let behind = rest.strip_prefix(['.', ')']).filter(|behind| rest.len() < line.len() && behind.starts_with([' ', '\t']));
    behind.map_or(line, str::trim_start)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expected: &[(ItemKind, &str)]) {
        let found = items(text);
        let found: Vec<(ItemKind, &str)> = found.iter().map(|(kind, text)| (*kind, text.as_str())).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn what_stands_under_a_heading_is_an_item() {
        use ItemKind::{Decision, Open};
        check(
            "# Monday\nWe met.\n## Decisions\n- keep mosaic (mei)\n1. clip at 1.0\n\n## Talk\n- weather\n",
            &[(Decision, "keep mosaic (mei)"), (Decision, "clip at 1.0")],
        );
        check(
            "## Open items:\n* gauge 17 @tomas\n### Later\n- the night queue\n# Else\n- no",
            &[(Open, "gauge 17 @tomas"), (Open, "the night queue")],
        );
        check("**Next steps**\n- try 3e-4\n**Weather**\n- rain", &[(Open, "try 3e-4")]);
        check("Decided:\n- a\nTodo:\n- b", &[(Decision, "a"), (Open, "b")]);
    }

    #[test]
    fn a_line_may_say_itself_what_it_is() {
        use ItemKind::{Decision, Open};
        check("- **Decision:** no more than 4 seeds", &[(Decision, "no more than 4 seeds")]);
        check("todo: ask ines\nratio: 3", &[(Open, "ask ines")]);
    }

    #[test]
    fn a_box_is_open_until_it_is_ticked() {
        use ItemKind::Open;
        check("text\n- [ ] look at h03\n- [x] done\n* [X] done too\n", &[(Open, "look at h03")]);
        check("## Todo\n- [x] done\n- [ ] not yet\n- [ ] not yet", &[(Open, "not yet")]);
        check("```\n- [ ] an example\n```\n- [ ]\n- [ ] ...", &[]);
    }

    #[test]
    fn what_only_looks_like_it_is_none() {
        check("Open source is nice.\n- decisions are hard\n#Decisions\n- no heading\n## Decisions of the past\n- old", &[]);
    }

    /// Lines that are items or come near.
    const LINE: &str = "(## Decisions|Open:|- \\[ \\] |- |1\\) |\\*\\*Todo\\*\\* ?|)[ -~é✓]{0,20}";

    proptest! {
        /// Every item stands in its note, to the character.
        #[test]
        fn items_are_word_for_word(lines in proptest::collection::vec(LINE, 0..12)) {
            let text = lines.join("\n");
            for (_, item) in items(&text) {
                prop_assert!(text.contains(&item), "{item:?} in {text:?}");
            }
        }
    }
}
