//! A brief as Markdown: headings, lists, a table, its sources as links. Pure.

use super::write::{Body, Section};
use crate::chat::{Citation, Reply};

/// Signs that mean something in Markdown.
const SIGNS: &str = "\\`*_[]<>#|~";

/// All of it.
pub(super) fn markdown(sections: &[Section], reply: &Reply) -> String {
    let mut parts = vec![format!("# Weekly brief\n\n{}", escaped(&reply.headline))];
    if let Some(narration) = &reply.narration {
        parts.push(format!("*The model's reading:* {}", escaped(narration)));
    }
    for section in sections {
        let body = match &section.body {
            Body::List(lines) => lines.iter().map(|line| format!("- {}", escaped(line))).collect::<Vec<_>>().join("\n"),
            Body::Table(rows) => table(rows),
        };
        parts.push(format!("## {}\n\n{body}", escaped(&section.title)));
    }
    parts.extend(reply.notices.iter().map(|notice| format!("> {}", escaped(notice))));
    if !reply.citations.is_empty() {
        let sources: Vec<String> = reply.citations.iter().map(source).collect();
        parts.push(format!("## Sources\n\n{}", sources.join("\n")));
    }
    parts.join("\n\n") + "\n"
}

fn table(rows: &[Vec<String>]) -> String {
    let n_columns = rows.first().map_or(0, Vec::len);
    let line = |row: &Vec<String>| {
        let cells: Vec<String> = (0..n_columns).map(|i| row.get(i).map(|cell| escaped(cell)).unwrap_or_default()).collect();
        format!("| {} |", cells.join(" | "))
    };
    let mut lines: Vec<String> = rows.iter().map(line).collect();
    if !lines.is_empty() {
        lines.insert(1, format!("|{}", " --- |".repeat(n_columns)));
    }
    lines.join("\n")
}

fn source(citation: &Citation) -> String {
    // An address with a sign that ends it is shown as text.
    match citation.url.as_deref().filter(|url| !url.contains(|c: char| c.is_whitespace() || "()<>".contains(c))) {
        Some(url) => format!("- [{}]({url})", escaped(&citation.record)),
        None => format!("- {}", escaped(&citation.record)),
    }
}

/// A text in which nothing means anything.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if SIGNS.contains(c) {
            out.push('\\');
        }
        out.push(if c == '\n' { ' ' } else { c });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_record_is_markup() {
        let list = Section { title: "Highlights".to_owned(), body: Body::List(vec!["**bold** <b> `x` [a](b)".to_owned()]) };
        let rows = [["project", "started"], ["a|b_c", "2"]].map(|row| row.map(str::to_owned).to_vec()).to_vec();
        let table = Section { title: "Runs".to_owned(), body: Body::Table(rows) };
        let citation =
            |url: &str| Citation { mark: "1".to_owned(), record: "a/b".to_owned(), title: String::new(), url: Some(url.to_owned()) };
        let citations = vec![citation("https://x.test/1"), citation("javascript:(1)")];
        let reply = Reply { headline: "The week".to_owned(), notices: vec!["All clear".to_owned()], citations, ..Reply::default() };
        let expected = "# Weekly brief\n\nThe week\n\n## Highlights\n\n- \\*\\*bold\\*\\* \\<b\\> \\`x\\` \\[a\\](b)\n\n\
                        ## Runs\n\n| project | started |\n| --- | --- |\n| a\\|b\\_c | 2 |\n\n> All clear\n\n\
                        ## Sources\n\n- [a/b](https://x.test/1)\n- a/b\n";
        assert_eq!(markdown(&[list, table], &reply), expected);
    }
}
