//! Whether what was made of records may still be shown, and forgetting what may not: of records that are gone, that say less than they did,
//! or that an audience may not read any more.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use runlore_indexer::catalog::{Catalog, CatalogError};
use runlore_indexer::config::AccessSettings;
use runlore_indexer::record::RecordId;
use runlore_indexer::space::ReadScope;

use super::sentences::{self, plain};
use super::{Service, now_ms};
use crate::answer::Subject;
use crate::chat::Basis;
use crate::store::{Made, MadeUnder, Store, ThreadNames};
use crate::surface::{Outcome, Surface};

/// How often the catalog is asked whether it changed.
const EVERY: Duration = Duration::from_secs(2);

/// A state of at most so many bytes is cleared of what was forgotten at once; a larger one once a day, since nobody can write meanwhile.
pub const SMALL_BYTES: i64 = 64 << 20;

/// Sees to it that what is gone from the catalog goes from drafts, from the state and from memory, until the service ends.
pub(super) async fn follow_catalog(service: Arc<Service>) {
    let mut handled = Handled::default();
    loop {
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = service.stop.cancelled() => return,
        }
        service.app.let_go().await;
        if let Err(error) = service.forget_what_fell(&mut handled).await {
            tracing::warn!("cannot forget what is gone: {error:#}");
        }
    }
}

/// How far this has come.
#[derive(Default)]
struct Handled {
    /// The change of the catalog up to which it was looked.
    change: Option<i64>,
    /// Something was forgotten whose bytes are still in the file.
    is_unclean: bool,
}

impl Service {
    /// Whether what was made under this audience and scope may still be shown to that audience.
    pub(super) async fn stands(&self, under: &MadeUnder) -> Result<bool, CatalogError> {
        let Some(scope) = scope_of(under, &self.app.access()) else { return Ok(false) };
        let basis = &under.basis;
        let records = ids(basis);
        let standing = self.app.corpus.catalog.standing(&scope, &records).await?;
        Ok(!basis.is_gone && records.iter().all(|record| stands_in(&standing, record, basis.change)))
    }

    /// Takes the place of drafts that may not stand any more; and where the catalog changed, forgets the answers that rest on what is gone.
    async fn forget_what_fell(&self, handled: &mut Handled) -> anyhow::Result<()> {
        for draft in self.store.drafts().await? {
            if !self.stands(&draft.under).await? {
                tracing::warn!(question.id = draft.post.question, "what a draft shows is gone; it is taken back");
                let post = draft.post.instead(plain(sentences::NO_LONGER), Surface::Refusal, Outcome::Refused);
                self.store.put_out_while_open(&post, now_ms()).await?;
                self.goes_out.notify_one();
            }
        }
        let change = self.app.corpus.catalog.last_change().await?;
        let is_asked = self.look_again.swap(false, Ordering::Relaxed);
        if handled.change != Some(change) || is_asked {
            handled.change = None;
            handled.is_unclean |= forget_fallen(&self.store, &self.app.corpus.catalog, &self.app.access()).await? > 0;
            handled.change = Some(change);
            self.goes_out.notify_one();
        }
        if handled.is_unclean {
            self.store.scrub(SMALL_BYTES).await?;
            handled.is_unclean = false;
        }
        Ok(())
    }
}

/// Forgets what the state keeps of answers that may not be shown any more, and what threads are about that is gone. How many answers and
/// threads; where there are any the file is to be cleared of them.
///
/// # Errors
/// Where catalog or state does not serve.
pub async fn forget_fallen(store: &Store, catalog: &Catalog, access: &AccessSettings) -> anyhow::Result<usize> {
    let everything = ReadScope::for_maintenance(catalog.spaces().await?.into_iter().collect());
    let mut by_audience: BTreeMap<(String, String), Vec<Made>> = BTreeMap::new();
    for made in store.made().await? {
        by_audience.entry((made.under.audience.clone(), made.under.scope.clone())).or_default().push(made);
    }
    let mut fallen = Vec::new();
    for made in by_audience.into_values() {
        // Whom the settings do not know any more, or give another scope, is shown nothing; what is gone is forgotten all the same.
        let scope = made.first().and_then(|made| scope_of(&made.under, access)).unwrap_or_else(|| everything.clone());
        fallen.extend(fallen_of(&made, catalog, &scope).await?);
    }
    store.forget(&fallen, &plain(sentences::NO_LONGER), now_ms()).await?;
    let nameless = nameless_threads(store, catalog).await?;
    store.forget_subjects(&nameless).await?;
    let n_forgotten = fallen.len() + nameless.len();
    if n_forgotten > 0 {
        tracing::info!(n_answers = fallen.len(), n_threads = nameless.len(), "forgotten with what they rested on");
    }
    Ok(n_forgotten)
}

/// Of answers to one audience those that rest on what is gone.
async fn fallen_of(made: &[Made], catalog: &Catalog, scope: &ReadScope) -> Result<Vec<String>, CatalogError> {
    let records: HashSet<RecordId> = made.iter().flat_map(|made| ids(&made.under.basis)).collect();
    let standing = catalog.standing(scope, &records.into_iter().collect::<Vec<_>>()).await?;
    let last_loss = catalog.last_loss(scope).await?;
    let has_fallen = |basis: &Basis| {
        let is_outdated = basis.is_whole && last_loss > basis.change;
        basis.is_gone || is_outdated || ids(basis).iter().any(|record| !stands_in(&standing, record, basis.change))
    };
    Ok(made.iter().filter(|made| has_fallen(&made.under.basis)).map(|made| made.question.clone()).collect())
}

/// Threads that are about something of which the catalog has no record.
async fn nameless_threads(store: &Store, catalog: &Catalog) -> anyhow::Result<Vec<ThreadNames>> {
    let threads = store.subjects().await?;
    let names: HashSet<String> = threads.iter().flat_map(|thread| names_of(&thread.subject)).cloned().collect();
    let known = catalog.known_names(&names.into_iter().collect::<Vec<_>>()).await?;
    Ok(threads.into_iter().filter(|thread| names_of(&thread.subject).any(|name| !known.contains(name))).collect())
}

fn names_of(subject: &Subject) -> impl Iterator<Item = &String> {
    subject.project.iter().chain(&subject.metric).chain(&subject.runs)
}

/// The scope under which it was made, while the settings still give it to the audience.
fn scope_of(under: &MadeUnder, access: &AccessSettings) -> Option<ReadScope> {
    let scope = access.policy.scope_for(&under.audience.parse().ok()?)?;
    (scope.id() == under.scope).then_some(scope)
}

fn ids(basis: &Basis) -> Vec<RecordId> {
    basis.records.iter().filter_map(|id| id.parse().ok()).collect()
}

/// Whether a record is there and was not edited since.
fn stands_in(standing: &HashMap<RecordId, i64>, record: &RecordId, change: i64) -> bool {
    standing.get(record).is_some_and(|edited| *edited <= change)
}
