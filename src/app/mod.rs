//! Reads the configuration, wires the house, drives it, starts it and stops it.
