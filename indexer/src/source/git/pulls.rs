//! Recognises pulls in the messages of merge and squash commits: GitHub, GitLab, Azure and Bitbucket.

use std::sync::LazyLock;

use regex::Regex;

/// What a message says of the pull that it merged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MergedPull {
    /// Its number in the repository.
    pub(super) number: u64,
    /// Its title, else the message's first line.
    pub(super) title: String,
    /// The branch that was merged.
    pub(super) head: Option<String>,
    /// What the message says besides.
    pub(super) description: String,
}

/// One way in which a first line tells of a pull.
struct Form {
    first_line: Regex,
    /// Where the title stands.
    title: TitleIn,
}

#[derive(Clone, Copy)]
enum TitleIn {
    FirstLine,
    Body,
}

static FORMS: LazyLock<Vec<Form>> = LazyLock::new(|| {
    let forms = [
        // GitHub, and Azure without a squash.
        (r"^Merge pull request #?(?<number>\d+) from (?<head>\S+)", TitleIn::Body),
        // Bitbucket Server, by version.
        (r"^Merge pull request #(?<number>\d+) in \S+ from (?<head>\S+) to \S+", TitleIn::Body),
        (r"^Pull request #(?<number>\d+): (?<title>.+)$", TitleIn::FirstLine),
        // Bitbucket Cloud, merge and squash.
        (r"^Merged in (?<head>\S+) \(pull request #(?<number>\d+)\)", TitleIn::Body),
        (r"^(?<title>.+) \(pull request #(?<number>\d+)\)$", TitleIn::FirstLine),
        // Azure.
        (r"^Merged PR (?<number>\d+): (?<title>.+)$", TitleIn::FirstLine),
        // GitHub, squash, or a merge titled like the pull.
        (r"^(?<title>.+) \(#(?<number>\d+)\)$", TitleIn::FirstLine),
    ];
    forms.into_iter().filter_map(|(line, title)| Some(Form { first_line: Regex::new(line).ok()?, title })).collect()
});

/// GitLab says the number at the end of the message, whatever the first line.
static GITLAB: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"(?m)^See merge request \S*!(?<number>\d+)\s*$").ok());
static GITLAB_BRANCH: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^Merge branch '(?<head>[^']+)'").ok());

/// The pull that this message says it merged.
pub(super) fn recognise(message: &str) -> Option<MergedPull> {
    let (first_line, body) = message.split_once('\n').unwrap_or((message, ""));
    let first_line = first_line.trim();
    gitlab(first_line, body).or_else(|| FORMS.iter().find_map(|form| form.read(first_line, body)))
}

impl Form {
    fn read(&self, first_line: &str, body: &str) -> Option<MergedPull> {
        let found = self.first_line.captures(first_line)?;
        let named = |name: &str| found.name(name).map(|m| m.as_str().trim().to_owned());
        let (title, description) = match self.title {
            TitleIn::FirstLine => (named("title"), body.trim().to_owned()),
            TitleIn::Body => title_and_rest(body),
        };
        let number = named("number")?.parse().ok()?;
        let title = title.unwrap_or_else(|| first_line.to_owned());
        Some(MergedPull { number, title, head: named("head"), description })
    }
}

fn gitlab(first_line: &str, body: &str) -> Option<MergedPull> {
    let said = GITLAB.as_ref()?.captures_iter(body).last()?;
    let number = said.name("number")?.as_str().parse().ok()?;
    let before = body[..said.get(0)?.start()].trim();
    let branch = GITLAB_BRANCH.as_ref()?.captures(first_line);
    let head = branch.as_ref().and_then(|found| found.name("head")).map(|m| m.as_str().to_owned());
    let (title, description) = match branch {
        Some(_) => title_and_rest(before),
        None => (None, before.to_owned()),
    };
    Some(MergedPull { number, title: title.unwrap_or_else(|| first_line.to_owned()), head, description })
}

/// The first line with something on it, and what follows.
fn title_and_rest(body: &str) -> (Option<String>, String) {
    let body = body.trim();
    let (title, rest) = body.split_once('\n').unwrap_or((body, ""));
    let title = title.trim();
    ((!title.is_empty()).then(|| title.to_owned()), rest.trim().to_owned())
}
