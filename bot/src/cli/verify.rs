//! `runlore verify`: what catalog and indexes hold, and whether they agree. Two that were filled differently print the same.

use std::collections::BTreeMap;

use runlore_indexer::catalog;
use runlore_indexer::record::RecordId;
use runlore_indexer::search::Corpus;
use runlore_indexer::space::Space;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{Exit, Form, Options, open_corpus, out};

/// Differences that are listed.
const MAX_LISTED: usize = 10;

type Contents = Vec<(RecordId, u32, String)>;

/// Digests by table and by space.
#[derive(Debug, Default, Serialize)]
struct Contained {
    catalog: BTreeMap<String, String>,
    keyword: BTreeMap<String, String>,
    vector: BTreeMap<String, String>,
    agree: bool,
    differences: Vec<String>,
}

/// Prints the digests, always as JSON.
pub(super) async fn verify(options: &Options) -> anyhow::Result<Exit> {
    let corpus = open_corpus(&options.settings()?).await?;
    let contained = gather(&corpus).await?;
    out::json(&contained)?;
    Ok(if contained.agree { Exit::Fine } else { Exit::Failure })
}

/// Says whether catalog and indexes agree, for `runlore index --verify`; in JSON there is a second line.
pub(super) async fn check(corpus: &Corpus, form: Form) -> anyhow::Result<Exit> {
    let contained = gather(corpus).await?;
    match form {
        Form::Json => out::json(&contained)?,
        Form::Text if contained.agree => out::line("catalog and indexes agree")?,
        Form::Text => out::line(&format!("catalog and indexes differ:\n{}", contained.differences.join("\n")))?,
    }
    Ok(if contained.agree { Exit::Fine } else { Exit::Failure })
}

async fn gather(corpus: &Corpus) -> anyhow::Result<Contained> {
    let mut contained = Contained { catalog: catalog::digest(&corpus.catalog).await?.into_iter().collect(), ..Contained::default() };
    for space in corpus.catalog.spaces().await? {
        let (keyword_wanted, vector_wanted) = wanted(corpus, &space).await?;
        let (keyword, vectors, of) = (corpus.keyword.clone(), corpus.vectors.clone(), space.clone());
        let keyword = tokio::task::spawn_blocking(move || keyword.contents(&of)).await??;
        let of = space.clone();
        let vector = tokio::task::spawn_blocking(move || vectors.contents(&of)).await??;
        contained.differences.extend(differences(&format!("keyword index of `{space}`"), &keyword_wanted, &keyword));
        contained.differences.extend(differences(&format!("vector index of `{space}`"), &vector_wanted, &vector));
        // An index that was emptied and one that never was are the same.
        for (name, contents) in [(&mut contained.keyword, keyword), (&mut contained.vector, vector)] {
            if !contents.is_empty() {
                name.insert(space.to_string(), digest(&contents));
            }
        }
    }
    contained.agree = contained.differences.is_empty();
    Ok(contained)
}

/// What the two indexes of a space should hold: every chunk, and every chunk that is embedded.
async fn wanted(corpus: &Corpus, space: &Space) -> anyhow::Result<(Contents, Contents)> {
    let changes = corpus.catalog.changes(space, 0, usize::MAX >> 1).await?;
    let records: Vec<RecordId> = changes.into_iter().map(|change| change.record).collect();
    let (mut keyword, mut vector) = (Vec::new(), Vec::new());
    for chunk in corpus.catalog.chunks(space, &records).await? {
        let row = (chunk.record, chunk.position, chunk.text_hash);
        if chunk.embed.is_some() {
            vector.push(row.clone());
        }
        keyword.push(row);
    }
    keyword.sort();
    vector.sort();
    Ok((keyword, vector))
}

fn differences(place: &str, wanted: &Contents, held: &Contents) -> Vec<String> {
    let missing = wanted.iter().filter(|row| held.binary_search(row).is_err()).map(|row| ("lacks", row));
    let surplus = held.iter().filter(|row| wanted.binary_search(row).is_err()).map(|row| ("has too much", row));
    let mut lines: Vec<String> = missing
        .chain(surplus)
        .take(MAX_LISTED)
        .map(|(what, (record, position, hash))| format!("{place} {what}: {record} {position} {hash}"))
        .collect();
    if lines.is_empty() && wanted.len() != held.len() {
        lines.push(format!("{place} holds {} chunks, some of them twice; {} are wanted", held.len(), wanted.len()));
    }
    lines
}

fn digest(contents: &Contents) -> String {
    let mut digest = Sha256::new();
    for (record, position, hash) in contents {
        digest.update(format!("{record} {position} {hash}\n"));
    }
    let hex: String = digest.finalize()[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{} chunks {hex}", contents.len())
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn missing_surplus_and_doubled_chunks_are_told() {
        let row = |n: u128| (RecordId::from(Uuid::from_u128(n)), 0, "h".to_owned());
        assert_eq!(differences("i", &vec![row(1)], &vec![row(1)]), Vec::<String>::new());
        assert!(differences("i", &vec![row(1), row(2)], &vec![row(1)])[0].starts_with("i lacks: "));
        assert!(differences("i", &vec![row(1)], &vec![row(1), row(2)])[0].starts_with("i has too much: "));
        assert_eq!(differences("i", &vec![row(1)], &vec![row(1), row(1)]).len(), 1);
    }
}
