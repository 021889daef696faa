//! Tests support.

pub mod qdrant;
