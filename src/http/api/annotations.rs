//! Annotation layers: made, listed, removed; marks placed by address. Marks are drawn, changed and deleted over OGC API Features
//! (`ogc::transactions`), as features of any other layer.

use axum::body::Bytes;
use axum::extract::Path;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::IntoResponse;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{body, catalogue, created, ok};
use crate::annotation::place;
use crate::error::{Error, Result};
use crate::feature::write::feature;
use crate::geo::crs::CRS84;
use crate::http::ask::{Answer, Ask};
use crate::http::ogc::transactions::{editing, open, shown};
use crate::layer::annotated::{self, not_drawn_on};
use crate::layer::marks;
use crate::layer::model::{Field, FieldType, ShareClass, Title};
use crate::layer::registry::{NewLayer, layer_id};

/// Fields of a layer's own at most.
const OWN_FIELDS: usize = 30;

pub async fn list(ask: Ask) -> Answer {
    ask.parameters.clone().finish()?;
    let visible = ask.app.catalog.visible(&ask.app.gate, &ask.principal);
    let layers: Vec<Value> = visible
        .iter()
        .filter(|(layer, _)| layer.annotation)
        .map(|(layer, standing)| catalogue::summary(layer, standing))
        .collect();
    Ok(ok(&json!({ "annotations": layers })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewAnnotation {
    id: Option<String>,
    title: Title,
    #[serde(rename = "abstract", default)]
    description: Title,
    theme: Option<String>,
    /// Not shared when it does not say.
    share_class: Option<ShareClass>,
    /// Behind those that every mark has.
    #[serde(default)]
    fields: Vec<OwnField>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OwnField {
    name: String,
    #[serde(rename = "type")]
    kind: FieldType,
    title: Option<Title>,
}

/// A layer to draw on, empty at first and its department's own.
pub async fn create(ask: Ask, bytes: Bytes) -> Answer {
    ask.parameters.clone().finish()?;
    let department = ask.app.gate.publisher(&ask.principal)?;
    let new: NewAnnotation = body(&bytes)?;
    if new.title.zh.trim().is_empty() || new.title.zh.chars().count() > 200 || new.title.en.chars().count() > 200 {
        return Err(Error::invalid("title", "名称为 1 到 200 个字", "a title has 1 to 200 characters").into());
    }
    let own = own_fields(new.fields)?;
    let id = new.id.unwrap_or_else(|| format!("annotation-{}", &uuid::Uuid::new_v4().simple().to_string()[..12]));
    let new = NewLayer {
        id: layer_id(&id)?,
        theme: new.theme,
        title: new.title,
        description: new.description,
        class: new.share_class.unwrap_or(ShareClass::NotShared),
        anonymous: false,
        style: None,
        source: String::new(),
        synthetic: false,
    };
    annotated::create(&ask.app.database, &ask.principal, &department, &new, &own).await?;
    ask.app.refresh().await?;
    let document = json!({"layer": id, "items": format!("{}/ogc/collections/{id}/items", ask.base),
        "tiles": format!("{}/tiles/{id}.json", ask.base), "style": format!("{}/styles/{id}.json", ask.base)});
    Ok(created(&document))
}

fn own_fields(given: Vec<OwnField>) -> Result<Vec<Field>> {
    if given.len() > OWN_FIELDS {
        return Err(Error::invalid("fields", "自定字段最多 30 个", "a layer has at most 30 fields of its own"));
    }
    let mut taken: Vec<String> = marks::fields().into_iter().map(|f| f.name).collect();
    taken.extend(["fid".to_owned(), "geom".to_owned()]);
    let mut fields = vec![];
    for OwnField { name, kind, title } in given {
        let shown: String = name.chars().take(60).collect();
        if !is_name(&name) {
            return Err(Error::invalid(
                "fields",
                format!("字段名 {shown} 不合规"),
                format!("{shown} is no name for a field"),
            )
            .hint(
                "用小写字母、数字、_ 或汉字，不以数字开头，最多 63 字节",
                "use lower-case letters, digits, _ or Chinese, not a digit first, at most 63 bytes",
            ));
        }
        if taken.contains(&name) {
            let (zh, en) = (format!("字段名 {shown} 已被占用"), format!("the field name {shown} is taken"));
            return Err(Error::invalid("fields", zh, en));
        }
        let Title { zh, en } = title.unwrap_or_else(|| Title { zh: name.clone(), en: name.clone() });
        taken.push(name.clone());
        fields.push(Field { name, kind, title_zh: zh, title_en: en });
    }
    Ok(fields)
}

fn is_name(name: &str) -> bool {
    let fits = |c: char| c == '_' || (c.is_alphanumeric() && !c.is_uppercase());
    (1..=63).contains(&name.len()) && name.chars().all(fits) && !name.starts_with(|c: char| c.is_numeric())
}

pub async fn remove(ask: Ask, Path(id): Path<String>) -> Answer {
    let grant = ask.edit(&id)?;
    ask.parameters.clone().finish()?;
    annotated::remove(&ask.app.store, &grant, &*ask.app.catalog.of(&grant)?).await?;
    ask.app.refresh().await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Placing {
    address: String,
    /// The address itself when it does not say.
    text: Option<String>,
    #[serde(default)]
    properties: Map<String, Value>,
}

/// A mark at the place that an address means.
pub async fn place(ask: Ask, Path(id): Path<String>, bytes: Bytes) -> Answer {
    let (pen, drawn) = open(&ask, &id)?;
    if !drawn.layer.annotation {
        return Err(not_drawn_on().into());
    }
    let Placing { address, text, mut properties } = body(&bytes)?;
    properties.entry("text").or_insert_with(|| text.unwrap_or_else(|| address.trim().to_owned()).into());
    let app = &ask.app;
    let placed = place::find(&app.addresses, &app.aliases, &ask.principal, &address).await?;
    let geometry = json!({"type": "Point", "coordinates": [placed.lon, placed.lat]});
    let mut document = json!({"type": "Feature", "geometry": geometry, "properties": properties});
    let content = feature(drawn.layer.state(), document.to_string().as_bytes(), true, CRS84)?;
    let mark = editing(&ask, &pen, &drawn).create(content).await?;
    shown(&ask).await;
    document["id"] = mark.into();
    document["match"] = placed.found;
    let mut response = created(&document);
    let location = format!("{}/ogc/collections/{id}/items/{mark}", ask.base);
    response.headers_mut().insert(header::LOCATION, HeaderValue::from_str(&location).map_err(Error::internal)?);
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_fields_have_names_of_their_own() {
        let of = |names: &[&str]| {
            let field = |name: &&str| OwnField { name: (*name).into(), kind: FieldType::Text, title: None };
            own_fields(names.iter().map(field).collect())
        };
        assert_eq!(of(&["severity", "楼栋"]).unwrap().len(), 2);
        for bad in [&["text"][..], &["fid"], &["a", "a"], &["1a"], &["A"], &["a b"], &[""], &["a\""]] {
            assert!(of(bad).is_err(), "{bad:?}");
        }
    }
}
