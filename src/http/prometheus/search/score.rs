//! How well a text matches what was typed, 0 to 1. Source: Prometheus `util/strutil/subsequence.go`
//! and `jarowinkler.go`, whose scores these are.

/// How texts are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    /// All characters in order; runs count more than single ones.
    Subsequence,
    /// Common characters near each other; substrings always match.
    JaroWinkler,
}

/// What was typed: a text matches if it matches any of the terms.
#[derive(Clone, Debug)]
pub(super) struct Matching {
    pub(super) terms: Vec<String>,
    pub(super) algorithm: Algorithm,
    /// The least score that matches.
    pub(super) threshold: f64,
    pub(super) has_case: bool,
}

impl Matching {
    /// The best score of all terms; None where no term matches. Without terms everything matches.
    pub(super) fn score(&self, text: &str) -> Option<f64> {
        if self.terms.is_empty() {
            return Some(1.0);
        }
        let lowered;
        let text = if self.has_case {
            text
        } else {
            lowered = text.to_lowercase();
            &lowered
        };
        self.terms.iter().filter_map(|term| self.score_of(term, text)).reduce(f64::max)
    }

    fn score_of(&self, term: &str, text: &str) -> Option<f64> {
        match self.algorithm {
            Algorithm::Subsequence => {
                if text.starts_with(term) {
                    return Some(1.0);
                }
                let score = subsequence(term, text);
                (score > 0.0 && score >= self.threshold).then_some(score)
            }
            Algorithm::JaroWinkler => substring(term, text).or_else(|| {
                let score = (self.threshold > 0.0).then(|| jaro_winkler(term, text))?;
                (score >= self.threshold).then_some(score)
            }),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "lengths of texts")]
fn float(count: usize) -> f64 {
    count as f64
}

/// 1 for a prefix, less the later it stands, down to 0.1; None where it does not.
fn substring(term: &str, text: &str) -> Option<f64> {
    let at = text.find(term)?;
    let before = text.get(..at).map_or(0, |before| before.chars().count());
    let places = text.chars().count().saturating_sub(term.chars().count());
    if before == 0 || places == 0 {
        return Some(1.0);
    }
    Some(1.0 - 0.9 * float(before) / float(places))
}

/// Runs squared, less the gaps, by the square of the term's length. 0 where it is no subsequence.
fn subsequence(term: &str, text: &str) -> f64 {
    /// Only what is equal has the whole score.
    const NOT_EQUAL: f64 = 0.999;
    if term.is_empty() || term == text {
        return 1.0;
    }
    let (term, text): (Vec<char>, Vec<char>) = (term.chars().collect(), text.chars().collect());
    let Some(last_start) = text.len().checked_sub(term.len()) else { return 0.0 };
    let mut best = -1.0_f64;
    for start in 0..=last_start {
        if text.get(start) != term.first() {
            continue;
        }
        // What cannot be completed from here cannot be from later.
        let Some(score) = from(start, &term, &text) else { break };
        best = best.max(score);
    }
    if best < 0.0 { 0.0 } else { best / float(term.len() * term.len()) * NOT_EQUAL }
}

/// The score of the first way to find `term` from `start` on.
fn from(start: usize, term: &[char], text: &[char]) -> Option<f64> {
    let share = 1.0 / float(text.len());
    let (mut score, mut end) = (0.0, 0);
    let mut wanted = term.iter().peekable();
    let mut at = start;
    while let Some(first) = wanted.peek() {
        let gap = text.get(at..)?.iter().position(|c| c == *first)?;
        let run_start = at + gap;
        at = run_start;
        while wanted.peek().is_some_and(|next| text.get(at) == Some(*next)) {
            wanted.next();
            at += 1;
        }
        // What stands before the first run is a gap, too.
        score -= float(run_start - end) * share;
        score += float((at - run_start) * (at - run_start));
        end = at;
    }
    Some(score - float(text.len() - end) * share * 0.5)
}

/// The similarity of Jaro, and more for a common prefix.
fn jaro_winkler(left: &str, right: &str) -> f64 {
    if left == right {
        return 1.0;
    }
    let (left, right): (Vec<char>, Vec<char>) = (left.chars().collect(), right.chars().collect());
    let (short, long) = if left.len() > right.len() { (right, left) } else { (left, right) };
    if short.is_empty() {
        return 0.0;
    }
    let reach = (long.len() / 2).saturating_sub(1);
    let mut is_taken = vec![false; long.len()];
    let mut matched = Vec::new();
    for (i, c) in short.iter().enumerate() {
        let near = i.saturating_sub(reach)..(i + reach + 1).min(long.len());
        let found =
            near.into_iter().find(|j| is_taken.get(*j) == Some(&false) && long.get(*j) == Some(c));
        if let Some(slot) = found.and_then(|j| is_taken.get_mut(j)) {
            *slot = true;
            matched.push(*c);
        }
    }
    if matched.is_empty() {
        return 0.0;
    }
    let others = long.iter().zip(&is_taken).filter(|(_, is_taken)| **is_taken).map(|(c, _)| c);
    let swapped = matched.iter().zip(others).filter(|(a, b)| a != b).count();
    let common = float(matched.len());
    let jaro = (common * (1.0 / float(short.len()))
        + common * (1.0 / float(long.len()))
        + (common - float(swapped) * 0.5) / common)
        / 3.0;
    let prefix = short.iter().zip(&long).take(4).take_while(|(a, b)| a == b).count();
    jaro + float(prefix) * 0.1 * (1.0 - jaro)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn near(left: f64, right: f64) {
        assert!((left - right).abs() < 1e-9, "{left} is not {right}");
    }

    #[test]
    fn scores_are_those_of_the_formulas() {
        near(subsequence("abc", "abc"), 1.0);
        // One run of 3 at the end of 6: 9 less three gaps of a sixth, by 9.
        near(subsequence("abc", "xyzabc"), (9.0 - 0.5) / 9.0 * 0.999);
        // Runs of 1 and 2, a gap of 1 in the middle, 1 behind: length 5.
        near(subsequence("abc", "axbcx"), (1.0 + 4.0 - 0.2 - 0.1) / 9.0 * 0.999);
        near(subsequence("abc", "acb"), 0.0);
        near(jaro_winkler("martha", "marhta"), 0.961_111_111_111_111_1);
        near(jaro_winkler("dixon", "dicksonx"), 0.813_333_333_333_333_3);
        near(jaro_winkler("abc", "xyz"), 0.0);
        near(substring("b", "abc").unwrap(), 1.0 - 0.45);
        assert_eq!(substring("z", "abc"), None);
    }

    #[test]
    fn a_term_matches_by_its_algorithm_and_threshold() {
        let mut matching = Matching {
            terms: vec!["HTTP".into()],
            algorithm: Algorithm::Subsequence,
            threshold: 0.0,
            has_case: true,
        };
        assert_eq!(matching.score("http_total"), None);
        matching.has_case = false;
        matching.terms = vec!["http".into()];
        assert_eq!(matching.score("HTTP_total"), Some(1.0));
        assert!(matching.score("h_t_t_p").is_some());
        matching.threshold = 0.9;
        assert_eq!(matching.score("h_t_t_p"), None);
        matching.algorithm = Algorithm::JaroWinkler;
        assert!(matching.score("xhttp").is_some() && matching.score("htpt").is_some());
    }

    proptest! {
        #[test]
        fn scores_lie_between_none_and_all(term in "\\PC{0,12}", text in "\\PC{0,24}") {
            for score in [subsequence(&term, &text), jaro_winkler(&term, &text)] {
                prop_assert!((0.0..=1.0).contains(&score), "{}", score);
            }
        }
    }
}
