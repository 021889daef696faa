//! What the tables keep.
