//! The prompts: templates that are embedded in the program and that a team can override with a folder of its own.
//!
//! A template has two parts, divided by a line of equals signs: above it stands the fixed part, byte for byte the same for every
//! question so that the model computes it once; below it what varies.

use std::path::Path;

use anyhow::{Context, Result, bail};
use minijinja::Environment;
use serde::Serialize;

use crate::model::Prompt;

/// The line between the fixed and the varying part.
const DIVIDER: &str = "\n=====\n";

const EMBEDDED: [(&str, &str); 3] = [
    ("plan", include_str!("../../prompts/plan.j2")),
    ("narrate", include_str!("../../prompts/narrate.j2")),
    ("pick", include_str!("../../prompts/pick.j2")),
];

/// The names of the prompts, as their files are called.
pub const NAMES: [&str; 3] = ["plan", "narrate", "pick"];

/// All prompts, ready to be rendered.
#[derive(Debug)]
pub struct Prompts {
    fixed: Vec<(&'static str, String)>,
    templates: Environment<'static>,
}

impl Prompts {
    /// The embedded prompts; those that lie in `folder` as `NAME.j2` take their place.
    ///
    /// # Errors
    /// Where a file of the folder cannot be read, is no template, or has no dividing line.
    pub fn load(folder: Option<&Path>) -> Result<Self> {
        let mut prompts = Self { fixed: Vec::new(), templates: Environment::new() };
        for (name, embedded) in EMBEDDED {
            let file = folder.map(|folder| folder.join(format!("{name}.j2"))).filter(|file| file.exists());
            let text = match &file {
                Some(file) => std::fs::read_to_string(file).with_context(|| format!("cannot read the prompt `{}`", file.display()))?,
                None => embedded.to_owned(),
            };
            let place = file.map_or_else(|| format!("{name}.j2"), |file| file.display().to_string());
            let Some((fixed, varying)) = text.split_once(DIVIDER) else {
                bail!("the prompt `{place}` has no line `=====` between its fixed and its varying part");
            };
            prompts.fixed.push((name, fixed.to_owned()));
            let template = varying.trim_end().to_owned();
            prompts.templates.add_template_owned(name, template).with_context(|| format!("the prompt `{place}` is no template"))?;
        }
        Ok(prompts)
    }

    /// The fixed part of a prompt.
    pub fn fixed(&self, name: &str) -> &str {
        self.fixed.iter().find(|(other, _)| *other == name).map_or("", |(_, text)| text.as_str())
    }

    /// A prompt for one question.
    ///
    /// # Errors
    /// Where the template uses what there is not.
    pub fn render(&self, name: &str, scope_id: &str, values: impl Serialize) -> Result<Prompt> {
        let varying = self.templates.get_template(name)?.render(values)?;
        Ok(Prompt { fixed: self.fixed(name).to_owned(), scope_id: scope_id.to_owned(), varying })
    }
}

#[cfg(test)]
mod tests;
