//! Thematic layers: made, looked at, changed, computed anew, removed. Each is a layer, and stands under its layer's id.

use axum::extract::{Path, Request};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{large_body, ok};
use crate::db::sql::Bind;
use crate::error::{Error, Result};
use crate::feature::values::write_json;
use crate::http::ask::{Answer, Ask};
use crate::layer::model::{Field, ShareClass, Title};
use crate::layer::registry::{NewLayer, layer_id};
use crate::layer::select::{self, Condition, Operator, Selection};
use crate::theme::definition::{Change, Definition};
use crate::theme::{LONGEST_ID, style_id};
use crate::tile::render::Drawn;

/// Bytes of a body: 50,000 rows of some twenty fields.
const MOST_BYTES: usize = 32 << 20;
/// Rows of a page of the table.
const PAGE: i64 = 1_000;
const MOST_PAGE: i64 = 10_000;

#[derive(Deserialize)]
struct NewTheme {
    /// The id of the layer that it becomes.
    id: String,
    title: Title,
    #[serde(rename = "abstract", default)]
    description: Title,
    /// The catalogue's topic.
    #[serde(default)]
    theme: Option<String>,
    /// Sharing is a decision: until it is made, a theme is its department's own.
    #[serde(default)]
    share_class: Option<ShareClass>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

pub async fn create(ask: Ask, request: Request) -> Answer {
    ask.parameters.clone().finish()?;
    let department = ask.app.gate.publisher(&ask.principal)?;
    let new: NewTheme = large_body(request, MOST_BYTES).await?;
    let id = layer_id(&new.id)?;
    if id.len() > LONGEST_ID {
        let (zh, en) = (format!("标识最多 {LONGEST_ID} 个字符"), format!("the id has at most {LONGEST_ID} characters"));
        return Err(Error::invalid("id", zh, en).into());
    }
    // What is left is the definition, which refuses members that it does not know.
    let definition: Definition = serde_json::from_value(Value::Object(new.rest))
        .map_err(|e| Error::invalid("body", format!("请求内容有误：{e}"), format!("the body is wrong: {e}")))?;
    let layer = NewLayer {
        id,
        theme: new.theme,
        title: new.title,
        description: new.description,
        class: new.share_class.unwrap_or(ShareClass::NotShared),
        anonymous: false,
        style: None,
        source: source(&definition),
        synthetic: false,
    };
    let job = ask.app.themes.create(&ask.principal, &department, &layer, &definition).await?;
    ask.app.refresh().await?;
    Ok(put(&layer.id, job))
}

/// What the catalogue says of a theme's origin: its zones, and the layer that its table is.
fn source(definition: &Definition) -> String {
    match &definition.data.layer {
        Some(layer) => format!("{layer} × {}", definition.zones.layer),
        None => format!("本单位数据 own data × {}", definition.zones.layer),
    }
}

/// A computation is under way.
fn put(layer: &str, job: uuid::Uuid) -> Response {
    (StatusCode::ACCEPTED, ok(&json!({"id": layer, "layer": layer, "job": job}))).into_response()
}

/// The themes whose layers the caller may know of.
pub async fn list(ask: Ask) -> Answer {
    ask.parameters.clone().finish()?;
    let visible = ask.app.catalog.visible(&ask.app.gate, &ask.principal);
    let ids: Vec<String> = visible.iter().map(|(layer, _)| layer.id.to_string()).collect();
    let kinds = ask.app.themes.among(&ids).await?;
    let all: Vec<Value> = kinds
        .into_iter()
        .filter_map(|(id, about)| {
            let (layer, standing) = visible.iter().find(|(layer, _)| *layer.id == *id)?;
            let mut document = super::catalogue::summary(layer, standing);
            document["kind"] = about["kind"].clone();
            document["indicator"] = about["indicator"].clone();
            document["periods"] = about["time"].clone();
            Some(document)
        })
        .collect();
    Ok(ok(&json!({ "themes": all })))
}

pub async fn get(ask: Ask, Path(id): Path<String>) -> Answer {
    ask.parameters.clone().finish()?;
    let edits = ask.edit(&id).is_ok();
    let drawn = match ask.read(&id) {
        Ok(drawn) => Some(drawn),
        // Its first computation is not over: its owner sees what it will be.
        Err(_) if edits => None,
        Err(e) => return Err(e.into()),
    };
    let kept = ask.app.themes.get(&id).await?;
    let title = ask.app.catalog.snapshot().layers.get(id.as_str()).map(|layer| layer.title.clone());
    let mut document = json!({
        "id": id, "layer": id, "title": title, "updated": kept.updated,
        "kind": kept.definition["kind"], "indicator": kept.definition["indicator"]["kind"],
        "labels": [kept.definition["indicator"]["label"], kept.definition["second"]["label"]],
        "style": format!("{}/styles/{id}.json", ask.base), "tiles": format!("{}/tiles/{id}.json", ask.base),
        "items": format!("{}/ogc/collections/{id}/items", ask.base), "table": format!("{}/api/v1/themes/{id}/table", ask.base),
        "style_id": style_id(&id), "revision": null,
    });
    let outcome = match &drawn {
        Some(drawn) => ask.app.themes.outcome(&drawn.layer).await?,
        None => Value::Null,
    };
    if let Some(drawn) = &drawn {
        document["revision"] = drawn.layer.state().number.into();
        document["figures"] = figures(&outcome["figures"], drawn.grant.scope().is_all());
    }
    // What it is made of may name layers and values that its readers do not know.
    if edits {
        document["definition"] = kept.definition;
        document["created_by"] = kept.created_by.into();
        document["job"] = json!(kept.job);
        document["report"] = outcome["report"].clone();
    }
    Ok(ok(&document))
}

/// Who sees a part of the layer sees its classes and colours; counts and the histogram are of the whole.
fn figures(of_the_whole: &Value, whole: bool) -> Value {
    let mut figures = of_the_whole.clone();
    if whole {
        return figures;
    }
    for name in ["classification", "second"] {
        if let Some(classification) = figures[name].as_object_mut() {
            classification.remove("summary");
            classification.remove("histogram");
            classification.remove("fit");
            for class in classification.get_mut("classes").and_then(Value::as_array_mut).into_iter().flatten() {
                if let Some(class) = class.as_object_mut() {
                    class.remove("count");
                }
            }
        }
    }
    if let Some(members) = figures.as_object_mut() {
        members.remove("suppressed");
    }
    figures
}

/// Changes the definition and computes the theme anew. Title and sharing are the layer's.
pub async fn change(ask: Ask, Path(id): Path<String>, request: Request) -> Answer {
    ask.parameters.clone().finish()?;
    let grant = ask.edit(&id)?;
    ask.app.themes.get(&id).await?;
    let change: Change = large_body(request, MOST_BYTES).await?;
    Ok(put(&id, ask.app.themes.change(&grant, change).await?))
}

pub async fn refresh(ask: Ask, Path(id): Path<String>) -> Answer {
    ask.parameters.clone().finish()?;
    let grant = ask.edit(&id)?;
    Ok(put(&id, ask.app.themes.refresh(&grant).await?))
}

pub async fn remove(ask: Ask, Path(id): Path<String>) -> Answer {
    ask.parameters.clone().finish()?;
    let grant = ask.edit(&id)?;
    ask.app.themes.remove(&grant).await?;
    ask.app.refresh().await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// The numbers, zone by zone, as far as the caller's grant on the layer shows them. What is withheld is null.
pub async fn table(mut ask: Ask, Path(id): Path<String>) -> Answer {
    let drawn = ask.read(&id)?;
    ask.app.themes.get(&id).await?;
    let period = ask.parameters.take("period")?;
    let after = ask.parameters.take_integer("after", 0..=i64::MAX)?;
    let limit = ask.parameters.take_integer("limit", 1..=MOST_PAGE)?.unwrap_or(PAGE);
    ask.parameters.clone().finish()?;
    Ok(ok(&page(&ask, &drawn, (period, after, limit)).await?))
}

async fn page(ask: &Ask, drawn: &Drawn, (period, after, limit): (Option<String>, Option<i64>, i64)) -> Result<Value> {
    let state = drawn.layer.state();
    let shown = select::visible_fields(state, drawn.grant.scope());
    let fields: Vec<&Field> = shown.into_iter().filter(|f| f.name != "dot").collect();
    let mut conditions = vec![];
    let condition = |field: &str, value| Condition { field: field.to_owned(), operator: Operator::Equal, value };
    if let Some(period) = period {
        conditions.push(condition("period", Bind::Text(period)));
    }
    // The dots of a map of dots are drawn, but are no numbers.
    if state.field("dot").is_some() {
        conditions.push(condition("dot", Bind::Boolean(false)));
    }
    let after = after.map(|id| crate::layer::order::Place { values: vec![], id });
    let selection = Selection { conditions, after, limit: Some(limit + 1), ..Selection::default() };
    let sql = select::features(&drawn.layer, &drawn.grant, &fields, &selection);
    let mut rows = ask.app.store.read(&drawn.grant).await?.gives(limit).rows(&sql).await?;
    let (mut found, mut last, mut more) = (vec![], None, false);
    while let Some(row) = rows.next().await {
        let row = row?;
        more = found.len() as i64 == limit;
        if more {
            break;
        }
        let mut members = Map::new();
        for (at, field) in fields.iter().enumerate() {
            let mut json = vec![];
            write_json(&mut json, &row, at + 2, field.kind)?;
            members.insert(field.name.clone(), serde_json::from_slice(&json)?);
        }
        last = Some(row.try_get::<_, i64>(0)?);
        found.push(Value::Object(members));
    }
    let next = last.filter(|_| more);
    Ok(json!({"theme": drawn.layer.id, "revision": state.number, "rows": found, "next": next}))
}
