//! What was found, as it is given out: by search and suggest, in csv files, in jobs. Names are those of the interface; `type`, `name`,
//! `city`, … beside them are addok's, so that its clients work.

use onemap_address::element::Element;
use onemap_address::find::{Candidate, Fault, Level, Verdict};
use serde_json::{Map, Value, json};

use super::days;

/// The name of a level, a fault or a verdict in interfaces.
pub trait Name: Copy + 'static {
    const NAMES: &'static [(Self, &'static str)];
    fn name(self) -> &'static str;
    fn parse(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(_, n)| *n == name).map(|(value, _)| *value)
    }
}

macro_rules! names {
    ($type:ty, $($value:path => $name:literal),+ $(,)?) => {
        impl Name for $type {
            const NAMES: &'static [(Self, &'static str)] = &[$(($value, $name)),+];
            fn name(self) -> &'static str {
                match self { $($value => $name),+ }
            }
        }
    };
}

names!(Level,
    Level::None => "none", Level::District => "district", Level::Street => "street", Level::Village => "village",
    Level::Road => "road", Level::Intersection => "intersection", Level::Interpolated => "interpolated",
    Level::Poi => "poi", Level::Number => "number", Level::Compound => "compound", Level::Building => "building",
    Level::Unit => "unit", Level::Room => "room");

names!(Verdict,
    Verdict::Agree => "agree", Verdict::Similar => "similar", Verdict::Absent => "absent",
    Verdict::Conflict => "conflict");

// Jobs keep faults by their place here: new ones come last.
names!(Fault,
    Fault::Empty => "empty", Fault::TooLong => "too_long", Fault::NotAnAddress => "not_an_address",
    Fault::OtherPlace => "other_place", Fault::Ambiguous => "ambiguous", Fault::NumberNotFound => "number_not_found",
    Fault::RoadNotFound => "road_not_found", Fault::DivisionConflict => "division_conflict",
    Fault::OldName => "old_name", Fault::Typo => "typo",
    Fault::SeveralAddresses => "several_addresses", Fault::Expired => "expired");

/// What addok calls it.
pub fn addok_type(level: Level) -> &'static str {
    match level {
        Level::None => "none",
        Level::District | Level::Street => "municipality",
        Level::Village => "locality",
        Level::Road | Level::Intersection => "street",
        Level::Poi | Level::Compound => "poi",
        Level::Interpolated | Level::Number | Level::Building | Level::Unit | Level::Room => "housenumber",
    }
}

pub fn faults(faults: &[Fault]) -> Vec<&'static str> {
    faults.iter().map(|f| f.name()).collect()
}

/// The text of an element that the candidate has.
pub fn element(candidate: &Candidate, element: Element) -> Option<&str> {
    let named = candidate.elements.iter().filter(|n| n.element == element && !n.text.is_empty());
    // A conflict may be told by both texts; the candidate's own comes first.
    named.map(|n| n.text.as_str()).next()
}

/// The properties of a feature. `layer` is the source's.
pub fn properties(candidate: &Candidate, layer: &str) -> Value {
    let (mut elements, mut verdicts) = (Map::new(), Map::new());
    for named in &candidate.elements {
        let name = named.element.name();
        if !elements.contains_key(name) {
            elements.insert(name.into(), named.text.clone().into());
            verdicts.insert(name.into(), named.verdict.name().into());
        }
    }
    let parts: Map<String, Value> =
        candidate.parts.iter().map(|(name, part)| ((*name).into(), rounded(*part))).collect();
    let mut properties = json!({
        "id": id(candidate), "source": layer, "feature": feature(candidate),
        "label": candidate.label, "score": rounded(candidate.score),
        "match_level": candidate.match_level.name(), "coordinate_level": candidate.coordinate_level.name(),
        "elements": elements, "verdicts": verdicts, "parts": parts,
    });
    for (name, value) in addok(candidate) {
        properties[name] = value.into();
    }
    for (name, day) in [("valid_from", candidate.valid.first()), ("valid_to", candidate.valid.last())] {
        if let Some(day) = day {
            properties[name] = days::shown(day).into();
        }
    }
    properties
}

/// The row's key, or its number.
pub fn id(candidate: &Candidate) -> Value {
    match (&candidate.key, candidate.id) {
        (Some(key), _) => key.clone().into(),
        (None, Some(id)) => (id as i64).into(),
        (None, None) => Value::Null,
    }
}

/// The number of the feature in its layer.
pub fn feature(candidate: &Candidate) -> Value {
    candidate.id.map_or(Value::Null, |id| (id as i64).into())
}

/// Addok's own members. `name` is what follows the divisions, `context` are the divisions.
pub fn addok(candidate: &Candidate) -> Vec<(&'static str, String)> {
    let get = |e| element(candidate, e).unwrap_or_default();
    let joined = |all: &[Element], between: &str| {
        all.iter().map(|e| get(*e)).filter(|t| !t.is_empty()).collect::<Vec<_>>().join(between)
    };
    use Element::*;
    let name = joined(
        &[Community, VillageGroup, Road, Intersection, Lane, Roadno, Compound, Poi, Subpoi, Houseno, Cellno, Roomno],
        "",
    );
    let name = match [Road, Intersection, Compound, Poi, VillageGroup].iter().any(|e| !get(*e).is_empty()) {
        true => joined(&[Road, Intersection, Lane, Roadno, Compound, Poi, Subpoi, Houseno, Cellno, Roomno], ""),
        false => name,
    };
    let name = if name.is_empty() { candidate.label.clone() } else { name };
    let mut members = vec![
        ("type", addok_type(candidate.match_level).to_owned()),
        ("name", name),
        ("city", get(City).to_owned()),
        ("district", get(District).to_owned()),
        ("street", joined(&[Road, Lane], "")),
        ("housenumber", get(Roadno).to_owned()),
        ("context", joined(&[Province, City, District, Town], ", ")),
    ];
    members.retain(|(_, value)| !value.is_empty());
    members
}

/// Four decimals: a score of f32 would show digits that mean nothing.
pub fn rounded(value: f32) -> Value {
    json!((f64::from(value) * 1e4).round() / 1e4)
}

#[cfg(test)]
mod tests {
    use onemap_address::find::Named;
    use onemap_address::record::Validity;

    use super::*;

    fn candidate() -> Candidate {
        let named = |element, text: &str, verdict| Named { element, text: text.into(), verdict };
        Candidate {
            source: 0,
            id: Some(7),
            key: None,
            label: "青岛市市南区香港中路12号".into(),
            lon: 120.0,
            lat: 36.0,
            score: 0.98771,
            match_level: Level::Number,
            coordinate_level: Level::Number,
            elements: vec![
                named(Element::City, "青岛市", Verdict::Absent),
                named(Element::District, "市南区", Verdict::Agree),
                named(Element::Road, "香港中路", Verdict::Similar),
                named(Element::Roadno, "12号", Verdict::Agree),
            ],
            valid: Validity::new(Some(0), None),
            parts: vec![("road", 0.9)],
        }
    }

    #[test]
    fn a_candidate_has_our_members_and_addoks() {
        let p = properties(&candidate(), "doors");
        assert_eq!((&p["id"], &p["feature"], &p["source"]), (&json!(7), &json!(7), &json!("doors")));
        assert_eq!((&p["match_level"], &p["score"]), (&json!("number"), &json!(0.9877)));
        assert_eq!((&p["elements"]["road"], &p["verdicts"]["road"]), (&json!("香港中路"), &json!("similar")));
        assert_eq!((&p["type"], &p["name"]), (&json!("housenumber"), &json!("香港中路12号")));
        assert_eq!((&p["valid_from"], &p["valid_to"]), (&json!("1970-01-01"), &Value::Null));
        assert_eq!((&p["housenumber"], &p["context"]), (&json!("12号"), &json!("青岛市, 市南区")));
    }

    #[test]
    fn every_level_has_the_name_that_serde_gives_it() {
        for (level, name) in Level::NAMES {
            assert_eq!(serde_json::to_value(level).unwrap(), *name);
            assert_eq!(Level::parse(name), Some(*level));
        }
        for (fault, name) in Fault::NAMES {
            assert_eq!(serde_json::to_value(fault).unwrap(), *name);
        }
    }
}
