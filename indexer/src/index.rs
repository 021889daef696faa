//! The derived indexes: one keyword index and one vector index per space.

pub mod keyword;
pub mod schema;
mod stamp;
pub mod vector;
pub mod vector_edge;
pub mod vector_qdrant;
