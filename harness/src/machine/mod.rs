//! The computer: its topology, its limits, and facts about it.
