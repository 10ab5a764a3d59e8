//! From matchers to sets of series: dictionary first, then the algebra of postings.
//!
//! A regular expression runs over the values of one label, never over series; one that is a text or a
//! choice of texts runs over nothing: its texts are looked up.

use regex::Regex;
use regex_syntax::hir::{
    Hir,
    literal::{Extractor, Seq},
};
use roaring::RoaringBitmap;

use crate::model::{Error, Label, Labels, MatchOp, Matcher};

use super::error::Damage;

/// Texts that a choice may have to be looked up one by one.
const TEXTS_MAX: usize = 1024;
/// Bytes that a compiled expression may take: a hostile one stays small.
const REGEX_BYTES_MAX: usize = 1 << 20;

/// A matcher, ready to run.
#[derive(Debug)]
pub(super) struct Test {
    name: String,
    accepts: Accepts,
    is_negated: bool,
    accepts_empty: bool,
}

/// What the values are that a test (before its negation) accepts.
#[derive(Debug)]
enum Accepts {
    /// These.
    Texts(Vec<String>),
    /// All but "".
    NonEmpty,
    /// All.
    Any,
    /// Those that match.
    Regex(Box<Regex>),
}

impl Accepts {
    fn accepts(&self, value: &str) -> bool {
        match self {
            Self::Texts(texts) => texts.iter().any(|text| text == value),
            Self::NonEmpty => !value.is_empty(),
            Self::Any => true,
            Self::Regex(regex) => regex.is_match(value),
        }
    }
}

impl Test {
    /// Compiles a matcher.
    ///
    /// # Errors
    /// [`Error::Invalid`] with what is wrong with its expression.
    pub(super) fn new(matcher: &Matcher) -> Result<Self, Error> {
        let accepts = match matcher.op {
            MatchOp::Equal | MatchOp::NotEqual => Accepts::Texts(vec![matcher.value.clone()]),
            MatchOp::Regex | MatchOp::NotRegex => compile(&matcher.value)?,
        };
        let is_negated = matches!(matcher.op, MatchOp::NotEqual | MatchOp::NotRegex);
        let accepts_empty = accepts.accepts("") != is_negated;
        Ok(Self { name: matcher.name.clone(), accepts, is_negated, accepts_empty })
    }

    /// Compiles all matchers of a selector.
    pub(super) fn all(matchers: &[Matcher]) -> Result<Vec<Self>, Error> {
        matchers.iter().map(Self::new).collect()
    }

    /// Whether a series with these labels passes.
    pub(super) fn passes(&self, labels: &Labels) -> bool {
        self.accepts.accepts(labels.get(&self.name).unwrap_or_default()) != self.is_negated
    }
}

/// Selectors for label sets that are not in a store yet, ready to run.
#[derive(Debug, Default)]
pub struct Selectors(Vec<Vec<Test>>);

impl Selectors {
    /// Compiles them.
    ///
    /// # Errors
    /// [`Error::Invalid`] with what is wrong with an expression.
    pub fn new(selectors: &[Vec<Matcher>]) -> Result<Self, Error> {
        selectors.iter().map(|matchers| Test::all(matchers)).collect::<Result<_, _>>().map(Self)
    }

    /// Whether one of them lets these labels pass; where there is none, all pass.
    pub fn pass(&self, labels: &[Label<'_>]) -> bool {
        let value = |name: &str| labels.iter().find(|label| label.0 == name).map_or("", |it| it.1);
        let passes = |test: &Test| test.accepts.accepts(value(&test.name)) != test.is_negated;
        self.0.is_empty() || self.0.iter().any(|tests| tests.iter().all(passes))
    }
}

/// Compiles an expression that is anchored at both ends, as Prometheus has it.
fn compile(text: &str) -> Result<Accepts, Error> {
    match text {
        ".*" => return Ok(Accepts::Any),
        ".+" => return Ok(Accepts::NonEmpty),
        _ => {}
    }
    let invalid = |what: &dyn std::fmt::Display| {
        Error::Invalid(format!("invalid regular expression {text:?}: {what}"))
    };
    let mut parser =
        regex_syntax::ParserBuilder::new().dot_matches_new_line(true).nest_limit(200).build();
    let hir = parser.parse(text).map_err(|error| invalid(&error))?;
    if let Some(texts) = texts_of(&hir) {
        return Ok(Accepts::Texts(texts));
    }
    let anchored = format!("^(?s:{text})$");
    let regex = regex::RegexBuilder::new(&anchored)
        .size_limit(REGEX_BYTES_MAX)
        .dfa_size_limit(REGEX_BYTES_MAX)
        .build();
    Ok(Accepts::Regex(Box::new(regex.map_err(|error| invalid(&error))?)))
}

/// All texts that an expression matches, if they are few.
fn texts_of(hir: &Hir) -> Option<Vec<String>> {
    // An expression that looks around does not say all by its literals.
    if !hir.properties().look_set().is_empty() {
        return None;
    }
    let mut extractor = Extractor::new();
    extractor.limit_total(TEXTS_MAX).limit_class(16).limit_repeat(4).limit_literal_len(1024);
    let sequence: Seq = extractor.extract(hir);
    let literals = sequence.literals().filter(|_| sequence.is_exact())?;
    literals.iter().map(|literal| String::from_utf8(literal.as_bytes().to_vec()).ok()).collect()
}

/// A dictionary of label values with postings: the catalog, or a block.
pub(super) trait Terms {
    /// The number of a pair.
    fn find(&self, label: Label<'_>) -> Option<u32>;
    /// Visits the pairs of a name.
    fn each(&self, name: &str, visit: &mut dyn FnMut(&str, u32));
    /// Adds the series of a pair.
    fn add(&self, pair: u32, out: &mut RoaringBitmap) -> Result<(), Damage>;
    /// All series.
    fn all(&self) -> RoaringBitmap;
}

/// The series that pass all tests.
pub(super) fn select(terms: &dyn Terms, tests: &[Test]) -> Result<RoaringBitmap, Damage> {
    let mut selected: Option<RoaringBitmap> = None;
    // What must be there first: it is small. Then what may not be there is taken away.
    for test in tests.iter().filter(|test| !test.accepts_empty) {
        let mut found = RoaringBitmap::new();
        add_values(terms, test, true, &mut found)?;
        let all = match selected {
            Some(selected) => selected & found,
            None => found,
        };
        if all.is_empty() {
            return Ok(all);
        }
        selected = Some(all);
    }
    let mut selected = selected.unwrap_or_else(|| terms.all());
    for test in
        tests.iter().filter(|test| test.accepts_empty && !matches!(test.accepts, Accepts::Any))
    {
        let mut refused = RoaringBitmap::new();
        add_values(terms, test, false, &mut refused)?;
        selected -= refused;
    }
    Ok(selected)
}

/// Adds the series of the values whose test ends as `wanted`.
fn add_values(
    terms: &dyn Terms,
    test: &Test,
    wanted: bool,
    out: &mut RoaringBitmap,
) -> Result<(), Damage> {
    if let Accepts::Texts(texts) = &test.accepts
        && wanted != test.is_negated
    {
        for pair in texts.iter().filter_map(|text| terms.find((&test.name, text))) {
            terms.add(pair, out)?;
        }
        return Ok(());
    }
    let mut pairs = Vec::new();
    terms.each(&test.name, &mut |value, pair| {
        if (test.accepts.accepts(value) != test.is_negated) == wanted {
            pairs.push(pair);
        }
    });
    pairs.into_iter().try_for_each(|pair| terms.add(pair, out))
}

impl Terms for super::catalog::Index {
    fn find(&self, label: Label<'_>) -> Option<u32> {
        self.pairs().find(label)
    }

    fn each(&self, name: &str, visit: &mut dyn FnMut(&str, u32)) {
        for pair in self.pairs().of_name(name) {
            visit(self.pairs().text(*pair).1, *pair);
        }
    }

    fn add(&self, pair: u32, out: &mut RoaringBitmap) -> Result<(), Damage> {
        self.add_postings(pair, out);
        Ok(())
    }

    fn all(&self) -> RoaringBitmap {
        self.slots()
    }
}

impl Terms for super::file::BlockLabels {
    fn find(&self, label: Label<'_>) -> Option<u32> {
        self.find(label)
    }

    fn each(&self, name: &str, visit: &mut dyn FnMut(&str, u32)) {
        for pair in self.of_name(name) {
            visit(self.pair(pair).1, pair);
        }
    }

    fn add(&self, pair: u32, out: &mut RoaringBitmap) -> Result<(), Damage> {
        self.add_postings(pair, out)
    }

    fn all(&self) -> RoaringBitmap {
        let mut all = RoaringBitmap::new();
        all.insert_range(0..u32::try_from(self.len()).unwrap_or(u32::MAX));
        all
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::store::catalog::Index;

    fn index() -> Index {
        let mut index = Index::new(3);
        let sets: [&[Label<'_>]; 5] = [
            &[("__name__", "up"), ("job", "api")],
            &[("__name__", "up"), ("job", "web")],
            &[("__name__", "up")],
            &[("__name__", "down"), ("job", "api\nx")],
            &[],
        ];
        for (series, set) in (1..).zip(sets) {
            index.insert(set, series).unwrap();
        }
        index
    }

    fn matcher(name: &str, op: MatchOp, value: &str) -> Matcher {
        Matcher { name: name.into(), op, value: value.into() }
    }

    #[test]
    fn tests_by_index_and_by_labels_agree() {
        use MatchOp::{Equal, NotEqual, NotRegex, Regex};
        let index = index();
        for name in ["__name__", "job", "none"] {
            for op in [Equal, NotEqual, Regex, NotRegex] {
                for value in [
                    "", "up", "api", "api|web", "a.*", ".*", ".+", "(api)?", "[aw].*", "api|",
                    "^api$", "a?p?i?",
                ] {
                    let test = [Test::new(&matcher(name, op, value)).unwrap()];
                    let found: Vec<u32> = select(&index, &test).unwrap().iter().collect();
                    let expected: Vec<u32> = (0..index.len())
                        .filter(|slot| test[0].passes(&index.labels(*slot)))
                        .collect();
                    assert_eq!(found, expected, "{name} {op:?} {value:?}");
                }
            }
        }
    }

    #[test]
    fn expressions_are_anchored_and_a_dot_is_any_character() {
        let count = |value| {
            let test = [Test::new(&matcher("job", MatchOp::Regex, value)).unwrap()];
            select(&index(), &test).unwrap().len()
        };
        assert_eq!(
            (count("ap"), count("api"), count("api.x"), count("a|w"), count("api|web")),
            (0, 1, 1, 0, 2)
        );
    }

    #[test]
    fn choices_of_texts_are_looked_up() {
        let test = Test::new(&matcher("host", MatchOp::Regex, "host_(1|2)|other")).unwrap();
        assert!(matches!(&test.accepts, Accepts::Texts(texts) if texts.len() == 3), "{test:?}");
    }

    #[test]
    fn a_bad_expression_is_named() {
        let error = Test::new(&matcher("a", MatchOp::Regex, "a(")).unwrap_err().to_string();
        assert!(error.contains("\"a(\"") && error.contains("unclosed group"), "{error}");
        assert!(Test::new(&matcher("a", MatchOp::Regex, "((((a{99}){99}){99}){99})")).is_err());
    }

    proptest! {
        #[test]
        fn any_expression_compiles_or_is_refused(text: String) {
            let _ = Test::new(&matcher("a", MatchOp::Regex, &text));
        }
    }
}
