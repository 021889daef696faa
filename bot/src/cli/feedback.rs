//! `runlore feedback export`: what people said about answers, as questions for an evaluation.

use clap::{Args, Subcommand};

use super::{Exit, Options, out};
use crate::store::Store;

#[derive(Debug, Args)]
pub(super) struct FeedbackArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Print one JSON object a line: the question, the verdict, the reason and the records that the answer rested on
    Export,
}

/// Prints it.
pub(super) async fn feedback(args: &FeedbackArgs, options: &Options) -> anyhow::Result<Exit> {
    let What::Export = args.what;
    let store = Store::open(&options.settings()?.state_url).await?;
    for feedback in store.feedback().await? {
        out::json(&feedback)?;
    }
    Ok(Exit::Fine)
}
