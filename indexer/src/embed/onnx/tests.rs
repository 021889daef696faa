//! The model's loader: what is missing or cut short is named; and, where the model lies in the cache folder, its vectors.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::PathBuf;

use super::*;

const FILES: [&str; 5] = ["model.onnx", "tokenizer.json", "config.json", "special_tokens_map.json", "tokenizer_config.json"];

/// The cache's models folder and the runtime library in it, or a line that says why a test did not run.
fn models() -> Option<(PathBuf, PathBuf)> {
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache")))?;
    let models = cache.join("runlore/models");
    let runtime = models.join("onnxruntime/libonnxruntime.so.1.31.1");
    if !runtime.exists() || !models.join("embed/model.onnx").exists() {
        println!("not run: no embedding model in {}", models.display());
        return None;
    }
    Some((models.join("embed"), runtime))
}

fn load_error(folder: &Path, runtime: &Path) -> (String, String) {
    match OnnxEmbedder::load(folder, runtime) {
        Err(EmbedError::Load { place, reason }) => (place, reason),
        Err(other) => panic!("not a load error: {other}"),
        Ok(_) => panic!("loaded"),
    }
}

#[test]
fn a_library_cut_short_is_named_before_it_is_mapped() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("libonnxruntime.so");
    let mut header = vec![0_u8; 64];
    header[..6].copy_from_slice(b"\x7fELF\x02\x01");
    header[40..48].copy_from_slice(&1_000_000_u64.to_le_bytes());
    header[58] = 64;
    header[60] = 30;
    std::fs::write(&path, &header).unwrap();
    let error = check_library(&path).unwrap_err().to_string();
    assert!(error.contains("libonnxruntime.so") && error.contains("64 of 1001920 bytes"), "{error}");
    std::fs::write(&path, b"short").unwrap();
    assert!(check_library(&path).unwrap_err().to_string().contains("cut short"));
}

#[test]
fn each_missing_or_cut_file_is_named() {
    let Some((model, runtime)) = models() else { return };
    let (place, _) = load_error(&model, Path::new("/nowhere/libonnxruntime.so"));
    assert!(place.ends_with("libonnxruntime.so"), "{place}");
    for broken in FILES {
        let folder = tempfile::tempdir().unwrap();
        for file in FILES {
            std::fs::copy(model.join(file), folder.path().join(file)).unwrap();
        }
        let path = folder.path().join(broken);
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
        let (place, reason) = load_error(folder.path(), &runtime);
        assert!(place.ends_with(broken), "cut `{broken}`, named `{place}`: {reason}");
        std::fs::remove_file(&path).unwrap();
        assert!(load_error(folder.path(), &runtime).0.ends_with(broken), "removed `{broken}`");
    }
}

#[test]
fn vectors_are_units_near_by_meaning_and_do_not_depend_on_their_neighbours() {
    let Some((model, runtime)) = models() else { return };
    let embedder = OnnxEmbedder::load(&model, &runtime).unwrap();
    let texts = ["training diverged after the warm-up", "the loss exploded early in the run", "a recipe for apple pie", ""];
    let vectors = embedder.embed(&texts).unwrap();
    assert_eq!((embedder.dimensions(), vectors.len()), (384, 4));
    let cosine = |a: usize, b: usize| vectors[a].iter().zip(&vectors[b]).map(|(x, y)| x * y).sum::<f32>();
    assert!((cosine(0, 0) - 1.0).abs() < 1e-4);
    assert!(cosine(0, 1) > cosine(0, 2) + 0.15, "{} {}", cosine(0, 1), cosine(0, 2));
    for (text, vector) in texts.iter().zip(&vectors) {
        assert_eq!(&embedder.embed(&[text]).unwrap()[0], vector, "`{text}` alone and among others");
    }
    assert!(embedder.embed(&[]).unwrap().is_empty());
}
