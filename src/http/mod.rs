//! Every URL, one folder a product: parse, ask, print; no logic.
