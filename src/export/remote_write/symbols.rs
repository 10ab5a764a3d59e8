//! The table of texts that a request of message 2 refers to.

use std::collections::HashMap;

/// Texts, each once, numbered as they came. Number 0 is the empty one.
#[derive(Debug)]
pub(super) struct Symbols<'a> {
    texts: Vec<&'a str>,
    numbers: HashMap<&'a str, u64>,
}

impl<'a> Symbols<'a> {
    /// With the empty text only, as the protocol asks.
    pub(super) fn new() -> Self {
        Self { texts: vec![""], numbers: HashMap::from([("", 0)]) }
    }

    /// The number of a text.
    pub(super) fn number(&mut self, text: &'a str) -> u64 {
        let next = self.texts.len() as u64;
        let number = *self.numbers.entry(text).or_insert(next);
        if number == next {
            self.texts.push(text);
        }
        number
    }

    /// All texts, by number.
    pub(super) fn texts(&self) -> &[&'a str] {
        &self.texts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_one_number_and_the_empty_one_is_zero() {
        let words: Vec<String> = (0..1000).map(|i| format!("w{}", i % 300)).collect();
        let mut symbols = Symbols::new();
        let numbers: Vec<u64> = words.iter().map(|word| symbols.number(word)).collect();
        assert_eq!((symbols.number(""), numbers[0], numbers[300]), (0, 1, 1));
        assert_eq!(symbols.texts().len(), 301);
        assert_eq!(symbols.texts()[usize::try_from(numbers[299]).unwrap()], "w299");
    }
}
