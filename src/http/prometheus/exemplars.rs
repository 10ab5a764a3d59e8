//! Exemplars of the series that a question names.

use axum::{
    body::Body,
    extract::{Request, State},
};
use hyper::Response;
use query_lang::{Expr, VectorSelector};

use crate::export::{write_labels, write_seconds, write_value};
use crate::http::{
    Error,
    outlet::Page,
    prometheus::{
        envelope::{close, open, write_list, write_long},
        scope::{matchers, range},
    },
    question::{Job, answer, asked},
    routes::Shared,
};
use crate::model::{Ask, Exemplar, ExemplarSeries, Matcher, Scope, Timestamp};

pub(super) async fn exemplars(
    State(context): State<Shared>,
    request: Request,
) -> Result<Response<Body>, Error> {
    let asked = asked(&context, request).await?;
    let range = range(&asked.params).map_err(|error| match error {
        Error::Parameter { name: "end", why } if why.starts_with("end timestamp") => {
            Error::Bad("end timestamp must not be before start timestamp".into())
        }
        other => other,
    })?;
    let text = asked.params.get("query").unwrap_or_default().to_owned();
    let mut job = Job::json(&context, &asked);
    job.told.text = format!("query_exemplars {text}");
    answer(&context, job, move |context, budget, outlet| {
        let mut selectors = Vec::new();
        let expr = query_lang::parse(&text)
            .map_err(|error| Error::Parse { is_named: false, error: Box::new(error) })?;
        collect(&expr, &mut selectors);
        let mut all: Vec<ExemplarSeries> = Vec::new();
        for matchers in &selectors {
            let ask = Ask { scope: Scope::METRICS, matchers, range, budget };
            all.extend(context.doors.source.exemplars(&ask).map_err(Error::of_question)?);
        }
        all.sort_by(|a, b| a.labels.cmp(&b.labels));
        all.dedup_by(|a, b| a.labels == b.labels);
        open(outlet.out());
        write_long(&all, outlet, |series, outlet| {
            write_series(series, outlet.out());
            Ok(())
        })?;
        close(&[], &[], outlet.out());
        Ok(())
    })
    .await
}

/// The matchers of every selector in a question.
fn collect(expr: &Expr, selectors: &mut Vec<Vec<Matcher>>) {
    match expr {
        Expr::Number(_) | Expr::String(_) => {}
        Expr::Vector(selector) => select(selector, selectors),
        Expr::Matrix(matrix) => select(&matrix.selector, selectors),
        Expr::Subquery(subquery) => collect(&subquery.expr, selectors),
        Expr::Unary(unary) => collect(&unary.expr, selectors),
        Expr::Binary(binary) => {
            collect(&binary.left, selectors);
            collect(&binary.right, selectors);
        }
        Expr::Aggregate(aggregate) => collect(&aggregate.expr, selectors),
        Expr::Call(call) => call.args.iter().for_each(|inner| collect(inner, selectors)),
        Expr::Paren(paren) => collect(&paren.expr, selectors),
        Expr::Moved(moved) => collect(&moved.expr, selectors),
        Expr::Keep(keep) => collect(&keep.expr, selectors),
    }
}

/// Every set of tests that a selector takes.
fn select(selector: &VectorSelector, selectors: &mut Vec<Vec<Matcher>>) {
    let sets = std::iter::once(&selector.matchers).chain(&selector.alternatives);
    selectors.extend(sets.map(|set| matchers(set)));
}

fn write_series(series: &ExemplarSeries, out: &mut Vec<u8>) {
    out.extend_from_slice(br#"{"seriesLabels":"#);
    write_labels(&series.labels, out);
    out.extend_from_slice(br#","exemplars":"#);
    write_list(&series.exemplars, out, write_exemplar);
    out.push(b'}');
}

fn write_exemplar(exemplar: &Exemplar, out: &mut Vec<u8>) {
    out.extend_from_slice(br#"{"labels":"#);
    write_labels(&exemplar.labels, out);
    out.extend_from_slice(br#","value":"#);
    write_value(exemplar.value, out);
    out.extend_from_slice(br#","timestamp":"#);
    write_seconds(Timestamp(exemplar.time).millis(), out);
    out.push(b'}');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Labels, SeriesRef};

    #[test]
    fn selectors_are_found_wherever_they_stand() {
        let text = r#"sum(rate(a[5m])) / on() max_over_time(b{x="1"}[1h:1m]) + -c * (2 + d)"#;
        let mut selectors = Vec::new();
        collect(&query_lang::parse(text).unwrap(), &mut selectors);
        let names: Vec<&str> = selectors
            .iter()
            .filter_map(|matchers| matchers.iter().find(|m| m.name == "__name__"))
            .map(|matcher| matcher.value.as_str())
            .collect();
        assert_eq!(names, ["a", "b", "c", "d"]);
    }

    #[test]
    fn an_exemplar_has_its_labels_and_the_labels_of_its_series() {
        let labels = |pair| Labels::new([pair]).unwrap();
        let exemplar = Exemplar {
            series: SeriesRef(0),
            time: 1_500_000_000,
            value: 0.5,
            labels: labels(("trace_id", "abc")),
        };
        let series =
            ExemplarSeries { labels: labels(("__name__", "m")), exemplars: vec![exemplar] };
        let mut out = Vec::new();
        write_series(&series, &mut out);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            r#"{"seriesLabels":{"__name__":"m"},"exemplars":[{"labels":{"trace_id":"abc"},"value":"0.5","timestamp":1.5}]}"#
        );
    }
}
