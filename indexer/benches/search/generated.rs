//! How long a hybrid search over 100,000 generated chunks takes, the embedding of the question included.

use std::time::{Duration, Instant};

use runlore_indexer::index::keyword::KeywordChunk;
use runlore_indexer::index::vector::{EmbeddedChunk, Filter};
use runlore_indexer::record::{RecordId, RecordKind};
use runlore_indexer::search::{FUSION, LEG_DEPTH, Legs};
use runlore_indexer::space::Space;
use uuid::Uuid;

use crate::{Outcome, empty_legs};

const N_CHUNKS: u128 = 100_000;
const N_APPLIED_AT_ONCE: usize = 5_000;
const N_WORDS: usize = 30_000;
const N_TOPICS: usize = 500;
const N_QUERIES: usize = 400;
const N_WARM_UP: usize = 40;
const N_COMMITS: usize = 40;

pub fn run() -> Outcome<()> {
    let scratch = tempfile::tempdir()?;
    let legs = empty_legs(scratch.path())?;
    let team = Space::new("team")?;
    let mut generator = Generator::new(legs.embedder.dimensions());
    let started = Instant::now();
    fill(&legs, &team, &mut generator)?;
    println!("{N_CHUNKS} chunks indexed in {:.1} s", started.elapsed().as_secs_f64());

    let queries: Vec<String> = (0..N_QUERIES).map(|n| generator.text(4 + n % 9)).collect();
    let runtime = tokio::runtime::Runtime::new()?;
    let search = |query: &str| -> Outcome<usize> {
        let legs = runtime.block_on(legs.search(vec![team.clone()], query, &Filter::default()))?;
        legs.notice.clone().map_or(Ok(legs.fused(FUSION, 10).len()), |notice| Err(notice.into()))
    };
    for query in &queries[..N_WARM_UP] {
        search(query)?;
    }
    print_times("hybrid, all of it", &queries, |query| search(query).map(drop))?;
    print_times("embedding alone", &queries, |query| legs.embedder.embed(&[query]).map(|_| ()).map_err(Into::into))?;
    let keyword = |query: &str| legs.keyword.search(std::slice::from_ref(&team), query, &Filter::default(), LEG_DEPTH);
    print_times("keyword leg alone", &queries, |query| keyword(query).map(|_| ()).map_err(Into::into))?;
    let vector = generator.vector();
    print_times("nearest vectors alone", &queries, |_| {
        legs.vectors.search(&team, &vector, &Filter::default(), LEG_DEPTH).map(|_| ()).map_err(Into::into)
    })?;
    let mut change = 1_000;
    print_times("one note of four chunks", &queries[..N_COMMITS], |_| {
        change += 1;
        let chunks: Vec<KeywordChunk> = (0..4).map(|n| generator.chunk(n).0).collect();
        Ok(legs.keyword.apply(&team, &[RecordId::from(Uuid::from_u128(0))], &chunks, change)?)
    })
}

fn fill(legs: &Legs, team: &Space, generator: &mut Generator) -> Outcome<()> {
    let numbers: Vec<u128> = (0..N_CHUNKS).collect();
    for (change, some) in (1..).zip(numbers.chunks(N_APPLIED_AT_ONCE)) {
        let (words, embedded): (Vec<_>, Vec<_>) = some.iter().map(|n| generator.chunk(*n)).unzip();
        legs.keyword.apply(team, &[], &words, change)?;
        legs.vectors.apply(team, &[], &embedded)?;
        legs.vectors.mark_applied(team, change)?;
    }
    Ok(())
}

fn print_times(name: &str, queries: &[String], mut run: impl FnMut(&str) -> Outcome<()>) -> Outcome<()> {
    let mut times = Vec::new();
    for query in queries {
        let started = Instant::now();
        run(query)?;
        times.push(started.elapsed());
    }
    times.sort();
    let at = |share: f64| times.get((times.len() as f64 * share) as usize).copied().unwrap_or_default();
    let ms = |time: Duration| time.as_secs_f64() * 1_000.0;
    println!("  {name:<24} p50 {:6.1} ms   p95 {:6.1} ms   p99 {:6.1} ms", ms(at(0.50)), ms(at(0.95)), ms(at(0.99)));
    Ok(())
}

/// Seeded: every run makes the same texts and vectors.
struct Generator {
    state: u64,
    topics: Vec<Vec<f32>>,
}

impl Generator {
    fn new(dimensions: usize) -> Self {
        let mut generator = Self { state: 0x5EED, topics: Vec::new() };
        generator.topics = (0..N_TOPICS).map(|_| generator.direction(dimensions)).collect();
        generator
    }

    /// SplitMix64 (Steele, Lea, Flood 2014), as a share of 1.
    fn share(&mut self) -> f64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Four chunks a record, as in a team's notes.
    fn chunk(&mut self, n: u128) -> (KeywordChunk, EmbeddedChunk) {
        let (record, position) = (RecordId::from(Uuid::from_u128(n / 4)), (n % 4) as u32);
        let (kind, project, created_ms) = (RecordKind::Note, Some(format!("project-{}", n % 20)), Some((n as i64) * 1_000));
        let (title, heading, text) = (self.text(5), self.text(3), self.text(90));
        let (id, vector, text_hash) = (record.chunk(position), self.vector(), n.to_string());
        let (project_too, hash_too) = (project.clone(), text_hash.clone());
        let words = KeywordChunk { record, position, text_hash, kind, project, created_ms, title, heading, text };
        let embedded = EmbeddedChunk { id, record, position, text_hash: hash_too, kind, project: project_too, created_ms, vector };
        (words, embedded)
    }

    /// Words by Zipf's law; one in a few is an identifier.
    fn text(&mut self, n_words: usize) -> String {
        let words: Vec<String> = (0..n_words).map(|_| self.word()).collect();
        words.join(" ")
    }

    fn word(&mut self) -> String {
        let rank = (N_WORDS as f64).powf(self.share()) as usize;
        match rank % 23 {
            0 => format!("stage{}.key_{rank}", rank % 7),
            1 => format!("run-{rank}"),
            _ => format!("w{}", letters(rank)),
        }
    }

    /// A unit vector around one of the topics.
    fn vector(&mut self) -> Vec<f32> {
        let topic = (self.share() * N_TOPICS as f64) as usize;
        let noise = self.direction(self.topics[topic].len());
        unit(self.topics[topic].iter().zip(noise).map(|(a, b)| a + b).collect())
    }

    fn direction(&mut self, dimensions: usize) -> Vec<f32> {
        // The sum of four even shares is near enough to a normal number.
        unit((0..dimensions).map(|_| (0..4).map(|_| self.share() as f32 - 0.5).sum()).collect())
    }
}

fn letters(mut number: usize) -> String {
    let mut text = String::new();
    loop {
        text.push(char::from(b'a' + (number % 26) as u8));
        number /= 26;
        if number == 0 {
            return text;
        }
    }
}

fn unit(vector: Vec<f32>) -> Vec<f32> {
    let length = vector.iter().map(|number| number * number).sum::<f32>().sqrt();
    vector.into_iter().map(|number| number / length).collect()
}
