//! Fields of the keyword index, and how text becomes their terms.

use tantivy::schema::{FAST, Field, INDEXED, IndexRecordOption, STORED, STRING, Schema, TextFieldIndexing, TextOptions};
use tantivy::tokenizer::{
    AsciiFoldingFilter, Language, LowerCaser, RemoveLongFilter, SimpleTokenizer, Stemmer, StopWordFilter, TextAnalyzer, Token, TokenStream,
    Tokenizer, TokenizerManager,
};
use tantivy::{TantivyDocument, Term};

use crate::index::keyword::KeywordChunk;
use crate::record::{RecordId, RecordKind};
use crate::search::query::{exact_words, parts};

/// Names of the analyzers stand in the stored schema: a new number makes an index of older rules unreadable rather than half right.
const PROSE_ANALYZER: &str = "prose-1";
const EXACT_ANALYZER: &str = "exact-1";

/// Fast fields, by the names under which a segment has their columns.
pub(super) const RECORD_HIGH: &str = "record_high";
pub(super) const RECORD_LOW: &str = "record_low";
pub(super) const POSITION: &str = "position";

/// Longest stemmed word in bytes.
const MAX_PROSE_WORD_BYTES: usize = 64;

/// The schema and its fields.
pub(super) struct Layout {
    pub schema: Schema,
    /// Title, headings and text, stemmed, without stop words and accents.
    pub prose: Field,
    /// The same as exact words and their parts, with positions for phrases.
    pub exact: Field,
    pub text_hash: Field,
    pub created_ms: Field,
    record: Field,
    chunk: Field,
    kind: Field,
    project: Field,
    record_high: Field,
    record_low: Field,
    position: Field,
}

impl Layout {
    pub fn new() -> Self {
        let mut builder = Schema::builder();
        let analyzed = |analyzer, option| {
            let indexing = TextFieldIndexing::default().set_tokenizer(analyzer).set_index_option(option);
            TextOptions::default().set_indexing_options(indexing)
        };
        Self {
            prose: builder.add_text_field("prose", analyzed(PROSE_ANALYZER, IndexRecordOption::WithFreqs)),
            exact: builder.add_text_field("exact", analyzed(EXACT_ANALYZER, IndexRecordOption::WithFreqsAndPositions)),
            text_hash: builder.add_text_field("text_hash", STORED),
            created_ms: builder.add_i64_field("created_ms", FAST),
            record: builder.add_bytes_field("record", INDEXED),
            chunk: builder.add_bytes_field("chunk", INDEXED),
            kind: builder.add_text_field("kind", STRING),
            project: builder.add_text_field("project", STRING),
            record_high: builder.add_u64_field(RECORD_HIGH, FAST),
            record_low: builder.add_u64_field(RECORD_LOW, FAST),
            position: builder.add_u64_field(POSITION, FAST),
            schema: builder.build(),
        }
    }

    /// The indexed form of a chunk.
    pub fn document(&self, chunk: &KeywordChunk) -> TantivyDocument {
        let mut document = TantivyDocument::new();
        for text in [&chunk.title, &chunk.heading, &chunk.text] {
            document.add_text(self.prose, text);
            document.add_text(self.exact, text);
        }
        document.add_text(self.text_hash, &chunk.text_hash);
        document.add_bytes(self.record, chunk.record.uuid().as_bytes());
        document.add_bytes(self.chunk, chunk.record.chunk(chunk.position).as_bytes());
        document.add_text(self.kind, chunk.kind.as_str());
        if let Some(project) = &chunk.project {
            document.add_text(self.project, project);
        }
        if let Some(created_ms) = chunk.created_ms {
            document.add_i64(self.created_ms, created_ms);
        }
        let (high, low) = chunk.record.uuid().as_u64_pair();
        document.add_u64(self.record_high, high);
        document.add_u64(self.record_low, low);
        document.add_u64(self.position, u64::from(chunk.position));
        document
    }

    /// Held by every chunk of the record.
    pub fn record_term(&self, record: RecordId) -> Term {
        Term::from_field_bytes(self.record, record.uuid().as_bytes())
    }

    /// Held by this one chunk.
    pub fn chunk_term(&self, record: RecordId, position: u32) -> Term {
        Term::from_field_bytes(self.chunk, record.chunk(position).as_bytes())
    }

    pub fn kind_term(&self, kind: RecordKind) -> Term {
        Term::from_field_text(self.kind, kind.as_str())
    }

    pub fn project_term(&self, project: &str) -> Term {
        Term::from_field_text(self.project, project)
    }

    pub fn exact_term(&self, word: &str) -> Term {
        Term::from_field_text(self.exact, word)
    }

    /// The distinct stemmed terms of a text, in its order.
    pub fn prose_terms(&self, text: &str) -> Vec<Term> {
        let mut terms = Vec::new();
        prose_analyzer().token_stream(text).process(&mut |token| {
            let term = Term::from_field_text(self.prose, &token.text);
            if !terms.contains(&term) {
                terms.push(term);
            }
        });
        terms
    }
}

/// The analyzers under the names that the schema gives them.
pub(super) fn tokenizers() -> TokenizerManager {
    let manager = TokenizerManager::default();
    manager.register(PROSE_ANALYZER, prose_analyzer());
    manager.register(EXACT_ANALYZER, TextAnalyzer::from(ExactTokenizer));
    manager
}

fn prose_analyzer() -> TextAnalyzer {
    let analyzer = TextAnalyzer::builder(SimpleTokenizer::default())
        .filter(RemoveLongFilter::limit(MAX_PROSE_WORD_BYTES))
        .filter(LowerCaser)
        .filter(AsciiFoldingFilter);
    match StopWordFilter::new(Language::English) {
        Some(stop_words) => analyzer.filter(stop_words).filter(Stemmer::new(Language::English)).build(),
        None => analyzer.filter(Stemmer::new(Language::English)).build(),
    }
}

/// Gives each exact word of a text in lower case, and at the same position its parts.
#[derive(Clone)]
struct ExactTokenizer;

impl Tokenizer for ExactTokenizer {
    type TokenStream<'a> = ExactTokens;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> ExactTokens {
        let mut tokens = Vec::new();
        for (position, word) in exact_words(text).map(str::to_lowercase).enumerate() {
            let parts = parts(&word).into_iter().map(str::to_owned).collect::<Vec<_>>();
            tokens.extend([word].into_iter().chain(parts).map(|text| Token { position, text, ..Token::default() }));
        }
        ExactTokens { tokens: tokens.into_iter(), current: Token::default() }
    }
}

/// The tokens of one text. Nobody reads their offsets, so these are zero.
struct ExactTokens {
    tokens: std::vec::IntoIter<Token>,
    current: Token,
}

impl TokenStream for ExactTokens {
    fn advance(&mut self) -> bool {
        let next = self.tokens.next();
        let is_there = next.is_some();
        self.current = next.unwrap_or_default();
        is_there
    }

    fn token(&self) -> &Token {
        &self.current
    }

    fn token_mut(&mut self) -> &mut Token {
        &mut self.current
    }
}
