//! Finds a model's weights on the disk.

use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::model::{ModelError, Weights};

/// Where the weights are, and in which form.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// One GGUF file.
    Gguf { folder: PathBuf, file: String },
    /// `config.json`, tokenizer and safetensors.
    Folder(PathBuf),
    /// On the model hub.
    Hub(String),
}

impl Place {
    /// Looks at the path, and at the first bytes of a file.
    pub(super) fn find(weights: &Weights) -> Result<Self, ModelError> {
        let path = match weights {
            Weights::Hub(id) => return Ok(Self::Hub(id.clone())),
            Weights::Path(path) => path,
        };
        if path.is_file() {
            return gguf(path);
        }
        if !path.is_dir() {
            return Err(unavailable(format!("there is no model at `{}`: run `runlore models`", path.display())));
        }
        let mut files: Vec<PathBuf> = std::fs::read_dir(path)
            .map_err(|error| unavailable(format!("cannot read `{}`: {error}", path.display())))?
            .filter_map(|entry| entry.ok().map(|entry| entry.path()))
            .filter(|file| has_gguf_name(file))
            .collect();
        match (files.len(), files.pop()) {
            (1, Some(file)) => gguf(&file),
            (0, _) if path.join("config.json").is_file() => Ok(Self::Folder(path.clone())),
            (0, _) => Err(unavailable(format!("there is no model in `{}`: run `runlore models`", path.display()))),
            (n_files, _) => Err(unavailable(format!("`{}` holds {n_files} GGUF files: name one of them", path.display()))),
        }
    }

    /// A short name for status and logs.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Gguf { file, .. } => file.trim_end_matches(".gguf").to_owned(),
            Self::Folder(path) => path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned(),
            Self::Hub(id) => id.clone(),
        }
    }
}

/// As the library wants it named, and as people are shown it.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gguf { folder, file } => write!(f, "{}", folder.join(file).display()),
            Self::Folder(path) => write!(f, "{}", path.display()),
            Self::Hub(id) => f.write_str(id),
        }
    }
}

fn has_gguf_name(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gguf"))
}

fn gguf(path: &Path) -> Result<Place, ModelError> {
    let mut magic = [0; 4];
    let read = std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut magic));
    if read.is_err() || magic != *b"GGUF" {
        return Err(unavailable(format!("`{}` is not a GGUF file: delete it and run `runlore models`", path.display())));
    }
    // The library wants a folder: a bare file name lies in the current one.
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let file =
        path.file_name().and_then(|name| name.to_str()).ok_or_else(|| unavailable(format!("`{}` is no readable name", path.display())))?;
    Ok(Place::Gguf { folder: folder.to_owned(), file: file.to_owned() })
}

fn unavailable(sentence: String) -> ModelError {
    ModelError::Unavailable(sentence)
}
