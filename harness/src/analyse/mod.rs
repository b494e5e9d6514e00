//! Records in, a summary out: pure functions over numbers.
