//! The catalog on PostgreSQL holds and answers what it does on SQLite.

use anyhow::{Result, ensure};
use runlore_tests::not_run::not_run;
use runlore_tests::postgres::Postgres;
use runlore_tests::team::Team;

#[test]
fn the_catalog_on_postgresql_equals_the_one_on_sqlite() -> Result<()> {
    let server = match Postgres::shared()? {
        Ok(server) => server,
        Err(reason) => {
            not_run("the catalog on PostgreSQL", &reason);
            return Ok(());
        }
    };
    let (here, there) = (Team::new("")?, Team::new(&format!("[catalog]\nurl = \"{}\"\n", server.fresh_database()?))?);
    for team in [&here, &there] {
        team.json(&["index", "--json"], &[0, 1])?;
        let again = team.json(&["index", "--json"], &[0, 1])?;
        ensure!(again["n_applied"] == 0, "{again}");
    }
    let verified = there.json(&["verify"], &[0])?;
    ensure!(verified["keyword"] == here.json(&["verify"], &[0])?["keyword"]);
    for question in [
        "best val/map in vessel-detect",
        "count",
        "mean val/map in vessel-detect",
        "run vd-mosaic-s2",
        "What did we decide about gauge 17?",
        "pull 34",
    ] {
        let ask = |team: &Team| team.json(&["ask", "--json", "--no-model", question], &[0]);
        let (a, b) = (ask(&here)?, ask(&there)?);
        ensure!(a["answer"] == b["answer"] && a["facts"] == b["facts"], "{question}: {a} {b}");
    }
    Ok(())
}
