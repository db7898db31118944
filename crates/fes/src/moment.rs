//! Times as XML writes them, in the terms of CQL2: dates, and timestamps in UTC.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, tz};
use roxmltree::Node;
use serde_json::{Value, json};

use crate::fault::{Fault, Result, shorten};
use crate::xml::{child, text};

/// Times without a zone are China's, as everywhere else.
const LOCAL: tz::Offset = tz::offset(8);

/// A date or a time, as the text that CQL2 has for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Moment {
    Date(String),
    Timestamp(String),
}

impl Moment {
    pub fn json(&self) -> Value {
        match self {
            Moment::Date(text) => json!({ "date": text }),
            Moment::Timestamp(text) => json!({ "timestamp": text }),
        }
    }

    fn bare(self) -> String {
        match self {
            Moment::Date(text) | Moment::Timestamp(text) => text,
        }
    }
}

/// Reads `2024-05-01`, `2024-05-01T08:30:00`, with `Z` or an offset if need be.
pub fn moment(text: &str) -> Option<Moment> {
    let text = text.trim();
    if !text.get(..4)?.bytes().all(|b| b.is_ascii_digit()) || text.starts_with("0000") {
        return None;
    }
    if !text.contains('T') {
        // A date may have a zone too; it is the day that is meant.
        let bare = text.get(..10)?;
        let zone = &text[10..];
        let known = zone.is_empty() || zone == "Z" || (zone.len() == 6 && zone.starts_with(['+', '-']));
        return bare.parse::<Date>().ok().filter(|_| known).map(|date| Moment::Date(date.to_string()));
    }
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(Moment::Timestamp(time.to_string()));
    }
    let local: DateTime = text.parse().ok()?;
    let time = local.to_zoned(TimeZone::fixed(LOCAL)).ok()?.timestamp();
    Some(Moment::Timestamp(time.to_string()))
}

/// The instant or interval of a `gml:TimeInstant`, a `gml:TimePeriod` or a text.
pub fn temporal(node: Node<'_, '_>) -> Result<Value> {
    match node.tag_name().name() {
        "TimeInstant" => position(child(node, "timePosition").ok_or_else(|| wrong(node))?)?
            .map(|moment| moment.json())
            .ok_or_else(|| wrong(node)),
        "TimePeriod" => {
            let from = end(node, "begin")?.map_or("..".to_owned(), Moment::bare);
            let to = end(node, "end")?.map_or("..".to_owned(), Moment::bare);
            Ok(json!({ "interval": [from, to] }))
        }
        _ => {
            let given = text(node);
            match given.split_once('/') {
                None => Ok(moment(&given).ok_or_else(|| wrong(node))?.json()),
                Some((from, to)) => {
                    let bound = |text: &str| match text.trim() {
                        "" | ".." => Some("..".to_owned()),
                        text => moment(text).map(Moment::bare),
                    };
                    let (from, to) = (bound(from), bound(to));
                    match (from, to) {
                        (Some(from), Some(to)) => Ok(json!({ "interval": [from, to] })),
                        _ => Err(wrong(node)),
                    }
                }
            }
        }
    }
}

/// One end of a period: `gml:beginPosition`, or `gml:begin` with an instant in it. None for one that is open.
fn end(period: Node<'_, '_>, name: &str) -> Result<Option<Moment>> {
    if let Some(found) = child(period, &format!("{name}Position")) {
        return position(found);
    }
    let instant = child(period, name).and_then(|end| child(end, "TimeInstant"));
    let found = instant.and_then(|instant| child(instant, "timePosition")).ok_or_else(|| wrong(period))?;
    position(found)
}

fn position(node: Node<'_, '_>) -> Result<Option<Moment>> {
    let given = text(node);
    match (node.attribute("indeterminatePosition"), given.trim()) {
        (Some("unknown" | "before" | "after"), "") => Ok(None),
        (Some("now"), "") => Err(Fault::at(node, "请写出时间，不支持 now", "write the time out: now is not read")),
        (_, text) => moment(text).map(Some).ok_or_else(|| wrong(node)),
    }
}

fn wrong(node: Node<'_, '_>) -> Fault {
    let shown = shorten(&text(node));
    Fault::at(
        node,
        format!("时间“{shown}”不正确，例如 2024-05-01 或 2024-05-01T08:30:00Z"),
        format!("\"{shown}\" is no time such as 2024-05-01 or 2024-05-01T08:30:00Z"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_come_in_utc() {
        let time = |text: &str| moment(text).map(Moment::bare);
        assert_eq!(time("2024-05-01").as_deref(), Some("2024-05-01"));
        assert_eq!(time("2024-05-01Z").as_deref(), Some("2024-05-01"));
        assert_eq!(time("2024-05-01+08:00").as_deref(), Some("2024-05-01"));
        assert_eq!(time("2024-05-01T08:30:00Z").as_deref(), Some("2024-05-01T08:30:00Z"));
        assert_eq!(time("2024-05-01T08:30:00+08:00").as_deref(), Some("2024-05-01T00:30:00Z"));
        assert_eq!(time("2024-05-01T08:30:00").as_deref(), Some("2024-05-01T00:30:00Z"));
        assert_eq!(time("2024-05-01T08:30:00.25Z").as_deref(), Some("2024-05-01T08:30:00.25Z"));
        for bad in ["", "2024", "2024-13-01", "yesterday", "-2024-01-01", "0000-01-01", "2024-05-01X", "2024-05-01T25"]
        {
            assert_eq!(time(bad), None, "{bad}");
        }
    }
}
