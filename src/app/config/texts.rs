//! Texts of options to values and back, each with how to write it.

use std::{
    fmt::Display,
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

use crate::app::units::{duration, show_duration, size};
use crate::model::Tier;
use crate::store::Tiers;

pub(super) fn forever_or(kept: Option<Duration>) -> String {
    kept.map_or_else(|| "forever".into(), show_duration)
}

pub(super) fn until(text: &str) -> Result<Option<Duration>, String> {
    if text == "forever" { Ok(None) } else { Ok(Some(duration(text)?)) }
}

pub(super) fn tiers(text: &str) -> Result<Option<Tiers>, String> {
    if text == "auto" {
        return Ok(None);
    }
    let mut tiers = Tiers::NONE;
    for name in text.split(',').map(str::trim).filter(|name| *name != "none") {
        match Tier::named(name) {
            Some(Tier::Minutes5) => tiers.minutes5 = true,
            Some(Tier::Hour1) => tiers.hour1 = true,
            None => {
                return Err("tiers are 5m and 1h, with a comma between, or none, or auto".into());
            }
        }
    }
    Ok(Some(tiers))
}

pub(super) fn show_tiers(tiers: Option<Tiers>) -> String {
    let Some(tiers) = tiers else { return "auto".into() };
    let names: Vec<&str> = tiers.all().map(Tier::name).collect();
    if names.is_empty() { "none".into() } else { names.join(",") }
}

pub(super) fn put<T: FromStr>(place: &mut T, text: &str, advice: &str) -> Result<(), String> {
    *place = text.parse().map_err(|_| advice.to_owned())?;
    Ok(())
}

pub(super) fn count<T: FromStr + Display>(place: &mut T, text: &str) -> Result<(), String> {
    put(place, &text.replace('_', ""), "it is a whole number from 0")
}

pub(super) fn switch(place: &mut bool, text: &str) -> Result<(), String> {
    *place = match text {
        "true" | "True" | "TRUE" | "yes" | "on" | "1" => true,
        "false" | "False" | "FALSE" | "no" | "off" | "0" => false,
        _ => return Err("it is true or false".into()),
    };
    Ok(())
}

pub(super) fn time(place: &mut Duration, text: &str) -> Result<(), String> {
    *place = duration(text)?;
    Ok(())
}

pub(super) fn bytes(place: &mut u64, text: &str) -> Result<(), String> {
    *place = size(text)?;
    Ok(())
}

pub(super) fn small_bytes(place: &mut usize, text: &str) -> Result<(), String> {
    *place = usize::try_from(size(text)?).unwrap_or(usize::MAX);
    Ok(())
}

pub(super) fn some_path(text: &str) -> Option<PathBuf> {
    (!text.is_empty()).then(|| text.into())
}

pub(super) fn show_path(path: Option<&Path>) -> String {
    path.map(|path| path.display().to_string()).unwrap_or_default()
}

pub(super) fn external_url(text: &str) -> Result<Option<String>, String> {
    let text = text.trim_end_matches('/');
    if text.is_empty() {
        return Ok(None);
    }
    let bad = || "write it like https://metrics.example.com/quipu".to_owned();
    let url: hyper::Uri = text.parse().map_err(|_| bad())?;
    let is_web = matches!(url.scheme_str(), Some("http" | "https"));
    let is_plain = url.query().is_none() && !text.contains(['@', '#']);
    if is_web && is_plain { Ok(Some(text.to_owned())) } else { Err(bad()) }
}

/// No time at all is None.
pub(super) fn set_some(place: &mut Option<Duration>, text: &str) -> Result<(), String> {
    *place = Some(duration(text)?).filter(|time| !time.is_zero());
    Ok(())
}

/// A regular expression, or nothing.
pub(super) fn pattern(place: &mut String, text: &str) -> Result<(), String> {
    regex::Regex::new(text).map_err(|_| "write a regular expression".to_owned())?;
    text.clone_into(place);
    Ok(())
}

#[expect(clippy::unnecessary_wraps, reason = "one of a table of functions")]
pub(super) fn text_of(place: &mut String, text: &str) -> Result<(), String> {
    text.clone_into(place);
    Ok(())
}
