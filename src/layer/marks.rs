//! Marks: the features of an annotation layer. The fields that each of them has, what these may hold, what the server writes into them.
//!
//! How a mark looks stands in plain fields, not in one of JSON: a MapLibre expression reads a field, and so do filters, QGIS and a
//! spreadsheet.

use serde_json::Value;
use tokio_postgres::Row;

use super::edit::Content;
use super::model::{Field, FieldType, State};
use crate::access::principal::{Principal, Who};
use crate::db::sql::Bind;
use crate::error::{Error, Result};

/// Marks of a layer at most.
const MOST: i64 = 100_000;
/// Positions of a mark at most: what a hand draws has hundreds.
const POSITIONS: usize = 10_000;
/// Characters of a mark's text at most.
const TEXT: usize = 2000;
/// Pixels: of a disc's diameter or of letters, and of a line.
const SIZES: std::ops::RangeInclusive<f64> = 4.0..=64.0;
const WIDTHS: std::ops::RangeInclusive<f64> = 0.5..=20.0;

/// What a mark is, and of which geometry; the first of a geometry's is what a mark is taken for that does not say.
const KINDS: [(&str, &str); 4] = [("point", "Point"), ("text", "Point"), ("line", "LineString"), ("area", "Polygon")];

/// The field of the ids of a mark's photos, oldest first, with blanks between.
pub const PHOTOS: &str = "photos";
const AUTHOR: &str = "author";
/// Written by the server alone.
const STAMPED: [&str; 5] = [PHOTOS, AUTHOR, "created_at", "edited_by", "edited_at"];

/// The fields that every mark has. Those of a layer's own follow.
pub fn fields() -> Vec<Field> {
    use FieldType::{Float, Text, Timestamp};
    [
        ("text", Text, "文字", "Text"),
        ("kind", Text, "类型", "Kind"),
        ("color", Text, "颜色", "Colour"),
        ("fill", Text, "填充", "Fill"),
        ("size", Float, "大小", "Size"),
        ("line_width", Float, "线宽", "Line width"),
        ("icon", Text, "图标", "Icon"),
        (PHOTOS, Text, "照片", "Photos"),
        (AUTHOR, Text, "作者", "Author"),
        ("created_at", Timestamp, "创建时间", "Created"),
        ("edited_by", Text, "修改人", "Edited by"),
        ("edited_at", Timestamp, "修改时间", "Edited"),
    ]
    .into_iter()
    .map(|(name, kind, zh, en)| Field { name: name.into(), kind, title_zh: zh.into(), title_en: en.into() })
    .collect()
}

/// What is written of a mark: the editor's values where they may stand, and the server's own, whatever was sent for these.
pub fn completed(state: &State, mut content: Content, by: &Principal, new: bool) -> Result<Content> {
    if new && state.feature_count.is_some_and(|count| count >= MOST) {
        return Err(Error::too_large("标注已达 100000 个", "the layer has 100,000 marks already")
            .hint("请另建一个标注图层", "make another annotation layer"));
    }
    content.values.retain(|(field, _)| !STAMPED.contains(&field.name.as_str()));
    for (field, value) in &content.values {
        check(field, value.as_ref())?;
    }
    let shape = match &content.geometry {
        None => None,
        Some(None) => return Err(Error::invalid("geometry", "标注要有位置", "a mark has a place")),
        Some(Some(json)) => Some(shape(json)?),
    };
    set_kind(state, &mut content, shape.as_deref())?;
    let now = Bind::Text(jiff::Timestamp::now().to_string());
    let who = Bind::Text(name(by));
    let stamps: [&[(&str, &Bind)]; 2] =
        [&[(AUTHOR, &who), ("created_at", &now)], &[("edited_by", &who), ("edited_at", &now)]];
    for (name, value) in stamps[usize::from(!new)] {
        content.values.extend(state.field(name).map(|field| (field.clone(), Some((*value).clone()))));
    }
    Ok(content)
}

/// The layer's photos field and its value, after photos came or went.
pub fn with_photos(state: &State, by: &Principal, ids: &[uuid::Uuid]) -> Content {
    let ids = ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    let values = [
        (PHOTOS, (!ids.is_empty()).then_some(Bind::Text(ids))),
        ("edited_by", Some(Bind::Text(name(by)))),
        ("edited_at", Some(Bind::Text(jiff::Timestamp::now().to_string()))),
    ];
    let values = values.into_iter().filter_map(|(name, value)| Some((state.field(name)?.clone(), value)));
    Content { values: values.collect(), geometry: None }
}

/// Refuses another's mark. The row is one of `select::features` with all fields.
pub fn check_author(row: &Row, by: &Principal) -> Result<()> {
    match row.try_get::<_, Option<&str>>(AUTHOR)? == Some(&name(by)) {
        true => Ok(()),
        false => Err(Error::forbidden(
            "只有标注的作者和本单位的发布人员可以修改它",
            "only its author and the department's publishers may change a mark",
        )),
    }
}

/// The name that a mark bears.
fn name(by: &Principal) -> String {
    match &by.who {
        Who::Person { login, .. } => login.to_string(),
        _ => by.name(),
    }
}

fn check(field: &Field, value: Option<&Bind>) -> Result<()> {
    let name = field.name.as_str();
    let (fits, zh, en) = match (name, value) {
        ("text", Some(Bind::Text(text))) => {
            (text.chars().count() <= TEXT, "最多 2000 个字", "text of at most 2,000 characters")
        }
        ("color" | "fill", Some(Bind::Text(text))) => (is_colour(text), "形如 #1f6feb 的颜色", "a colour like #1f6feb"),
        ("icon", Some(Bind::Text(text))) => (is_icon(text), "图标名称", "the name of an icon"),
        ("size", Some(Bind::Float(v))) => (SIZES.contains(v), "4 到 64 像素", "4 to 64 pixels"),
        ("line_width", Some(Bind::Float(v))) => (WIDTHS.contains(v), "0.5 到 20 像素", "0.5 to 20 pixels"),
        _ => return Ok(()),
    };
    match fits {
        true => Ok(()),
        false => Err(Error::invalid(name, format!("{name} 应为{zh}"), format!("{name} should be {en}"))),
    }
}

fn is_colour(text: &str) -> bool {
    text.len() == 7 && text.starts_with('#') && text[1..].bytes().all(|b| b.is_ascii_hexdigit())
}

fn is_icon(text: &str) -> bool {
    (1..=40).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// The geometry's type without `Multi`.
fn shape(json: &str) -> Result<String> {
    let geometry: Value = serde_json::from_str(json)?;
    let kind = geometry["type"].as_str().unwrap_or_default();
    let kind = kind.strip_prefix("Multi").unwrap_or(kind);
    if !KINDS.iter().any(|(_, shape)| *shape == kind) {
        return Err(Error::invalid("geometry", "标注是点、线或面", "a mark is a point, a line or an area"));
    }
    match positions(&geometry["coordinates"]) <= POSITIONS {
        true => Ok(kind.to_owned()),
        false => Err(Error::invalid(
            "geometry",
            format!("标注最多 {POSITIONS} 个点"),
            format!("a mark has at most {POSITIONS} positions"),
        )
        .hint("较大的数据请上传为图层", "upload larger data as a layer")),
    }
}

fn positions(coordinates: &Value) -> usize {
    match coordinates.as_array() {
        Some(items) if items.first().is_some_and(Value::is_array) => items.iter().map(positions).sum(),
        _ => 1,
    }
}

/// Holds the kind against the geometry; one that is not said follows from it.
fn set_kind(state: &State, content: &mut Content, shape: Option<&str>) -> Result<()> {
    let Some(field) = state.field("kind").cloned() else { return Ok(()) };
    let given = content.values.iter().find_map(|(f, value)| match value {
        Some(Bind::Text(kind)) if f.name == "kind" => Some(kind.clone()),
        _ => None,
    });
    let fits = |kind: &str| KINDS.iter().any(|(k, s)| *k == kind && shape.is_none_or(|shape| *s == shape));
    match (given, shape) {
        (Some(kind), _) if fits(&kind) => return Ok(()),
        (Some(_), _) => {
            return Err(Error::invalid(
                "kind",
                "kind 应为 point、text（点）、line（线）或 area（面），与几何相符",
                "kind should be point or text (of a point), line or area, as the geometry is",
            ));
        }
        (None, _) => content.values.retain(|(f, _)| f.name != "kind"),
    }
    let own = KINDS.iter().find(|(_, s)| Some(*s) == shape);
    content.values.extend(own.map(|(kind, _)| (field, Some(Bind::Text((*kind).to_owned())))));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::principal::Role;

    fn state() -> State {
        State { fields: fields(), feature_count: Some(0), ..State::plots() }
    }

    fn person() -> Principal {
        let who = Who::Person { id: 1, login: "li".into(), name: "李".into(), role: Role::User };
        Principal { who, department: Some("health".into()) }
    }

    fn content(values: &[(&str, Bind)], geometry: Option<&str>) -> Content {
        let values = values.iter().map(|(n, v)| (state().field(n).unwrap().clone(), Some(v.clone()))).collect();
        Content { values, geometry: geometry.map(|g| Some(g.to_owned())) }
    }

    fn written(content: &Content, name: &str) -> Option<Bind> {
        content.values.iter().find(|(f, _)| f.name == name).and_then(|(_, v)| v.clone())
    }

    const POINT: &str = r#"{"type":"Point","coordinates":[120,36]}"#;
    const AREA: &str = r#"{"type":"MultiPolygon","coordinates":[[[[0,0],[1,0],[1,1],[0,0]]]]}"#;

    #[test]
    fn what_the_client_says_of_author_and_time_is_not_believed() {
        let sent = [("author", Bind::Text("wang".into())), ("photos", Bind::Text("x".into()))];
        let made = completed(&state(), content(&sent, Some(POINT)), &person(), true).unwrap();
        assert_eq!(written(&made, "author"), Some(Bind::Text("li".into())));
        assert_eq!(written(&made, "kind"), Some(Bind::Text("point".into())));
        assert!(written(&made, "created_at").is_some() && written(&made, "photos").is_none());
        let changed = completed(&state(), content(&sent, None), &person(), false).unwrap();
        assert_eq!(written(&changed, "edited_by"), Some(Bind::Text("li".into())));
        assert!(written(&changed, "author").is_none() && written(&changed, "kind").is_none());
    }

    #[test]
    fn a_kind_fits_its_geometry() {
        let of = |kind: &str, geometry| {
            completed(&state(), content(&[("kind", Bind::Text(kind.into()))], geometry), &person(), true)
        };
        assert!(of("text", Some(POINT)).is_ok() && of("area", Some(AREA)).is_ok() && of("line", None).is_ok());
        assert!(of("area", Some(POINT)).is_err() && of("text", Some(AREA)).is_err() && of("circle", None).is_err());
    }

    #[test]
    fn looks_are_held_to_what_can_be_drawn() {
        let fits = |name: &str, value: Bind| {
            completed(&state(), content(&[(name, value)], Some(POINT)), &person(), true).is_ok()
        };
        assert!(fits("color", Bind::Text("#1F6feb".into())) && fits("size", Bind::Float(12.0)));
        assert!(!fits("color", Bind::Text("red".into())) && !fits("fill", Bind::Text("#äääa".into())));
        assert!(!fits("size", Bind::Float(1e9)) && !fits("line_width", Bind::Float(0.0)));
        assert!(!fits("icon", Bind::Text("../x".into())) && !fits("text", Bind::Text("字".repeat(2001))));
    }

    #[test]
    fn a_mark_has_a_place_that_a_hand_could_draw() {
        let none = Content { values: vec![], geometry: Some(None) };
        assert!(completed(&state(), none, &person(), true).is_err());
        let collection = r#"{"type":"GeometryCollection","geometries":[]}"#;
        assert!(completed(&state(), content(&[], Some(collection)), &person(), true).is_err());
        let long = format!(r#"{{"type":"LineString","coordinates":[{}[0,0]]}}"#, "[0,0],".repeat(POSITIONS));
        assert!(completed(&state(), content(&[], Some(&long)), &person(), true).is_err());
    }
}
