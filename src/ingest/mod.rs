//! Other people's formats to batches, and their errors.
