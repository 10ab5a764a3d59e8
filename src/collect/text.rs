//! Reading columns of words and numbers, with errors that name the place.

use crate::collect::{Error, Machine};

/// A file's text, and where it came from.
#[derive(Debug)]
pub(super) struct Text {
    path: String,
    text: String,
}

/// One line of a [`Text`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Line<'a> {
    path: &'a str,
    number: usize,
    pub(super) text: &'a str,
}

impl Text {
    #[cfg(test)]
    pub(super) fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }

    pub(super) fn read(machine: &dyn Machine, path: &str) -> Result<Self, Error> {
        match machine.read(path) {
            Ok(text) => Ok(Self { path: path.to_owned(), text }),
            Err(source) => Err(Error::Read { path: path.to_owned(), source }),
        }
    }

    /// The lines that are not blank.
    pub(super) fn lines(&self) -> impl Iterator<Item = Line<'_>> {
        let numbered = self.text.lines().enumerate();
        let all = numbered.map(|(i, text)| Line { path: &self.path, number: i + 1, text });
        all.filter(|line| !line.text.trim().is_empty())
    }

    /// The first line; an error where there is none.
    pub(super) fn first(&self) -> Result<Line<'_>, Error> {
        let nothing = Line { path: &self.path, number: 0, text: "" };
        self.lines().next().ok_or_else(|| nothing.malformed("a line"))
    }

    pub(super) fn trimmed(&self) -> &str {
        self.text.trim()
    }
}

impl<'a> Line<'a> {
    pub(super) fn fields(self) -> impl Iterator<Item = &'a str> {
        self.text.split_ascii_whitespace()
    }

    pub(super) fn field(self, index: usize) -> Result<&'a str, Error> {
        self.fields().nth(index).ok_or_else(|| self.malformed("one more field"))
    }

    /// The field at `index` as a number.
    pub(super) fn number(self, index: usize) -> Result<f64, Error> {
        self.parse(self.field(index)?)
    }

    /// `word`, which stands in this line, as a finite number.
    pub(super) fn parse(self, word: &str) -> Result<f64, Error> {
        let number = word.parse().ok().filter(|number: &f64| number.is_finite());
        number.ok_or_else(|| self.malformed("a number"))
    }

    /// All fields from `first` on, as numbers.
    pub(super) fn numbers(self, first: usize) -> Result<Vec<f64>, Error> {
        self.fields().skip(first).map(|word| self.parse(word)).collect()
    }

    /// What stands before and after the first `separator`.
    pub(super) fn split(self, separator: char) -> Result<(&'a str, Line<'a>), Error> {
        let halves = self.text.split_once(separator);
        let (name, text) = halves.ok_or_else(|| self.malformed("a separator"))?;
        Ok((name.trim(), Line { text, ..self }))
    }

    pub(super) fn malformed(self, expected: &'static str) -> Error {
        let found = self.text.chars().take(80).collect();
        Error::Malformed { path: self.path.to_owned(), line: self.number, expected, found }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_name_file_line_and_what_stands_there() {
        let text = Text::new("proc/x", "a 1\n\nb nan\n");
        let line = text.lines().nth(1).unwrap();
        let expected = "/proc/x, line 3: expected a number, found \"b nan\"";
        assert_eq!(line.number(1).unwrap_err().to_string(), expected);
        assert!(line.number(2).unwrap_err().to_string().contains("one more field"));
        assert!(Text::new("proc/x", " \n").first().is_err());
    }
}
