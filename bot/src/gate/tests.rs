//! Who is admitted, and who is told why not.
