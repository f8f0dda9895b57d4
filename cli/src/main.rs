//! The `echeck` command.
fn main() {}
