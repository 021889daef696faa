//! The canaries, and the places of a team that hold them.

use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::Result;
use sha2::{Digest, Sha256};

/// Stands beside every canary, and is no secret.
pub const BESIDE: &str = "zanzibarquokka";

/// The run that holds some.
pub const RUN: &str = "vd-mosaic-s2";

const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// Name, beginning, letters and length behind it.
const KINDS: [(&str, &str, &str, usize); 18] = [
    ("huggingface", "hf_", LETTERS, 36),
    ("openai", "sk-proj-", LETTERS, 48),
    ("github", "ghp_", LETTERS, 36),
    ("aws", "AKIA", "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16),
    ("wandb", "", "0123456789abcdef", 40),
    ("xai", "xai-", LETTERS, 80),
    ("slack", "xoxb-", LETTERS, 40),
    ("gitlab", "glpat-", LETTERS, 20),
    ("anthropic", "sk-ant-", LETTERS, 60),
    ("bearer", "x9", LETTERS, 38),
    ("address", "x9", LETTERS, 14),
    ("password", "x9", LETTERS, 14),
    ("kubernetes", "", LETTERS, 24),
    ("key line", "", LETTERS, 64),
    ("docker", "dckr_pat_", LETTERS, 27),
    ("groq", "gsk_", LETTERS, 52),
    ("replicate", "r8_", LETTERS, 37),
    ("nvidia", "nvapi-", LETTERS, 64),
];

/// Made as the test runs: nothing that looks like a secret stands in the repository.
pub struct Canaries(Vec<(&'static str, String)>);

impl Canaries {
    pub fn fresh() -> Self {
        Self(KINDS.iter().map(|(name, begin, letters, n)| (*name, format!("{begin}{}", drawn(name, letters, *n)))).collect())
    }

    pub fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, secret)| (*name, secret.as_str()))
    }

    pub fn of(&self, kind: &str) -> &str {
        self.0.iter().find(|(name, _)| *name == kind).map_or("", |(_, secret)| secret)
    }

    /// Puts them into notes, configs, a run and pulls; those that are typed stay.
    ///
    /// # Errors
    /// Where a file cannot be written.
    pub fn plant(&self, team: &Path) -> Result<()> {
        fs::write(team.join("notes/leak.md"), self.note())?;
        fs::write(team.join("configs/leak.yaml"), self.config())?;
        fs::write(
            team.join("configs/secret.yaml"),
            format!("kind: Secret\nmetadata:\n  name: {BESIDE}\ndata:\n  user: {}\n", self.of("kubernetes")),
        )?;
        fs::write(team.join("configs/broken.json"), format!("{{\"{BESIDE}\": 1, \"docker\": \"{}\", ", self.of("docker")))?;
        self.plant_in_runs(&team.join("mlruns/410000000000000001"))?;
        let mut pulls = fs::OpenOptions::new().append(true).open(team.join("pulls.jsonl"))?;
        Ok(pulls.write_all(self.pull().as_bytes())?)
    }

    fn note(&self) -> String {
        let (hidden, rest) = self.of("github").split_at(12);
        let (one, two) = rest.split_at(9);
        format!(
            "# {BESIDE}\n\n{BESIDE}: HF_TOKEN={} for the hub, and the other is\n\n    {}\n\n```\n-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n```\n\n\
             Hidden: {hidden}\u{200b}{one}\u{2060}\u{200b}{two} in the middle.\n",
            self.of("huggingface"),
            self.of("openai"),
            self.of("key line"),
        )
    }

    fn config(&self) -> String {
        format!(
            "{BESIDE}: true\ndb:\n  password: {}\nurl: postgres://mira:{}@db:5432/runs\nenv:\n  - name: WANDB_API_KEY\n    value: {}\n",
            self.of("password"),
            self.of("address"),
            self.of("wandb"),
        )
    }

    fn pull(&self) -> String {
        let pull = serde_json::json!({
            "v": 1, "type": "pull", "repository": "harbor/models", "number": 99, "author": "ines", "merged": "2026-05-20T09:12:00Z",
            "title": format!("{BESIDE}: rotate {}", self.of("slack")),
            "head": "ines/rotate", "files": [],
            "commits": [format!("drop {}", self.of("gitlab"))],
            "description": format!("It was {BESIDE}, and then {}.", self.of("anthropic")),
        });
        format!("{pull}\n")
    }

    /// A param, a tag and a log of the run.
    fn plant_in_runs(&self, experiment: &Path) -> Result<()> {
        for entry in fs::read_dir(experiment)? {
            let run = entry?.path();
            if !fs::read_to_string(run.join("tags/mlflow.runName")).is_ok_and(|name| name.trim() == RUN) {
                continue;
            }
            fs::write(run.join("params/hub.token"), self.of("xai"))?;
            fs::write(run.join("tags/mlflow.note.content"), format!("{BESIDE}: Authorization: Bearer {}", self.of("bearer")))?;
            fs::create_dir_all(run.join("artifacts/logs"))?;
            fs::write(run.join("artifacts/logs/train.log"), format!("{BESIDE}\nexport AWS_ACCESS_KEY_ID={}\n", self.of("aws")))?;
        }
        Ok(())
    }
}

/// The same for the same name.
fn drawn(name: &str, letters: &str, n: usize) -> String {
    let letters = letters.as_bytes();
    let blocks = (0_u32..).map(|block| Sha256::digest(format!("{name} {block}").as_bytes()));
    blocks.flat_map(|block| block.to_vec()).map(|byte| char::from(letters[usize::from(byte) % letters.len()])).take(n).collect()
}
