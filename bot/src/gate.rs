//! Who may ask what, and how often: a question is admitted to an audience, or refused with a sentence.

mod access;
mod limits;

use jiff::tz::TimeZone;
use runlore_indexer::config::AccessSettings;
use runlore_indexer::leak;
use runlore_indexer::space::Audience;

pub use access::{ChannelFacts, PersonFacts};
pub use limits::{LimitSettings, Limits};

use crate::chat::{Account, Asked, Place, PlaceKind};
use crate::refusal::Refusal;

/// What the platform says of who asks, and of where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Circumstances {
    /// Of the asker.
    pub person: PersonFacts,
    /// Of the channel.
    pub channel: ChannelFacts,
    /// The asker's account on the other platform, by the asker's own word on both; looked up in direct messages alone.
    pub linked: Option<Account>,
}

/// A question that may be answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admitted {
    /// Who will see the answer.
    pub audience: Audience,
    /// What a day is for who asks.
    pub zone: TimeZone,
}

/// Admits a question to the audience of its answer.
///
/// # Errors
/// With a sentence for the asker, where the settings do not allow it, nobody can tell, or it is too much.
pub fn admit(asked: &Asked, circumstances: &Circumstances, access: &AccessSettings, limits: &Limits) -> Result<Admitted, Refusal> {
    let audience = access::audience(&counted_as(&asked.place, asked.is_private()), &asked.asker, circumstances, access)?;
    limits.take(&asked.asker, &asked.place)?;
    Ok(Admitted { audience, zone: circumstances.person.time_zone() })
}

/// As which place one counts where an answer is shown: an answer for one person alone as its channel.
pub fn counted_as(place: &Place, is_private: bool) -> Place {
    let kind = if is_private && leak::is_seeded("access.private_as_direct") { PlaceKind::Direct } else { place.kind };
    Place { kind, ..place.clone() }
}

/// The audience of a place for somebody who does not ask anew: who presses a button or opens a page.
///
/// # Errors
/// As `admit`, but for the limits.
pub fn audience_of(place: &Place, person: &str, circumstances: &Circumstances, access: &AccessSettings) -> Result<Audience, Refusal> {
    access::audience(place, person, circumstances, access)
}

/// The person whom the settings name by this account.
pub fn named<'a>(account: &Account, access: &'a AccessSettings) -> Option<&'a String> {
    access::named(account.platform, &account.person, access)
}

/// The audience of what is posted at a place by itself, as nobody's answer: who may ask there does not matter.
///
/// # Errors
/// With a sentence, where the settings do not let the place's members read anything.
pub fn readers_of(place: &Place, facts: &ChannelFacts, access: &AccessSettings) -> Result<Audience, Refusal> {
    access::readers(place, facts, access)
}

#[cfg(test)]
mod tests;
