//! Compensated sums, partials, histogram arithmetic, counter resets, sketches. Pure.
