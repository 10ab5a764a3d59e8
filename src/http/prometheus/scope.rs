//! What the calls about labels and series ask for: selectors, a range of time, a limit.

use crate::http::{Error, params::Params, prometheus::moment};
use crate::model::{MatchOp, Matcher, TimeRange, Timestamp};

/// Selectors (one of them must match), a range, a limit.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) selectors: Vec<Vec<Matcher>>,
    pub(super) range: TimeRange,
    /// 0 is no limit.
    pub(super) limit: usize,
}

/// What a cut answer says.
pub(super) const TRUNCATED: &str = "results truncated due to limit";

/// Selectors in one request: each is a walk over the index.
const SELECTORS_MAX: usize = 1000;

impl Wanted {
    pub(super) fn parse(params: &Params) -> Result<Self, Error> {
        let (limit, range) = (limit(params)?, range(params)?);
        Ok(Self { selectors: selectors(params)?, range, limit })
    }

    /// Cuts `items` at the limit; what is to be warned of then.
    pub(super) fn cut<T>(&self, items: &mut Vec<T>) -> Vec<String> {
        cut(self.limit, items)
    }
}

/// The selectors of all `match[]`, each once.
pub(super) fn selectors(params: &Params) -> Result<Vec<Vec<Matcher>>, Error> {
    let mut texts: Vec<&str> = params.all("match[]").collect();
    // Dashboards repeat themselves, and each selector is a walk over the index.
    texts.sort_unstable();
    texts.dedup();
    if texts.len() > SELECTORS_MAX {
        let why = format!("{} selectors, at most {SELECTORS_MAX} are taken", texts.len());
        return Err(Error::Parameter { name: "match[]", why });
    }
    let sets: Vec<Vec<Vec<Matcher>>> =
        texts.into_iter().map(alternatives).collect::<Result<_, _>>()?;
    Ok(sets.into_iter().flatten().collect())
}

/// The matchers of a selector without `or`.
///
/// # Errors
/// [`Error::Parameter`] with what is wrong with the text.
pub fn selector(text: &str) -> Result<Vec<Matcher>, Error> {
    match <[Vec<Matcher>; 1]>::try_from(alternatives(text)?) {
        Ok([matchers]) => Ok(matchers),
        Err(sets) => {
            let why = format!("{} selectors joined by `or`, one is taken here", sets.len());
            Err(Error::Parameter { name: "match[]", why })
        }
    }
}

/// The matchers of a selector, which is all that `match[]` may be; several where it has an `or`.
fn alternatives(text: &str) -> Result<Vec<Vec<Matcher>>, Error> {
    let bad = |why: String| Error::Parameter { name: "match[]", why };
    match query_lang::parse(text) {
        Ok(query_lang::Expr::Vector(selector)) => {
            let sets = std::iter::once(&selector.matchers).chain(&selector.alternatives);
            Ok(sets.map(|set| matchers(set)).collect())
        }
        Ok(_) => Err(bad(format!(
            "{:?} is no series selector",
            text.chars().take(80).collect::<String>()
        ))),
        Err(error) => Err(bad(error.to_string())),
    }
}

pub(super) fn matchers(written: &[query_lang::Matcher]) -> Vec<Matcher> {
    let matcher = |written: &query_lang::Matcher| Matcher {
        name: written.name.clone(),
        op: match written.op {
            query_lang::MatchOp::Equal => MatchOp::Equal,
            query_lang::MatchOp::NotEqual => MatchOp::NotEqual,
            query_lang::MatchOp::Regex => MatchOp::Regex,
            query_lang::MatchOp::NotRegex => MatchOp::NotRegex,
        },
        value: written.value.clone(),
    };
    written.iter().map(matcher).collect()
}

/// Cuts `items` at `limit`, where 0 is none; what is to be warned of then.
pub(super) fn cut<T>(limit: usize, items: &mut Vec<T>) -> Vec<String> {
    if limit == 0 || items.len() <= limit {
        return Vec::new();
    }
    items.truncate(limit);
    vec![TRUNCATED.into()]
}

/// The range from `start` to `end`, both in it; all of time where they are not given.
pub(super) fn range(params: &Params) -> Result<TimeRange, Error> {
    let bound = |name, default| {
        let millis = moment::optional_time(params, name)?;
        Ok(millis.map_or(default, Timestamp::from_millis_saturating))
    };
    let (start, end) = (bound("start", Timestamp::MIN)?, bound("end", Timestamp::MAX)?);
    // Milliseconds where seconds are meant lie beyond the end of time, both of them: a range there is
    // short, and nothing is in it.
    let start = Timestamp(start.nanos().min(i64::MAX - 1));
    // The whole last millisecond: doors that speak milliseconds floor.
    let end = Timestamp(end.nanos().saturating_add(999_999));
    TimeRange::closed(start, end).or_else(|| TimeRange::new(start, end)).ok_or_else(|| {
        Error::Parameter { name: "end", why: "end timestamp must not be before start time".into() }
    })
}

/// The parameter `limit`; 0 where it is not given.
pub(super) fn limit(params: &Params) -> Result<usize, Error> {
    let Some(text) = params.get("limit") else { return Ok(0) };
    whole("limit", text)
}

/// A whole number from 0, refused in the words of Go.
pub(super) fn whole(name: &'static str, text: &str) -> Result<usize, Error> {
    let shown: String = text.chars().take(40).collect();
    let why = match text.parse::<i64>() {
        Ok(number) => match usize::try_from(number) {
            Ok(number) => return Ok(number),
            Err(_) => format!("{name} must be non-negative"),
        },
        Err(error) if *error.kind() == std::num::IntErrorKind::PosOverflow => {
            format!("strconv.Atoi: parsing {shown:?}: value out of range")
        }
        Err(_) => format!("strconv.Atoi: parsing {shown:?}: invalid syntax"),
    };
    Err(Error::Parameter { name, why })
}
