//! A column of one type to bytes and back. Pure: slices in, bytes out.
