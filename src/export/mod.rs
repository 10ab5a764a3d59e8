//! Rows to other people's formats: the mirror of `ingest`.
