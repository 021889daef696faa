//! The bot's own page: how it is, and what it has read that this person may see.

use std::collections::BTreeMap;

use super::Service;
use super::sentences;
use crate::chat::clean::clean;
use crate::chat::{Place, PlaceKind, Platform};
use crate::gate;
use crate::store::Audited;
use crate::surface::{Outcome, Shown, Surface};
use runlore_indexer::record::RecordKind;

impl Service {
    pub(super) async fn show_home(&self, platform: Platform, workspace: &str, person: &str) -> anyhow::Result<()> {
        let Some(messenger) = self.messenger(platform) else { return Ok(()) };
        let place = Place { platform, workspace: workspace.to_owned(), channel: String::new(), kind: PlaceKind::Direct, thread: None };
        let (mut lines, shown) = self.status_lines(&place, person).await;
        if !self.may_show(&Audited::at(&place, person, "", shown)).await {
            lines = vec![sentences::CANNOT_NOTE.to_owned()];
        }
        lines.iter_mut().for_each(clean);
        if let Err(error) = messenger.show_home(person, &lines).await {
            tracing::warn!(%error, "cannot show somebody's page");
        }
        Ok(())
    }

    async fn status_lines(&self, place: &Place, person: &str) -> (Vec<String>, Shown) {
        let health = if self.app.is_model_missing() { sentences::WITHOUT_MODEL } else { sentences::WELL };
        let mut lines = vec![health.to_owned()];
        lines.extend(sentences::n_waiting(self.queue().len()));
        let refused = |refusal| (refusal, Shown::plain(Surface::Home, Outcome::Refused));
        let (read, shown) = self.read_for(place, person).await.unwrap_or_else(refused);
        lines.push(read);
        (lines, shown)
    }

    /// What was read that this person may see in direct messages, or why nothing.
    async fn read_for(&self, place: &Place, person: &str) -> Result<(String, Shown), String> {
        let circumstances = self.circumstances(place, person).await.map_err(|refusal| refusal.to_string())?;
        let access = self.app.access();
        let audience = gate::audience_of(place, person, &circumstances, &access).map_err(|refusal| refusal.to_string())?;
        let scope = access.policy.scope_for(&audience).ok_or_else(|| sentences::NOTHING_READ.to_owned())?;
        let scope = self.app.widened("home.of_all", &scope);
        let counts = self.app.corpus.catalog.counts(&scope).await.map_err(|error| {
            tracing::warn!(%error, "cannot count what was read");
            sentences::CATALOG_AWAY.to_owned()
        })?;
        let mut by_kind: BTreeMap<String, u64> = BTreeMap::new();
        counts.into_iter().for_each(|count| *by_kind.entry(count.kind).or_default() += count.n_records);
        let of = |kind: RecordKind| by_kind.get(kind.as_str()).map(|n| (kind, *n));
        let read: Vec<(RecordKind, u64)> = RecordKind::ALL.into_iter().filter_map(of).collect();
        let shown = Shown { audience: audience.to_string(), scope: scope.id(), ..Shown::plain(Surface::Home, Outcome::Shown) };
        Ok((sentences::has_read(&read), shown))
    }
}
