//! Reads a folder of configuration files: YAML, TOML, JSON, and the output folders of Hydra.
//!
//! A value keeps the text that stands in the file, because every tool types it differently (`1e-5` is a number to one and a
//! string to another); comparing types them. Of a Hydra output folder `config.yaml` is the record, with `overrides.yaml` as
//! its values `hydra.overrides.N`; Hydra's own settings beside them are left out.

pub(in crate::source) mod json;
mod toml;
mod values;
pub(in crate::source) mod yaml;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::path::Path;

use self::values::Flat;
use super::folder::{self, FileText, FoundFile, Hidden};
use super::{Item, Known, Listing, Outlet, SourceError};
use crate::record::{Body, Config, Record};

/// Largest configuration file that is read.
const MAX_BYTES: u64 = 1 << 20;

const EXTENSIONS: [&str; 4] = ["yaml", "yml", "toml", "json"];

/// Reads every configuration file below `root`.
///
/// # Errors
/// Where the folder is missing or cannot be listed, or nobody listens any more.
pub fn read(root: &Path, known: &Known, outlet: &Outlet) -> Result<Listing, SourceError> {
    let found = folder::list(root, &EXTENSIONS, Hidden::Only(".hydra"))?;
    let is_complete = found.complaints.is_empty();
    for complaint in found.complaints {
        outlet.send_blocking(Item::Complaint(complaint))?;
    }
    let by_name: HashMap<&str, &FoundFile> = found.files.iter().map(|file| (file.name.as_str(), file)).collect();
    let wanted: Vec<&FoundFile> = found.files.iter().filter(|file| !is_hydra_side_file(&file.name, &by_name)).collect();
    outlet.send_blocking(Item::Expect(wanted.len()))?;
    for file in wanted {
        let overrides = hydra_folder(&file.name).and_then(|dir| by_name.get(format!("{dir}overrides.yaml").as_str()).copied());
        read_one(file, overrides, known, outlet)?;
    }
    Ok(Listing { is_complete, cursor: None })
}

/// The `.hydra/` folder of a Hydra run's configuration, with the slash.
fn hydra_folder(name: &str) -> Option<&str> {
    let dir = name.strip_suffix("config.yaml")?;
    (dir == ".hydra/" || dir.ends_with("/.hydra/")).then_some(dir)
}

/// Whether this is a file of Hydra's own beside a run's configuration.
fn is_hydra_side_file(name: &str, by_name: &HashMap<&str, &FoundFile>) -> bool {
    let (dir, file) = name.rsplit_once('/').map_or(("", name), |(dir, file)| (dir, file));
    let is_in_hydra = dir == ".hydra" || dir.ends_with("/.hydra");
    is_in_hydra && matches!(file, "overrides.yaml" | "hydra.yaml") && by_name.contains_key(format!("{dir}/config.yaml").as_str())
}

fn read_one(file: &FoundFile, overrides: Option<&FoundFile>, known: &Known, outlet: &Outlet) -> Result<(), SourceError> {
    let text = match folder::read_text(&file.path, MAX_BYTES) {
        Ok(text) => text,
        Err(why) => return folder::complain(outlet, &file.path, why, &file.name),
    };
    if text.is_lossy {
        folder::complain(outlet, &file.path, "not UTF-8; what could not be read stands as `\u{fffd}`".to_owned(), &file.name)?;
    }
    if is_hydra_sweep(file, &text.text) {
        return Ok(());
    }
    let overrides = overrides.map(|file| (file, folder::read_text(&file.path, MAX_BYTES)));
    let overrides = match overrides {
        Some((side, Err(why))) => {
            folder::complain(outlet, &side.path, why, &file.name)?;
            None
        }
        Some((_, Ok(text))) => Some(text),
        None => None,
    };
    parse_and_send(file, text, overrides, known, outlet)
}

/// Whether this is the file in which Hydra keeps its own settings of a sweep.
fn is_hydra_sweep(file: &FoundFile, text: &str) -> bool {
    file.name.rsplit('/').next() == Some("multirun.yaml") && text.starts_with("hydra:")
}

fn parse_and_send(
    file: &FoundFile,
    text: FileText,
    overrides: Option<FileText>,
    known: &Known,
    outlet: &Outlet,
) -> Result<(), SourceError> {
    let flat = flatten(&file.name, &text.text);
    if let Some(problem) = &flat.problem {
        let place = file.path.with_file_name(placed(&file.path, problem.line));
        folder::complain(outlet, &place, problem.message.clone(), &file.name)?;
        if flat.values.is_empty() {
            return Ok(());
        }
    }
    let record = record(&file.name, text, flat.values, overrides);
    if known.is_same(&file.name, &record.fingerprint) {
        return outlet.send_blocking(Item::Unchanged(record.native_id));
    }
    outlet.send_blocking(Item::Record(Box::new(record)))
}

/// The file's name with the line behind it.
fn placed(path: &std::path::Path, line: Option<usize>) -> String {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    line.map_or(name.clone(), |line| format!("{name}:{line}"))
}

/// The values of a file, read as its name says.
pub(in crate::source) fn flatten(name: &str, text: &str) -> Flat {
    let extension = name.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
    match extension.as_str() {
        "json" => json::flatten(text),
        "toml" => toml::flatten(text),
        _ => yaml::flatten(text),
    }
}

fn record(name: &str, text: FileText, mut values: Vec<(String, String)>, overrides: Option<FileText>) -> Record {
    let overrides_hash = overrides.as_ref().map(|text| text.hash.clone()).unwrap_or_default();
    let listed = overrides.map(|text| yaml::flatten(&text.text).values).unwrap_or_default();
    let changed: Vec<&str> = listed.iter().map(|(_, value)| value.as_str()).filter(|value| *value != "[]").collect();
    let title = match hydra_folder(name) {
        Some(_) if !changed.is_empty() => format!("Hydra run with {}", changed.join(" ")),
        Some(_) => "Hydra run without overrides".to_owned(),
        None => name.rsplit('/').next().unwrap_or(name).to_owned(),
    };
    for (i, value) in changed.iter().enumerate() {
        values.push((format!("hydra.overrides.{i}"), (*value).to_owned()));
    }
    Record {
        native_id: name.to_owned(),
        key: name.to_owned(),
        title,
        project: None,
        author: None,
        url: None,
        created_ms: None,
        updated_ms: None,
        fingerprint: folder::sha256(&[text.hash.as_bytes(), overrides_hash.as_bytes()]),
        body: Body::Config(Config { text: text.text, values }),
    }
}
