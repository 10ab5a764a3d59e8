//! Where in the text something stands: bytes, and for people line and column.

/// A half-open range of bytes of the query's text. Columns are counted as Prometheus counts them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Span {
    /// The first byte.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
}

impl Span {
    /// The bytes from `start` up to `end`.
    pub fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    /// From where this one starts to where `last` ends.
    #[must_use]
    pub fn to(self, last: Self) -> Self {
        Self { start: self.start, end: last.end }
    }

    /// Line and column of the start, both from 1; a column is a byte.
    pub fn line_column(self, text: &str) -> (usize, usize) {
        let before = text.as_bytes().get(..self.start).unwrap_or(text.as_bytes());
        let last_line = before.split(|&byte| byte == b'\n').next_back().unwrap_or_default();
        (before.split(|&byte| byte == b'\n').count(), last_line.len() + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::Span;

    #[test]
    fn lines_and_columns_count_from_one() {
        assert_eq!(Span::new(0, 1).line_column("a"), (1, 1));
        assert_eq!(Span::new(3, 4).line_column("a\n b"), (2, 2));
        assert_eq!(Span::new(2, 2).line_column("a\n"), (2, 1));
    }

    #[test]
    fn a_place_behind_the_text_is_its_end() {
        assert_eq!(Span::new(9, 9).line_column("ab"), (1, 3));
    }
}
