//! Killed at any moment and run again, the index is what a clean build gives.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use runlore_indexer::failpoint;
use runlore_tests::team::Team;

/// Random kills in the ordinary round; `RUNLORE_KILLS` asks for more.
const KILLS: u64 = 40;

#[test]
fn every_failpoint_loses_nothing() -> Result<()> {
    let team = Team::new("")?;
    let clean = team.clean_build()?;
    for name in failpoint::NAMES {
        let mut n_died = 0;
        for nth in 1..=3 {
            team.forget()?;
            let status = team.command(&["index", "--json"]).env("RUNLORE_FAILPOINT", format!("{name}:{nth}")).output()?.status;
            n_died += u64::from(status.code().is_none());
            team.json(&["index", "--json"], &[0, 1])?;
            ensure!(team.json(&["verify"], &[0])? == clean, "after {name}:{nth}");
        }
        ensure!(n_died > 0, "nothing passes the failpoint {name}");
    }
    Ok(())
}

#[test]
fn random_kills_lose_nothing() -> Result<()> {
    let team = Team::new("")?;
    let clean = team.clean_build()?;
    let n_kills: u64 = std::env::var("RUNLORE_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(KILLS);
    let started = Instant::now();
    team.json(&["index", "--json"], &[0, 1])?;
    let whole = started.elapsed();
    team.forget()?;
    for kill in 0..n_kills {
        let mut child =
            team.command(&["index", "--json"]).stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn()?;
        // Spread over the whole run, in no order: the golden ratio's multiples.
        let share = (kill as f64 * 0.618_033_988_749_895).fract();
        wait_or_end(&mut child, whole.mul_f64(share))?;
        if kill % 4 == 3 {
            team.json(&["index", "--json"], &[0, 1])?;
            ensure!(team.json(&["verify"], &[0])? == clean, "after kill {kill}");
            team.forget()?;
        }
    }
    Ok(())
}

/// Kills the child after a while, unless it ended before.
fn wait_or_end(child: &mut std::process::Child, pause: Duration) -> Result<()> {
    let until = Instant::now() + pause;
    while Instant::now() < until && child.try_wait()?.is_none() {
        std::thread::yield_now();
    }
    let _ = child.kill();
    child.wait()?;
    Ok(())
}
