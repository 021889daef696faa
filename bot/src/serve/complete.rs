//! Names for somebody who is still typing: those that the place may read, and no others.

use runlore_indexer::catalog::Vocabulary;

use super::{Service, now_ms};
use crate::chat::Place;
use crate::chat::clean::clean;
use crate::gate::{self, Circumstances};
use crate::store::Audited;
use crate::surface::{Outcome, Shown, Surface};

/// Which names fit where somebody types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Named {
    /// Projects.
    Project,
    /// Runs, as `PROJECT/RUN`.
    Run,
    /// Metrics.
    Metric,
}

/// Somebody who types.
#[derive(Debug, Clone)]
pub struct Typing<'a> {
    /// Where.
    pub place: &'a Place,
    /// Who.
    pub person: &'a str,
    /// What the platform says of both, where it was told already.
    pub circumstances: Option<Circumstances>,
    /// What is typed.
    pub named: Named,
    /// So far.
    pub typed: &'a str,
    /// The project that was chosen already.
    pub project: Option<&'a str>,
}

impl Service {
    /// At most `limit` names, those that begin with what is typed first; none for whom nothing may be read. The audit notes it once a
    /// minute, and where it cannot, nothing is offered.
    pub async fn complete(&self, typing: &Typing<'_>, limit: usize) -> Vec<String> {
        let asked = match &typing.circumstances {
            Some(circumstances) => Ok(circumstances.clone()),
            None => self.circumstances(typing.place, typing.person).await,
        };
        let Ok(circumstances) = asked else { return Vec::new() };
        let access = self.app.access();
        let Ok(audience) = gate::audience_of(typing.place, typing.person, &circumstances, &access) else { return Vec::new() };
        let names = match self.app.names_on_offer(&self.app.unmasked("completion.of_all", &audience)).await {
            Ok(vocabulary) => {
                let mut names = matching(&vocabulary, typing, limit);
                names.iter_mut().for_each(clean);
                names
            }
            Err(error) => {
                tracing::warn!("no names for somebody who types: {error:#}");
                Vec::new()
            }
        };
        if names.is_empty() {
            return names;
        }
        let scope = access.policy.scope_for(&audience).map(|scope| scope.id()).unwrap_or_default();
        let shown = Shown { audience: audience.to_string(), scope, ..Shown::plain(Surface::Completion, Outcome::Shown) };
        let noted = self.store.audit_once_a_minute(&Audited::at(typing.place, typing.person, "", shown), now_ms()).await;
        match noted {
            Ok(()) => names,
            Err(error) => {
                tracing::error!(%error, "the audit cannot be written; no names for somebody who types");
                Vec::new()
            }
        }
    }
}

fn matching(vocabulary: &Vocabulary, typing: &Typing<'_>, limit: usize) -> Vec<String> {
    let is_chosen = |project: &str| typing.project.is_none_or(|chosen| chosen == project);
    match typing.named {
        Named::Project => best(vocabulary.projects.iter().map(|project| (&*project.name, &*project.name)), typing.typed, limit),
        Named::Metric => {
            let projects = vocabulary.projects.iter().filter(|project| is_chosen(&project.name));
            let mut names: Vec<&str> = projects.flat_map(|project| project.metrics.iter().map(String::as_str)).collect();
            names.sort_unstable();
            names.dedup();
            best(names.into_iter().map(|name| (name, name)), typing.typed, limit)
        }
        Named::Run => {
            // The newest have the highest numbers.
            let runs = vocabulary.runs.iter().rev().filter(|run| is_chosen(&run.project));
            best(runs.map(|run| (&*run.key, &*run.name)), typing.typed, limit)
        }
    }
}

/// The first that begin with the letters, as a whole or by their second name; then those that hold them.
fn best<'a>(names: impl Iterator<Item = (&'a str, &'a str)>, typed: &str, limit: usize) -> Vec<String> {
    let typed = typed.trim().to_lowercase();
    let (mut first, mut second) = (Vec::new(), Vec::new());
    for (name, short) in names {
        if begins(name, &typed) || begins(short, &typed) {
            first.push(name.to_owned());
            if first.len() == limit {
                return first;
            }
        } else if second.len() < limit && name.to_lowercase().contains(&typed) {
            second.push(name.to_owned());
        }
    }
    first.extend(second);
    first.truncate(limit);
    first
}

/// Whether a name begins with lower-cased letters, whatever its own case.
fn begins(name: &str, typed: &str) -> bool {
    let mut letters = name.chars().flat_map(char::to_lowercase);
    typed.chars().all(|c| letters.next() == Some(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_begin_so_come_first() {
        let names = ["tide/old-lr", "tide/LR-sweep", "lr/one", "other/two"];
        let typed = |typed: &str| best(names.iter().map(|name| (*name, name.split_once('/').map_or(*name, |(_, run)| run))), typed, 3);
        assert_eq!(typed("lr"), ["tide/LR-sweep", "lr/one", "tide/old-lr"]);
        assert_eq!(typed(" TI"), ["tide/old-lr", "tide/LR-sweep"]);
        assert_eq!(typed(""), ["tide/old-lr", "tide/LR-sweep", "lr/one"]);
        assert!(typed("zzz").is_empty());
    }
}
