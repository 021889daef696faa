//! Every text of a record.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use super::{Taken, names, redact};
use crate::record::{Body, Commit, Config, Pull, Record};
use crate::run::Run;

/// Stands for a value that the name it stands under makes a secret.
const BY_NAME: &str = "[redacted:secret-by-name]";

/// Takes the secrets and hidden characters out of every text of a record; says how many there were. What names the record in its source
/// stays.
pub fn redact_record(record: &mut Record) -> Taken {
    let mut taken = in_place(&mut record.key) + in_place(&mut record.title);
    for text in [&mut record.project, &mut record.author, &mut record.url] {
        taken += in_option(text);
    }
    taken
        + match &mut record.body {
            Body::Run(run) => redact_run(run),
            Body::Note(text) => in_place(text),
            Body::Config(config) => redact_config(config),
            Body::Pull(pull) => redact_pull(pull),
            Body::Commit(commit) => redact_commit(commit),
        }
}

fn redact_run(run: &mut Run) -> Taken {
    let mut taken = in_place(&mut run.name) + in_option(&mut run.user) + in_option(&mut run.notes);
    taken += in_pairs(&mut run.params) + in_pairs(&mut run.tags);
    taken += in_names(run.series.iter_mut().map(|series| &mut series.key));
    taken += in_names(run.texts.iter_mut().map(|text| &mut text.path));
    taken += run.directions.iter_mut().map(|(key, _)| in_place(key)).sum::<Taken>();
    for used in &mut run.datasets {
        taken += in_place(&mut used.name);
    }
    for text in &mut run.texts {
        taken += in_place(&mut text.text);
    }
    taken
}

fn redact_config(config: &mut Config) -> Taken {
    in_place(&mut config.text) + in_pairs(&mut config.values)
}

fn redact_pull(pull: &mut Pull) -> Taken {
    let in_commits: Taken = pull.commits.iter_mut().map(in_place).sum();
    let in_paths = in_names(pull.files.iter_mut().map(|file| &mut file.path));
    in_commits + in_paths + in_place(&mut pull.description) + in_option(&mut pull.head)
}

fn redact_commit(commit: &mut Commit) -> Taken {
    in_place(&mut commit.message)
}

fn in_place(text: &mut String) -> Taken {
    let (redacted, taken) = redact(text);
    if let Cow::Owned(redacted) = redacted {
        *text = redacted;
    }
    taken
}

fn in_option(text: &mut Option<String>) -> Taken {
    text.as_mut().map_or_else(Taken::default, in_place)
}

/// Names, which stay different from each other.
fn in_names<'a>(names: impl Iterator<Item = &'a mut String>) -> Taken {
    let (mut taken, mut seen) = (Taken::default(), HashSet::new());
    for (i, name) in names.enumerate() {
        let in_name = in_place(name);
        if in_name != Taken::default() && (in_name.n_secrets > 0 || seen.contains(name)) {
            name.push_str(&format!("#{i}"));
        }
        seen.insert(name.clone());
        taken += in_name;
    }
    taken
}

/// Values by what they hold, and by the name that they stand under; names by what they hold.
fn in_pairs(pairs: &mut [(String, String)]) -> Taken {
    let are_secret = secret_by_name(pairs);
    let mut taken = in_names(pairs.iter_mut().map(|(key, _)| key));
    for ((_, text), is_secret) in pairs.iter_mut().zip(are_secret) {
        taken += in_place(text);
        if is_secret && text != BY_NAME {
            *text = BY_NAME.to_owned();
            taken.n_secrets += 1;
        }
    }
    taken
}

/// For each pair whether a name makes its value a secret: its own, the one in the pair beside it (`env.0.name` of `env.0.value`), the
/// flag in the pair before it (`args.0` of `args.1`), or that it is data of a secret of Kubernetes.
fn secret_by_name(pairs: &[(String, String)]) -> Vec<bool> {
    let named: HashMap<&str, &str> = pairs.iter().filter_map(|(key, text)| Some((key.strip_suffix("name")?, text.as_str()))).collect();
    let is_manifest = pairs.iter().any(|(key, text)| key == "kind" && text == "Secret");
    let mut flag = "";
    let mut are_secret = Vec::with_capacity(pairs.len());
    for (key, text) in pairs {
        let beside = key.strip_suffix("value").and_then(|start| named.get(start)).copied();
        let names = [Some(key.as_str()), beside, flag.strip_prefix("--")];
        let is_data = is_manifest && (key.starts_with("data.") || key.starts_with("stringData."));
        are_secret.push(is_data || names.into_iter().flatten().any(|name| names::is_secret(name, text)));
        flag = text;
    }
    are_secret
}
