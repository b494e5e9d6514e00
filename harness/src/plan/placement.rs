//! The order in which workers fill the machine.
