//! Two accounts become one person's by a code alone: asked for on one platform, typed on the other, by members, where nobody reads along.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use runlore_bot::chat::{Asked, Incoming, Place, PlaceKind, Platform, Way};
use runlore_bot::gate::PersonFacts;
use runlore_bot::store::{AuditFilter, CODE_FOR_MS, is_code};

use super::service::Bench;

const PEOPLE: &str = "[people.ada]\nslack = \"U1\"\nspaces = [\"team\"]\n[people.bob]\ndiscord = \"8\"\nspaces = [\"team\"]\n";
const NO_SUCH_CODE: &str = "I made no such code.";

/// A bench on two platforms, and how many messages were typed there, which tells them apart.
struct Talks {
    bench: Bench,
    n: usize,
}

impl Talks {
    async fn open() -> Result<Self> {
        Ok(Self { bench: Bench::open(PEOPLE, Vec::new()).await?, n: 0 })
    }

    fn typed(&mut self, platform: Platform, person: &str, text: &str) -> Asked {
        self.n += 1;
        let workspace = if platform == Platform::Slack { "T1" } else { "" };
        let place = Place {
            platform,
            workspace: workspace.to_owned(),
            channel: format!("D{person}"),
            kind: PlaceKind::Direct,
            thread: Some("direct".to_owned()),
        };
        let (message, asker, text) = (self.n.to_string(), person.to_owned(), text.to_owned());
        Asked { place, message, asker, text, way: Way::Direct, private_to: None, follows: None, is_late: false }
    }

    /// What somebody is told who types this in a direct message.
    async fn told(&mut self, platform: Platform, person: &str, text: &str) -> Result<String> {
        let asked = self.typed(platform, person, text);
        self.told_for(asked, 0).await
    }

    /// The same of any question, that came so long ago.
    async fn told_for(&self, asked: Asked, ago_ms: i64) -> Result<String> {
        let incoming = Incoming::message(asked);
        let now_ms = jiff::Timestamp::now().as_millisecond();
        self.bench.service.store.take_in(&incoming, now_ms - ago_ms).await?;
        for _ in 0..600 {
            if self.bench.service.store.open_entry(&incoming.id()).await?.is_none() {
                self.bench.until_posted().await?;
                let standing = [self.bench.platform.standing(), self.bench.discord.standing()].concat();
                let answer = standing.into_iter().find(|standing| standing.question == incoming.id());
                return Ok(answer.context("nothing was answered")?.reply.headline);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        anyhow::bail!("never answered: {incoming:?}")
    }

    /// A code for somebody.
    async fn code(&mut self, platform: Platform, person: &str) -> Result<String> {
        code_in(&self.told(platform, person, "link").await?)
    }

    async fn counts(&mut self, platform: Platform, person: &str) -> Result<String> {
        self.told(platform, person, "count in vessel-detect").await
    }
}

fn code_in(told: &str) -> Result<String> {
    let mut words = told.split_whitespace().map(|word| word.trim_matches('`'));
    Ok(words.find(|word| is_code(word)).with_context(|| format!("no code: {told}"))?.to_owned())
}

fn is_refused(told: &str) -> bool {
    told.contains("I am not set up for direct messages")
}

#[tokio::test]
async fn a_link_lets_one_account_read_what_the_other_may_until_it_ends() -> Result<()> {
    let mut talks = Talks::open().await?;
    ensure!(is_refused(&talks.counts(Platform::Discord, "7").await?));
    // The same id as the one that the settings name, on the other platform, is nobody's.
    ensure!(is_refused(&talks.counts(Platform::Discord, "U1").await?));
    // Who types somebody's code gives nothing of the own account away.
    let strangers = talks.code(Platform::Discord, "9").await?;
    let told = talks.told(Platform::Slack, "U1", &format!("link {strangers}")).await?;
    ensure!(told.starts_with("My settings name your account here, so begin here"), "{told}");
    let code = talks.code(Platform::Slack, "U1").await?;
    ensure!(is_refused(&talks.counts(Platform::Discord, "7").await?), "a code alone links nobody");

    let told = talks.told(Platform::Discord, "7", &format!("link {code}")).await?;
    ensure!(told.starts_with("You and `U1` on Slack are one person for me now"), "{told}");
    let other = talks.bench.platform.standing().into_iter().map(|standing| standing.reply.headline).next_back();
    ensure!(other.as_ref().is_some_and(|told| told.starts_with("You and `7` on Discord are one person")), "{other:?}");
    ensure!(talks.counts(Platform::Discord, "7").await?.contains("vessel-detect"));
    ensure!(is_refused(&talks.counts(Platform::Slack, "7").await?) && is_refused(&talks.counts(Platform::Discord, "9").await?));
    for (platform, person) in [(Platform::Discord, "7"), (Platform::Slack, "U1")] {
        let told = talks.told(platform, person, "link").await?;
        ensure!(told.contains("linked with") && told.contains("already"), "{told}");
    }
    let links = talks.bench.service.store.links().await?;
    ensure!(links.len() == 1 && links[0].slack.person == "U1" && links[0].discord.person == "7", "{links:?}");

    let rows = talks.bench.service.store.audit_rows(&AuditFilter::default(), i64::MAX).await?;
    let of = |surface: &str, person: &str| rows.iter().filter(|row| row.surface == surface && row.person == person).count();
    // A refusal, the code, that it was typed, and that there is a link already; on the other side the last two.
    ensure!(of("link", "7") == 2 && of("link", "U1") == 4, "{rows:?}");
    ensure!(rows.iter().any(|row| row.surface == "direct" && row.person == "7" && row.audience == "direct ada"), "{rows:?}");
    ensure!(!format!("{rows:?}").contains(&code));

    let told = talks.told(Platform::Slack, "U1", "unlink").await?;
    ensure!(told == "You and `7` on Discord are two people for me again.", "{told}");
    ensure!(is_refused(&talks.counts(Platform::Discord, "7").await?));
    ensure!(talks.told(Platform::Discord, "7", "unlink").await?.starts_with("Your account here is linked with none"));
    ensure!(!is_refused(&talks.counts(Platform::Slack, "U1").await?), "what the settings say of an account itself stays");
    talks.bench.end().await
}

#[tokio::test]
async fn what_is_forged_used_old_or_typed_by_somebody_else_links_nobody() -> Result<()> {
    let mut talks = Talks::open().await?;
    let code = talks.code(Platform::Slack, "U1").await?;
    for at in [0, 15, 16, 47] {
        let digit = if &code[at..=at] == "0" { "1" } else { "0" };
        let forged = format!("link {}{digit}{}", &code[..at], &code[at + 1..]);
        let told = talks.told(Platform::Discord, "7", &forged).await?;
        ensure!(told.starts_with(NO_SUCH_CODE), "{at}: {told}");
    }
    ensure!(talks.told(Platform::Discord, "7", "link U1").await?.starts_with(NO_SUCH_CODE));
    let told = talks.told(Platform::Slack, "U1", &format!("link {code}")).await?;
    ensure!(told.starts_with("This code is for Discord"), "{told}");
    let told = talks.told(Platform::Discord, "8", &format!("link {code}")).await?;
    ensure!(told.contains("two people's"), "{told}");

    // None of these has spent it. Used once, it is of no use to anybody.
    let told = talks.told(Platform::Discord, "7", &format!("link {code}")).await?;
    ensure!(told.starts_with("You and `U1` on Slack"), "{told}");
    for person in ["7", "9"] {
        let told = talks.told(Platform::Discord, person, &format!("link {code}")).await?;
        ensure!(told.starts_with("This code was used already"), "{told}");
    }
    // Who is linked can be linked with nobody else.
    let another = talks.code(Platform::Slack, "U3").await?;
    let told = talks.told(Platform::Discord, "7", &format!("link {another}")).await?;
    ensure!(told.contains("linked with another one already"), "{told}");

    // Ten minutes, and a new code makes the one before void.
    let asked = talks.typed(Platform::Discord, "10", "link");
    let old = code_in(&talks.told_for(asked, CODE_FOR_MS + 1_000).await?)?;
    ensure!(talks.told(Platform::Slack, "U2", &format!("link {old}")).await?.contains("more than ten minutes old"));
    let (first, second) = (talks.code(Platform::Discord, "10").await?, talks.code(Platform::Discord, "10").await?);
    ensure!(talks.told(Platform::Slack, "U2", &format!("link {first}")).await?.starts_with(NO_SUCH_CODE));
    ensure!(talks.told(Platform::Slack, "U2", &format!("link {second}")).await?.starts_with("You and `10` on Discord"));
    ensure!(talks.bench.service.store.links().await?.len() == 2);
    talks.bench.end().await
}

#[tokio::test]
async fn only_members_link_and_only_where_nobody_reads_along() -> Result<()> {
    let mut talks = Talks::open().await?;
    let code = talks.code(Platform::Discord, "7").await?;
    let in_channel = |asked: Asked, way: Way| Asked {
        place: Place { channel: "C1".to_owned(), kind: PlaceKind::Channel, thread: None, ..asked.place.clone() },
        private_to: (way != Way::Mention).then(|| "an address".to_owned()),
        message: if way == Way::Mention { asked.message.clone() } else { format!("command {}", asked.message) },
        way,
        ..asked
    };
    for (way, text) in
        [(Way::Mention, "link".to_owned()), (Way::Mention, "unlink".to_owned()), (Way::PublicCommand, format!("link {code}"))]
    {
        let asked = talks.typed(Platform::Slack, "U1", &text);
        let told = talks.told_for(in_channel(asked, way), 0).await?;
        ensure!(told.starts_with("Type this in a direct message to me"), "{way:?} {text}: {told}");
    }
    // Others have read it by now.
    ensure!(talks.told(Platform::Slack, "U1", &format!("link {code}")).await?.starts_with("This code was used already"));

    for facts in [
        PersonFacts { is_guest: true, ..PersonFacts::default() },
        PersonFacts { is_stranger: true, ..PersonFacts::default() },
        PersonFacts { is_bot: true, ..PersonFacts::default() },
    ] {
        *talks.bench.discord.person.lock().unwrap() = facts;
        ensure!(talks.told(Platform::Discord, "7", "link").await?.starts_with("Only members of the team"));
    }
    *talks.bench.discord.person.lock().unwrap() = PersonFacts::default();

    // A command that nobody else sees is as good as a direct message.
    let asked = talks.typed(Platform::Slack, "U1", "link");
    let code = code_in(&talks.told_for(in_channel(asked, Way::Command), 0).await?)?;
    let told = talks.told(Platform::Discord, "7", &format!("link {code}")).await?;
    ensure!(told.starts_with("You and `U1` on Slack"), "{told}");
    // Who becomes a guest later reads nothing by it.
    *talks.bench.discord.person.lock().unwrap() = PersonFacts { is_guest: true, ..PersonFacts::default() };
    let told = talks.counts(Platform::Discord, "7").await?;
    ensure!(told.starts_with("Guests of the workspace get no answers in direct messages"), "{told}");
    talks.bench.end().await
}
