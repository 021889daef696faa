//! Four weeks of a real team's history, fact by fact against SQL of this test's own over the tracker's store and the catalog.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use runlore_tests::team::fixtures;
use serde_json::Value;
use sqlx::{AnyPool, Row};

use super::{Lab, counted, number, open, shared_data, unpack};

const DAY_MS: i64 = 86_400_000;

/// Weeks with their first moment, runs started and pulls merged.
const WEEKS: [(&str, i64, i64, i64); 4] = [
    ("2025-W10", 1_740_960_000_000, 120, 0),
    ("2025-W11", 1_741_564_800_000, 120, 1),
    ("2025-W12", 1_742_169_600_000, 24, 3),
    ("2025-W13", 1_742_774_400_000, 0, 0),
];

/// What people follow in each project, and whether less is better.
const FOLLOWED: [(&str, &str, bool); 8] = [
    ("algoperf-criteo1tb", "validation/loss", true),
    ("algoperf-fastmri", "validation/ssim", false),
    ("algoperf-imagenet_resnet", "validation/accuracy", false),
    ("algoperf-imagenet_vit", "validation/accuracy", false),
    ("algoperf-librispeech_conformer", "validation/wer", true),
    ("algoperf-librispeech_deepspeech", "validation/wer", true),
    ("algoperf-ogbg", "validation/accuracy", false),
    ("algoperf-wmt", "validation/bleu", false),
];

/// Unpacks, maps and indexes.
fn indexed(data: &Path) -> Result<Lab> {
    let notes = serde_json::to_string(&data.join("notes"))?;
    let sources = format!(
        "[[source]]\nname = \"runs\"\nkind = \"mlflow-db\"\npath = \"algoperf.db\"\nspace = \"team\"\n\
         [[source]]\nname = \"notes\"\nkind = \"notes\"\npath = {notes}\nspace = \"team\"\n\
         [[source]]\nname = \"pulls\"\nkind = \"push\"\npath = \"pulls.jsonl\"\nspace = \"team\"\n"
    );
    let lab = Lab::new(&sources)?;
    unpack(&data.join("mlflow/algoperf_v06.db.xz"), &lab.path().join("algoperf.db"))?;
    let map = fixtures().join("../scripts/map-pulls");
    let mapped = Command::new("python3").arg(map).arg(data.join("git/algorithmic-efficiency-pulls.jsonl")).output()?;
    ensure!(mapped.status.success(), "{}", String::from_utf8_lossy(&mapped.stderr));
    std::fs::write(lab.path().join("pulls.jsonl"), mapped.stdout)?;
    lab.index()?;
    Ok(lab)
}

/// The best of a project's points before a moment, straight from the tracker's store.
async fn best_before(store: &AnyPool, (project, metric, is_less_better): (&str, &str, bool), until_ms: i64) -> Result<Option<f64>> {
    let best = if is_less_better { "MIN" } else { "MAX" };
    let sql = format!(
        "SELECT {best}(m.value) FROM metrics m JOIN runs r ON r.run_uuid = m.run_uuid \
         JOIN experiments e ON e.experiment_id = r.experiment_id \
         WHERE e.name = '{project}' AND m.key = '{metric}' AND m.is_nan = 0 AND m.timestamp < {until_ms}"
    );
    Ok(sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_one(store).await?.try_get(0)?)
}

/// Every metric fact that the brief shows is a logged one.
async fn check_values(brief: &Value, store: &AnyPool) -> Result<usize> {
    let mut n_checked = 0;
    for fact in brief["facts"].as_array().context("no facts")?.iter().filter(|fact| fact["of"] == "best") {
        let record = fact["record"].as_str().context("a value without a run")?;
        let (project, run) = record.split_once('/').context("no run")?;
        // Runs of one name are told apart by the beginning of their id.
        let name = run.split(" (").next().unwrap_or(run);
        let (metric, step) = (fact["name"].as_str().unwrap_or_default(), fact["step"].as_i64().unwrap_or(-1));
        let sql = format!(
            "SELECT m.value FROM metrics m JOIN runs r ON r.run_uuid = m.run_uuid JOIN experiments e ON e.experiment_id = r.experiment_id \
             WHERE e.name = '{project}' AND r.name = '{name}' AND m.key = '{metric}' AND m.step = {step}"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_all(store).await?;
        let values = rows.iter().map(|row| row.try_get::<f64, _>(0)).collect::<Result<Vec<f64>, _>>()?;
        ensure!(values.iter().any(|value| fact["value"].as_f64() == Some(*value)), "{fact} is none of {values:?}");
        n_checked += 1;
    }
    Ok(n_checked)
}

#[tokio::test(flavor = "multi_thread")]
async fn four_weeks_are_told_as_the_stores_hold_them() -> Result<()> {
    let files = ["mlflow/algoperf_v06.db.xz", "git/algorithmic-efficiency-pulls.jsonl"];
    let Some(data) = shared_data("the weekly brief over a real history", &files) else { return Ok(()) };
    let lab = indexed(&data)?;
    let (catalog, store) = (open(&lab, "data/catalog.db").await?, open(&lab, "algoperf.db").await?);
    for (week, start, n_started, n_merged) in WEEKS {
        let brief = lab.brief(week)?;
        let end = start + 7 * DAY_MS;
        let within = |column: &str| format!("{column} >= {start} AND {column} < {end}");
        let headline = brief["headline"].as_str().unwrap_or_default();
        let started = number(&catalog, &format!("SELECT COUNT(*) FROM runs WHERE {}", within("started_ms"))).await?;
        let merged = number(&catalog, &format!("SELECT COUNT(*) FROM pulls WHERE {}", within("merged_ms"))).await?;
        ensure!((started, merged) == (n_started, n_merged), "{week}: the sources hold {started} runs and {merged} pulls");
        ensure!(counted(&brief, "runs") == started as f64, "{week}: {headline}");
        ensure!(counted(&brief, "merged pulls") == merged as f64, "{week}: {headline}");
        for (status, what) in [("finished", "runs finished"), ("failed", "runs failed")] {
            let n = number(&catalog, &format!("SELECT COUNT(*) FROM runs WHERE status = '{status}' AND {}", within("ended_ms"))).await?;
            ensure!(counted(&brief, what) == n as f64, "{week}: {n} {what}, and not {headline}");
        }
        let mut n_better = 0;
        for followed in FOLLOWED {
            let (before, now) = (best_before(&store, followed, start).await?, best_before(&store, followed, end).await?);
            n_better += usize::from(before.is_some() && before != now);
        }
        ensure!(counted(&brief, "new bests") == n_better as f64, "{week}: {n_better} new bests, and not {headline}");
        let n_checked = check_values(&brief, &store).await?;
        ensure!(brief["is_empty"] == (started == 0), "{week}: {headline}");
        ensure!(started == 0 || n_checked > 0, "{week} shows no value");
    }
    let last = lab.brief("2025-W13")?;
    ensure!(last["headline"].as_str().is_some_and(|text| text.starts_with("No data for 2025-W13")), "{last}");
    Ok(())
}
