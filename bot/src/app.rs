compile_error!("helper F overwrote this file by accident at 13:56 (a stub written through a symlink); its author must write it again, sorry. What is below is only my stub of the contract.");
use std::sync::Arc;
use runlore_indexer::{catalog::Vocabulary, config::Settings, search::{Corpus, Found}, space::Audience, index::vector::Filter};
use tokio_util::sync::CancellationToken;
use crate::chat::*;
pub enum ModelUse { AsConfigured, None }
pub struct App { pub settings: Settings, pub corpus: Corpus }
impl App {
    pub async fn open(settings: Settings, _model: ModelUse) -> anyhow::Result<App> { let corpus = runlore_indexer::pipeline::open(&settings).await?; Ok(App { settings, corpus }) }
    pub async fn answer(&self, question: &Question, on_step: &(dyn Fn(Step) + Send + Sync), _cancel: &CancellationToken) -> Answer { on_step(Step::Facts("x".into()));
     Answer { question: question.text.clone(), answer: "x".into(), abstained: true, best_record: None, records: vec![], quotes: vec![], facts: vec![], citations: vec![], plan: vec![], timings_ms: Timings::default(), reference: None } }
    pub async fn warm(&self) -> anyhow::Result<()> { Ok(()) }
    pub async fn vocabulary(&self, audience: &Audience) -> anyhow::Result<Arc<Vocabulary>> { let s = self.settings.policy.scope_for(audience).ok_or_else(|| anyhow::anyhow!("no"))?; Ok(Arc::new(self.corpus.catalog.vocabulary(&s).await?)) }
    pub async fn search(&self, audience: &Audience, words: &str, filter: &Filter, limit: usize) -> anyhow::Result<Found> { let s = self.settings.policy.scope_for(audience).ok_or_else(|| anyhow::anyhow!("no"))?; Ok(self.corpus.search(&s, words, filter, limit).await?) }
}
