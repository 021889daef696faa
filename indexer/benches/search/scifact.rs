//! nDCG@10 on SciFact (BEIR): each leg alone, and the ways to fuse them.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use runlore_indexer::embed::Embedder;
use runlore_indexer::index::keyword::KeywordChunk;
use runlore_indexer::index::vector::{EmbeddedChunk, Filter};
use runlore_indexer::record::{RecordId, RecordKind};
use runlore_indexer::search::fuse::Fusion;
use runlore_indexer::search::{FUSION, LegHits, Legs};
use runlore_indexer::space::{Hit, Space};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::{Outcome, cache_folder, empty_legs};

/// Texts between two lines of progress.
const EMBEDDED_AT_ONCE: usize = 256;

#[derive(Deserialize)]
struct Text {
    #[serde(rename = "_id")]
    id: String,
    #[serde(default)]
    title: String,
    text: String,
}

impl Text {
    fn record(&self) -> Outcome<RecordId> {
        Ok(RecordId::from(Uuid::from_u128(self.id.parse()?)))
    }
}

/// For each query, the grades of the records that answer it.
type Judgements = BTreeMap<String, HashMap<RecordId, f64>>;

pub fn run() -> Outcome<()> {
    let shared =
        std::env::var_os("RUNLORE_SHARED").map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared"), PathBuf::from);
    let folder = shared.join("data/ir/scifact");
    if !folder.is_dir() {
        println!("not run: there is no `{}`; say with RUNLORE_SHARED where the data is", folder.display());
        return Ok(());
    }
    let corpus: Vec<Text> = lines(&folder.join("corpus.jsonl"))?;
    let queries: Vec<Text> = lines(&folder.join("queries.jsonl"))?;
    let judgements = judgements(&folder.join("qrels_test.tsv"))?;
    let scratch = tempfile::tempdir()?;
    let legs = empty_legs(scratch.path())?;
    let team = Space::new("team")?;
    index(&legs, &team, &corpus)?;
    let runtime = tokio::runtime::Runtime::new()?;
    let mut found: BTreeMap<&str, LegHits> = BTreeMap::new();
    for query in queries.iter().filter(|query| judgements.contains_key(&query.id)) {
        found.insert(&query.id, runtime.block_on(legs.search(vec![team.clone()], &query.text, &Filter::default()))?);
    }
    println!("{} documents, {} queries; nDCG@10:", corpus.len(), found.len());
    let print = |name: &str, hits: &dyn Fn(&LegHits) -> Vec<Hit>| println!("  {name:<28} {:.4}", mean_ndcg(&judgements, &found, hits));
    print("keyword", &|found| found.keyword.clone());
    print("vector", &|found| found.vector.clone());
    print("hybrid, as shipped", &|found| found.fused(FUSION, 10));
    for k in [5.0, 10.0, 20.0, 40.0, 60.0, 100.0] {
        print(&format!("hybrid, rrf k={k}"), &|found| found.fused(Fusion::Rrf { k }, 10));
    }
    for vector_weight in [0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8] {
        print(&format!("hybrid, min-max w={vector_weight}"), &|found| found.fused(Fusion::MinMax { vector_weight }, 10));
    }
    Ok(())
}

fn index(legs: &Legs, team: &Space, corpus: &[Text]) -> Outcome<()> {
    let vectors = corpus_vectors(legs.embedder.as_ref(), corpus)?;
    let mut words = Vec::new();
    let mut embedded = Vec::new();
    for (text, vector) in corpus.iter().zip(vectors) {
        let (record, kind) = (text.record()?, RecordKind::Note);
        let text_hash = text.id.clone();
        let (title, heading, body) = (text.title.clone(), String::new(), text.text.clone());
        words.push(KeywordChunk { record, position: 0, text_hash, kind, project: None, created_ms: None, title, heading, text: body });
        let (id, text_hash) = (record.chunk(0), text.id.clone());
        embedded.push(EmbeddedChunk { id, record, position: 0, text_hash, kind, project: None, created_ms: None, vector });
    }
    legs.keyword.apply(team, &[], &words, 1)?;
    legs.vectors.apply(team, &[], &embedded)?;
    legs.vectors.mark_applied(team, 1)?;
    Ok(())
}

/// Computed once a model, some minutes on two cores, and kept in the cache folder.
fn corpus_vectors(embedder: &dyn Embedder, corpus: &[Text]) -> Outcome<Vec<Vec<f32>>> {
    let dimensions = embedder.dimensions();
    let file = cache_folder()?.join("bench").join(format!("scifact-{}.f32", embedder.name()));
    let kept = fs::read(&file).unwrap_or_default();
    if kept.len() == corpus.len() * dimensions * 4 {
        let numbers: Vec<f32> = kept.chunks_exact(4).map(|bytes| f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])).collect();
        return Ok(numbers.chunks_exact(dimensions).map(<[f32]>::to_vec).collect());
    }
    let mut vectors = Vec::new();
    for some in corpus.chunks(EMBEDDED_AT_ONCE) {
        let texts: Vec<String> = some.iter().map(|text| format!("{} {}", text.title, text.text)).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        vectors.extend(embedder.embed(&texts)?);
        println!("embedded {} of {}", vectors.len(), corpus.len());
    }
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    let bytes: Vec<u8> = vectors.iter().flatten().flat_map(|number: &f32| number.to_le_bytes()).collect();
    let unfinished = file.with_extension("part");
    fs::write(&unfinished, bytes)?;
    fs::rename(&unfinished, &file)?;
    Ok(vectors)
}

fn lines<T: DeserializeOwned>(file: &Path) -> Outcome<Vec<T>> {
    fs::read_to_string(file)?.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
}

fn judgements(file: &Path) -> Outcome<Judgements> {
    let mut judgements = Judgements::new();
    for line in fs::read_to_string(file)?.lines().skip(1) {
        if let [query, document, grade] = line.split('\t').collect::<Vec<_>>()[..] {
            let record = RecordId::from(Uuid::from_u128(document.parse()?));
            judgements.entry(query.to_owned()).or_default().insert(record, grade.parse()?);
        }
    }
    Ok(judgements)
}

fn mean_ndcg(judgements: &Judgements, found: &BTreeMap<&str, LegHits>, hits: &dyn Fn(&LegHits) -> Vec<Hit>) -> f64 {
    let sum: f64 = found.iter().map(|(query, legs)| ndcg_at_ten(&judgements[*query], &hits(legs))).sum();
    sum / found.len() as f64
}

/// Normalised discounted cumulative gain, as trec_eval computes it: the grade is the gain, the discount log2(rank + 1).
fn ndcg_at_ten(grades: &HashMap<RecordId, f64>, hits: &[Hit]) -> f64 {
    let discounted = |gains: &mut dyn Iterator<Item = f64>| -> f64 {
        gains.take(10).enumerate().map(|(place, gain)| gain / (place as f64 + 2.0).log2()).sum()
    };
    let mut best: Vec<f64> = grades.values().copied().collect();
    best.sort_by(|a, b| b.total_cmp(a));
    let got = discounted(&mut hits.iter().map(|hit| grades.get(&hit.record).copied().unwrap_or(0.0)));
    got / discounted(&mut best.into_iter())
}
