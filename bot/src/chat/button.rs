//! What can be pressed under a reply, and what stands on it.

use serde::{Deserialize, Serialize};

/// Something that can be pressed under a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Button {
    /// It helped.
    Useful,
    /// It did not; a reason is asked for.
    NotUseful,
    /// All facts and how they were looked up, for the presser alone.
    Details,
    /// What was cut.
    More,
    /// Asks the same again under the channel's scope, for all to see.
    Share,
    /// Takes the reply away; the asker's alone.
    Delete,
    /// Stops an answer that is still being made; the asker's alone.
    Stop,
}

impl Button {
    /// Every one.
    pub const ALL: [Self; 7] = [Self::Useful, Self::NotUseful, Self::Details, Self::More, Self::Share, Self::Delete, Self::Stop];

    /// Its name on the platforms.
    pub fn action(self) -> &'static str {
        match self {
            Self::Useful => "runlore_useful",
            Self::NotUseful => "runlore_not_useful",
            Self::Details => "runlore_details",
            Self::More => "runlore_more",
            Self::Share => "runlore_share",
            Self::Delete => "runlore_delete",
            Self::Stop => "runlore_stop",
        }
    }

    /// The one of this name.
    pub fn of_action(action: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|button| button.action() == action)
    }

    /// What stands on it, where so many lines were cut.
    pub fn label(self, n_more: usize) -> String {
        let label = match self {
            Self::More if n_more == 1 => "… 1 more line",
            Self::More if n_more > 1 => return format!("… {n_more} more lines"),
            Self::Useful => "👍 Useful",
            Self::NotUseful => "Not useful",
            Self::Details => "Details",
            Self::More => "More",
            Self::Share => "Share to channel",
            Self::Delete => "Delete",
            Self::Stop => "Stop",
        };
        label.to_owned()
    }

    /// These in their order, each once.
    pub fn each_once(buttons: &[Self]) -> impl Iterator<Item = Self> {
        buttons.iter().enumerate().filter(|(i, button)| !buttons[..*i].contains(button)).map(|(_, &button)| button)
    }
}
