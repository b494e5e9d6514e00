//! Python executables: finding, probing and naming them.
