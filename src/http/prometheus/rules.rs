//! Rules, alerts and who is told of them. There are none yet: what is asked is checked, and the lists
//! are empty.

use axum::{
    body::Body,
    extract::{Request, State},
};
use hyper::Response;
use serde_json::json;

use crate::http::{
    Error,
    params::Params,
    prometheus::{scope::selectors, status::shown},
    question::asked,
    routes::Shared,
};

pub(super) async fn rules(
    State(context): State<Shared>,
    request: Request,
) -> Result<Response<Body>, Error> {
    let params = asked(&context, request).await?.params;
    check(&params)?;
    shown(&json!({ "groups": [] }))
}

/// Refuses what Prometheus would.
fn check(params: &Params) -> Result<(), Error> {
    selectors(params).map_err(Error::unnamed)?;
    let kind = params.get("type").unwrap_or_default().to_lowercase();
    if !matches!(kind.as_str(), "" | "alert" | "record") {
        let why = format!("not supported value {kind:.40?}");
        return Err(Error::Parameter { name: "type", why });
    }
    if let Some(text) = params.get("exclude_alerts") {
        is_true(text).ok_or_else(|| {
            let why = format!(
                "error converting exclude_alerts: strconv.ParseBool: parsing {:.40?}: invalid syntax",
                text.to_lowercase()
            );
            Error::Parameter { name: "exclude_alerts", why }
        })?;
    }
    let token = params.get("group_next_token");
    let Some(limit) = params.get("group_limit") else {
        return match token {
            None => Ok(()),
            Some(_) => Err(Error::Parameter {
                name: "group_next_token",
                why: "group_limit needs to be present in order to paginate over the groups".into(),
            }),
        };
    };
    let wrong = |why: String| Error::Parameter { name: "group_limit", why };
    match limit.parse::<i32>() {
        Err(_) => Err(wrong(format!(
            "group_limit needs to be a valid number: strconv.ParseInt: parsing {limit:.40?}: invalid syntax"
        ))),
        Ok(..=0) => Err(wrong("group_limit needs to be greater than 0".into())),
        Ok(_) => match token {
            None => Ok(()),
            Some(token) => Err(Error::Parameter {
                name: "group_next_token",
                why: format!("invalid group_next_token '{token:.80}'. were rule groups changed?"),
            }),
        },
    }
}

/// A boolean as Go reads it.
pub(super) fn is_true(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

pub(super) async fn alerts() -> Result<Response<Body>, Error> {
    shown(&json!({ "alerts": [] }))
}

pub(super) async fn alertmanagers() -> Result<Response<Body>, Error> {
    shown(&json!({ "activeAlertmanagers": [], "droppedAlertmanagers": [] }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_of_rules_is_checked() {
        let refusal = |query: &str| {
            let params = Params::parse(Some(query), b"").unwrap();
            check(&params).map_err(|error| error.to_string())
        };
        for good in ["", "type=alert", "type=record&exclude_alerts=true", "group_limit=5"] {
            assert_eq!(refusal(good), Ok(()), "{good}");
        }
        for (bad, says) in [
            ("type=x", "not supported value \"x\""),
            ("exclude_alerts=maybe", "ParseBool"),
            ("group_limit=0", "greater than 0"),
            ("group_limit=x", "valid number"),
            ("group_next_token=x", "needs to be present"),
            ("group_limit=1&group_next_token=x", "were rule groups changed?"),
            ("match[]=1", "selector"),
        ] {
            let refusal = refusal(bad).unwrap_err();
            assert!(refusal.contains(says), "{bad}: {refusal}");
        }
    }
}
