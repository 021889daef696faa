//! Writes the parts of a run.

use sqlx::{Any, Transaction};

use super::{CatalogError, curve};
use crate::run::{AtStep, Run, Series, Summary};

/// Inserts everything that a run holds.
pub(super) async fn write_run(write: &mut Transaction<'_, Any>, id: &str, run: &Run) -> Result<(), CatalogError> {
    let insert = "INSERT INTO runs (record, name, status, status_raw, started_ms, ended_ms, user_name, notes, commit_hash, parent) \
                  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    let insert = sqlx::query(insert).bind(id).bind(&*run.name).bind(run.status.as_str()).bind(&*run.status_raw);
    let insert = insert.bind(run.started_ms).bind(run.ended_ms).bind(run.user.clone()).bind(run.notes.clone());
    insert.bind(run.commit.clone()).bind(run.parent.clone()).execute(&mut **write).await?;
    for (name, value) in &run.params {
        let insert =
            "INSERT INTO params (record, name, value) VALUES ($1, $2, $3) ON CONFLICT (record, name) DO UPDATE SET value = excluded.value";
        sqlx::query(insert).bind(id).bind(&**name).bind(&**value).execute(&mut **write).await?;
    }
    for (name, value) in &run.tags {
        let insert =
            "INSERT INTO tags (record, name, value) VALUES ($1, $2, $3) ON CONFLICT (record, name) DO UPDATE SET value = excluded.value";
        sqlx::query(insert).bind(id).bind(&**name).bind(&**value).execute(&mut **write).await?;
    }
    for dataset in &run.datasets {
        let insert = sqlx::query("INSERT INTO datasets (record, name, digest, context) VALUES ($1, $2, $3, $4)");
        let insert = insert.bind(id).bind(&*dataset.name).bind(&*dataset.digest).bind(dataset.context.clone());
        insert.execute(&mut **write).await?;
    }
    for (metric, direction) in &run.directions {
        let insert = sqlx::query("INSERT INTO directions (record, metric, direction) VALUES ($1, $2, $3)");
        insert.bind(id).bind(&**metric).bind(direction.as_str()).execute(&mut **write).await?;
    }
    for series in &run.series {
        write_series(write, id, series).await?;
    }
    for text in &run.texts {
        let insert = "INSERT INTO run_texts (record, path, body, cut) VALUES ($1, $2, $3, $4) ON CONFLICT (record, path) DO NOTHING";
        let insert = sqlx::query(insert).bind(id).bind(&*text.path).bind(text.text.replace('\0', "")).bind(i64::from(text.cut));
        insert.execute(&mut **write).await?;
    }
    Ok(())
}

async fn write_series(write: &mut Transaction<'_, Any>, id: &str, series: &Series) -> Result<(), CatalogError> {
    let summary = Summary::of(&series.points);
    let insert = "INSERT INTO series (record, metric, n, first_step, first_value, last_step, last_value, last_finite_step, last_finite_value, \
                  min_step, min_value, max_step, max_value, mean, n_nan, n_pos_inf, n_neg_inf, first_non_finite) \
                  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)";
    let mut insert = sqlx::query(insert).bind(id).bind(&*series.key).bind(summary.n as i64);
    for at in [summary.first, summary.last, summary.last_finite, summary.min, summary.max] {
        insert = insert.bind(at.map(|at| at.step)).bind(value_of(at));
    }
    let insert = insert.bind(summary.mean.unwrap_or(f64::NAN)).bind(summary.n_nan as i64).bind(summary.n_pos_inf as i64);
    insert.bind(summary.n_neg_inf as i64).bind(summary.first_non_finite).execute(&mut **write).await?;
    let insert = sqlx::query("INSERT INTO curves (record, metric, points) VALUES ($1, $2, $3)");
    insert.bind(id).bind(&*series.key).bind(curve::encode(&series.points)?).execute(&mut **write).await?;
    Ok(())
}

/// Never NULL by type: an absent number travels as not-a-number, because a NULL of unknown width confuses PostgreSQL's prepared statements.
fn value_of(at: Option<AtStep>) -> f64 {
    at.map_or(f64::NAN, |at| at.value)
}
