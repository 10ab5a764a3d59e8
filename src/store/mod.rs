//! Rows in, kept safe, rows out. Knows no query and no wire format.
