//! Names of labels, their values, series, and what metrics are.

use std::collections::BTreeMap;

use axum::{
    body::Body,
    extract::{Request, State},
};
use hyper::Response;

use crate::export::{write_labels, write_string};
use crate::http::{
    Context, Error,
    outlet::{Outlet, Page},
    params::{Params, percent_decode},
    prometheus::{
        envelope::{close, open, write_list, write_long},
        scope::{Wanted, cut},
    },
    question::{Asked, Job, answer, asked},
    routes::Shared,
};
use crate::model::{Ask, Budget, Metadata, Scope};

/// Asks the source once for each selector, or once without one, and joins the answers.
fn union<T: Ord>(
    wanted: &Wanted,
    budget: &Budget,
    ask: impl Fn(&Ask<'_>) -> Result<Vec<T>, crate::model::Error>,
) -> Result<Vec<T>, Error> {
    let ask = |matchers: &[_]| {
        let ask_of = Ask { scope: Scope::METRICS, matchers, range: wanted.range, budget };
        ask(&ask_of).map_err(Error::of_question)
    };
    let mut all = match wanted.selectors.as_slice() {
        [] => ask(&[])?,
        [one] => ask(one)?,
        several => {
            let mut all = Vec::new();
            for matchers in several {
                all.append(&mut ask(matchers)?);
            }
            all.sort_unstable();
            all.dedup();
            all
        }
    };
    all.shrink_to_fit();
    Ok(all)
}

async fn listed<T: Ord + Send + 'static>(
    context: Shared,
    request: Request,
    check: impl FnOnce(&Wanted) -> Result<(), Error>,
    ask: impl Fn(&Context, &Ask<'_>) -> Result<Vec<T>, crate::model::Error> + Send + 'static,
    write: impl Fn(&T, &mut Vec<u8>) + Send + 'static,
) -> Result<Response<Body>, Error> {
    let asked = asked(&context, request).await?;
    let wanted = Wanted::parse(&asked.params)?;
    check(&wanted)?;
    answer(&context, list_job(&context, &asked), move |context, budget, outlet| {
        let mut items = union(&wanted, budget, |scope| ask(context, scope))?;
        let warnings = wanted.cut(&mut items);
        write_answer(&items, &warnings, outlet, write)
    })
    .await
}

/// A list, which is tagged: it seldom changes and is asked for often.
fn list_job(context: &Context, asked: &Asked) -> Job {
    let job = Job::json(context, asked);
    Job { form: job.form.tagged(&asked.head.headers), ..job }
}

fn write_answer<T>(
    items: &[T],
    warnings: &[String],
    outlet: &mut Outlet,
    write: impl Fn(&T, &mut Vec<u8>),
) -> Result<(), Error> {
    open(outlet.out());
    write_long(items, outlet, |item, outlet| {
        write(item, outlet.out());
        Ok(())
    })?;
    close(warnings, &[], outlet.out());
    Ok(())
}

fn write_text(text: &String, out: &mut Vec<u8>) {
    write_string(text, out);
}

pub(super) async fn names(
    State(context): State<Shared>,
    request: Request,
) -> Result<Response<Body>, Error> {
    let ask = |context: &Context, ask: &Ask<'_>| context.doors.source.label_names(ask);
    listed(context, request, |_| Ok(()), ask, write_text).await
}

pub(super) async fn values(
    State(context): State<Shared>,
    request: Request,
) -> Result<Response<Body>, Error> {
    let path = request.uri().path();
    let name = path.strip_prefix("/api/v1/label/").and_then(|rest| rest.strip_suffix("/values"));
    let name = unescape(&percent_decode(name.unwrap_or_default().as_bytes())?);
    if name.is_empty() {
        return Err(Error::Bad(format!("invalid label name: {name:?}")));
    }
    let ask = move |context: &Context, ask: &Ask<'_>| context.doors.source.label_values(ask, &name);
    listed(context, request, |_| Ok(()), ask, write_text).await
}

/// Undoes `U__` escapes, in which names that are no words of the old kind stand in URLs: `__` is `_`,
/// `_2e_` is the character of that number. What is not well-formed is a name as it stands.
fn unescape(name: &str) -> String {
    let Some(escaped) = name.strip_prefix("U__") else { return name.to_owned() };
    let mut out = String::with_capacity(escaped.len());
    let mut rest = escaped;
    while let Some((before, after)) = rest.split_once('_') {
        out.push_str(before);
        let Some((digits, next)) = after.split_once('_') else { return name.to_owned() };
        if digits.is_empty() {
            out.push('_');
        } else {
            let number = u32::from_str_radix(digits, 16).ok().filter(|_| digits.len() <= 6);
            let Some(c) = number.and_then(char::from_u32) else { return name.to_owned() };
            out.push(c);
        }
        rest = next;
    }
    out.push_str(rest);
    out
}

pub(super) async fn series(
    State(context): State<Shared>,
    request: Request,
) -> Result<Response<Body>, Error> {
    let check = |wanted: &Wanted| {
        if wanted.selectors.is_empty() {
            return Err(Error::Bad("no match[] parameter provided".into()));
        }
        Ok(())
    };
    let ask = |context: &Context, ask: &Ask<'_>| context.doors.source.series(ask);
    listed(context, request, check, ask, write_labels).await
}

/// How many series have a row between `start` and `end`, as `VictoriaMetrics` tells it.
pub(super) async fn count(
    State(context): State<Shared>,
    request: Request,
) -> Result<Response<Body>, Error> {
    let asked = asked(&context, request).await?;
    let wanted = Wanted::parse(&asked.params)?;
    answer(&context, Job::json(&context, &asked), move |context, budget, outlet| {
        let everything = Vec::new();
        let selectors = match wanted.selectors.as_slice() {
            [] => std::slice::from_ref(&everything),
            selectors => selectors,
        };
        let source = &context.doors.source;
        let ask = |matchers| Ask { scope: Scope::METRICS, matchers, range: wanted.range, budget };
        let count = if let [one] = selectors {
            source.select(&ask(one)).map_err(Error::of_question)?.len() as usize
        } else {
            union(&wanted, budget, |ask| source.series(ask))?.len()
        };
        let text = format!(r#"{{"status":"success","data":[{count}]}}"#);
        outlet.out().extend_from_slice(text.as_bytes());
        Ok(())
    })
    .await
}

pub(super) async fn metadata(
    State(context): State<Shared>,
    request: Request,
) -> Result<Response<Body>, Error> {
    let asked = asked(&context, request).await?;
    let limit_all = metadata_limit(&asked.params, "limit")?;
    let limit_each = metadata_limit(&asked.params, "limit_per_metric")?;
    let metric = asked.params.get("metric").map(str::to_owned);
    answer(&context, list_job(&context, &asked), move |context, _, outlet| {
        let all = context.doors.source.metadata(&Scope::METRICS, metric.as_deref());
        let mut by_metric: BTreeMap<&str, Vec<&Metadata>> = BTreeMap::new();
        for row in &all {
            by_metric.entry(&row.metric).or_default().push(row);
        }
        let mut metrics: Vec<_> = by_metric.into_iter().collect();
        let warnings = match limit_all {
            Some(0) => {
                metrics.clear();
                Vec::new()
            }
            limit => cut(limit.unwrap_or(0), &mut metrics),
        };
        for (_, rows) in &mut metrics {
            cut(limit_each.unwrap_or(0), rows);
        }
        open(outlet.out());
        write_metadata(&metrics, outlet)?;
        close(&warnings, &[], outlet.out());
        Ok(())
    })
    .await
}

/// A limit of metadata; none for a negative one.
fn metadata_limit(params: &Params, name: &str) -> Result<Option<usize>, Error> {
    let Some(text) = params.get(name) else { return Ok(None) };
    let number = text.parse::<i64>();
    let number = number.map_err(|_| Error::Bad(format!("{name} must be a number")))?;
    Ok(usize::try_from(number).ok())
}

fn write_metadata(metrics: &[(&str, Vec<&Metadata>)], page: &mut impl Page) -> Result<(), Error> {
    page.out().push(b'{');
    for (i, (metric, rows)) in metrics.iter().enumerate() {
        let out = page.out();
        if i > 0 {
            out.push(b',');
        }
        write_string(metric, out);
        out.push(b':');
        write_list(rows, out, |row, out| {
            let fields = [("type", row.kind.name()), ("help", &row.help), ("unit", &row.unit)];
            for (i, (key, value)) in fields.iter().enumerate() {
                out.push(if i == 0 { b'{' } else { b',' });
                write_string(key, out);
                out.push(b':');
                write_string(value, out);
            }
            out.push(b'}');
        });
        page.breathe()?;
    }
    page.out().push(b'}');
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escaped_names_are_unescaped_and_others_left_alone() {
        for (escaped, name) in [
            ("job", "job"),
            ("U__http_2e_status", "http.status"),
            ("U__a__b", "a_b"),
            ("U___30ab_", "カ"),
            ("U__a_", "U__a_"),
            ("U__a_zz_", "U__a_zz_"),
            ("U__a_110000_", "U__a_110000_"),
        ] {
            assert_eq!(unescape(escaped), name);
        }
    }

    #[test]
    fn metadata_is_an_object_of_lists() {
        let row = Metadata { metric: "up".into(), help: "is \"up\"".into(), ..Metadata::default() };
        let mut out = Vec::new();
        write_metadata(&[("up", vec![&row])], &mut out).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            r#"{"up":[{"type":"unknown","help":"is \"up\"","unit":""}]}"#
        );
    }
}
