//! YAML by its events, so that every scalar keeps the text that stands in the file: `1e-5`, `no` and `017` stay as they are.
//!
//! Merge keys are merged. Depth, merged entries and expanded values have limits, so that a small file with many aliases
//! costs a complaint and not the memory.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use serde_saphyr::granit_parser::{self, Event, Parser};

use super::values::{Flat, MAX_MERGED, Problem, Values, dotted, too_many};

/// Deepest nesting, aliases included.
const MAX_DEPTH: usize = 64;

enum Node {
    Scalar(String),
    List(Vec<Shared>),
    Map(Vec<(Rc<str>, Shared)>),
}

/// A node, shared where an alias names it, and how deep it is.
#[derive(Clone)]
struct Shared {
    node: Rc<Node>,
    depth: usize,
}

/// A list or mapping whose end has not come yet.
struct Open {
    node: Node,
    /// The key that waits for its value.
    key: Option<Rc<str>>,
    anchor: usize,
    depth: usize,
}

#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    anchors: HashMap<usize, Shared>,
    documents: Vec<Shared>,
    n_merged: usize,
}

/// Dotted keys and raw texts of a YAML file; its documents one after the other.
pub(in crate::source) fn flatten(text: &str) -> Flat {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let documents = match build(text) {
        Ok(documents) => documents,
        Err(problem) => return problem.into(),
    };
    let mut values = Values::default();
    for document in &documents {
        if let Err(problem) = add(&document.node, "", &mut values) {
            return problem.into();
        }
    }
    Flat { values: values.into_list(), problem: None }
}

fn build(text: &str) -> Result<Vec<Shared>, Problem> {
    let options = granit_parser::options! { emit_unresolved_aliases: true, emit_comments: false };
    let mut builder = Builder::default();
    for next in Parser::new_from_str_with_options(text, options) {
        let (event, span) = next.map_err(|e| Problem::at(e.marker().line(), format!("not valid YAML: {}", e.info())))?;
        let event = match event {
            Event::Scalar(_, style, anchor, tag) if span.start.index() == span.end.index() => Event::Scalar("".into(), style, anchor, tag),
            event => event,
        };
        builder.take(event).map_err(|p| Problem { line: p.line.or(Some(span.start.line())), ..p })?;
    }
    Ok(builder.documents)
}

impl Builder {
    fn take(&mut self, event: Event<'_>) -> Result<(), Problem> {
        match event {
            Event::Scalar(text, _, anchor, _) => self.put(leaf(text.into_owned()), anchor),
            Event::UnresolvedAlias(name) => self.put(leaf(format!("*{name}")), 0),
            Event::Alias(anchor) => {
                let target = self.anchors.get(&anchor).cloned();
                let target = target.ok_or_else(|| Problem::of_file("an alias stands within what it names"))?;
                self.put(target, 0)
            }
            Event::SequenceStart(_, anchor, _) => self.begin(Node::List(Vec::new()), anchor),
            Event::MappingStart(_, anchor, _) => self.begin(Node::Map(Vec::new()), anchor),
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            _ => Ok(()),
        }
    }

    fn begin(&mut self, node: Node, anchor: usize) -> Result<(), Problem> {
        self.open.push(Open { node, key: None, anchor, depth: 1 });
        if self.open.len() > MAX_DEPTH { Err(too_deep()) } else { Ok(()) }
    }

    fn end(&mut self) -> Result<(), Problem> {
        let Some(open) = self.open.pop() else { return Ok(()) };
        let node = match open.node {
            Node::Map(entries) => Node::Map(self.merge(entries)?),
            other => other,
        };
        self.put(Shared { node: Rc::new(node), depth: open.depth }, open.anchor)
    }

    /// Puts a whole node where it belongs: into the list or mapping around it, or at the top.
    fn put(&mut self, shared: Shared, anchor: usize) -> Result<(), Problem> {
        if anchor != 0 {
            self.anchors.insert(anchor, shared.clone());
        }
        let n_open = self.open.len();
        let Some(parent) = self.open.last_mut() else {
            self.documents.push(shared);
            return Ok(());
        };
        parent.depth = parent.depth.max(shared.depth + 1);
        if n_open + shared.depth > MAX_DEPTH {
            return Err(too_deep());
        }
        match (&mut parent.node, parent.key.take()) {
            (Node::List(items), _) => items.push(shared),
            (Node::Map(entries), Some(key)) => entries.push((key, shared)),
            (Node::Map(_), None) => parent.key = Some(key_text(&shared.node)),
            (Node::Scalar(_), _) => {}
        }
        Ok(())
    }

    /// Replaces `<<` by the entries that it names, less those that the mapping gives itself.
    fn merge(&mut self, entries: Vec<(Rc<str>, Shared)>) -> Result<Vec<(Rc<str>, Shared)>, Problem> {
        if !entries.iter().any(|(key, _)| &**key == "<<") {
            return Ok(entries);
        }
        let mut given: HashSet<Rc<str>> = entries.iter().map(|(key, _)| key.clone()).collect();
        let mut merged = Vec::with_capacity(entries.len());
        for (key, value) in entries {
            if &*key != "<<" {
                merged.push((key, value));
                continue;
            }
            for (key, value) in named_by_merge(&value.node) {
                self.n_merged += 1;
                if self.n_merged > MAX_MERGED {
                    return Err(too_many());
                }
                if given.insert(key.clone()) {
                    merged.push((key.clone(), value.clone()));
                }
            }
        }
        Ok(merged)
    }
}

fn named_by_merge(node: &Node) -> Box<dyn Iterator<Item = &(Rc<str>, Shared)> + '_> {
    match node {
        Node::Map(entries) => Box::new(entries.iter()),
        Node::List(items) => Box::new(
            items
                .iter()
                .filter_map(|item| match &*item.node {
                    Node::Map(entries) => Some(entries.iter()),
                    _ => None,
                })
                .flatten(),
        ),
        Node::Scalar(_) => Box::new(std::iter::empty()),
    }
}

fn leaf(text: String) -> Shared {
    Shared { node: Rc::new(Node::Scalar(text)), depth: 1 }
}

fn key_text(node: &Node) -> Rc<str> {
    match node {
        Node::Scalar(text) => Rc::from(text.as_str()),
        _ => Rc::from("?"),
    }
}

fn too_deep() -> Problem {
    Problem::of_file(format!("nested deeper than {MAX_DEPTH}; not read as a configuration"))
}

fn add(node: &Node, key: &str, values: &mut Values) -> Result<(), Problem> {
    match node {
        Node::Scalar(text) => values.push(key, text),
        Node::List(items) if items.is_empty() => values.push(key, "[]"),
        Node::List(items) => items.iter().enumerate().try_for_each(|(i, item)| add(&item.node, &dotted(key, &i.to_string()), values)),
        Node::Map(entries) if entries.is_empty() => values.push(key, "{}"),
        Node::Map(entries) => entries.iter().try_for_each(|(name, value)| add(&value.node, &dotted(key, name), values)),
    }
}
