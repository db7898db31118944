//! OGC API Styles: the styles of the platform and of each layer, what is said of them, and their keeping by departments.

use axum::body::Bytes;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::html::{self, page};
use super::transactions::if_match;
use super::{Format, json_response, link, self_links};
use crate::access::gate::sign_in;
use crate::error::{Error, Result};
use crate::http::api::body;
use crate::http::ask::{Answer, Ask};
use crate::http::cache_policy::{Keep, digest, keep, not_modified};
use crate::http::negotiation;
use crate::http::style::{self, Origin, Shown};
use crate::layer::registry;
use crate::style::document::{self, Checked, MOST_BYTES};
use crate::style::library;
use crate::style::store::{Metadata, Stored, Writing, no_style, taken};

pub const MBS: &str = "application/vnd.mapbox.style+json";
pub const STYLES: &str = "http://www.opengis.net/def/rel/ogc/1.0/styles";
const SPECIFICATION: &str = "https://maplibre.org/maplibre-style-spec/";
/// Characters of a text of the metadata, and keywords, at most.
const MOST_TEXT: usize = 4000;
const MOST_KEYWORDS: usize = 50;

/// One style of a list.
struct Entry {
    id: String,
    title: String,
}

impl Entry {
    fn kept(style: &Stored) -> Entry {
        Entry { id: style.id.to_string(), title: style.title().to_owned() }
    }
}

pub async fn list(mut ask: Ask) -> Answer {
    let format = super::format(&mut ask)?;
    ask.parameters.clone().finish()?;
    let brought = library::names().into_iter().filter_map(|id| {
        let title = style::by_id(&ask, &id).ok()?.title;
        Some(Entry { id, title })
    });
    let kept = ask.app.styles.all();
    let kept = kept.iter().filter(|kept| style::is_seen(&ask, kept)).map(|kept| Entry::kept(kept));
    let styles: Vec<Entry> = brought.chain(kept).collect();
    Ok(listed(&ask, "/ogc/styles", &styles, Some("base"), format))
}

/// The styles that draw a layer: its own by its id, and those that departments keep.
pub async fn of_collection(mut ask: Ask, Path(id): Path<String>) -> Answer {
    let drawn = ask.view(&id)?;
    let format = super::format(&mut ask)?;
    ask.parameters.clone().finish()?;
    let mut styles = vec![Entry { id: id.clone(), title: ask.language.pick(&drawn.layer.title).to_owned() }];
    styles.extend(style::kept_of_layer(&ask, &id).iter().map(|kept| Entry::kept(kept)));
    let chosen = drawn.layer.default_style.as_deref().filter(|chosen| styles.iter().any(|s| s.id == *chosen));
    let default = chosen.unwrap_or(&id).to_owned();
    Ok(listed(&ask, &format!("/ogc/collections/{id}/styles"), &styles, Some(&default), format))
}

fn listed(ask: &Ask, path: &str, styles: &[Entry], default: Option<&str>, format: Format) -> Response {
    if format == Format::Html {
        let rows = styles.iter().map(|s| {
            let marked = if default == Some(&s.id) { html::word(ask, "（默认）", " (default)") } else { "" };
            let address = format!("{path}/{}?f=html", s.id);
            format!("<li>{}{marked} <code>{}</code>", html::link(ask, &address, &s.title), html::escape(&s.id))
        });
        let list: String = rows.collect();
        return page(ask, html::word(ask, "样式", "Styles"), &format!("<ul>{list}</ul>"));
    }
    let entries = styles.iter().map(|s| {
        let url = format!("{}{path}/{}", ask.base, s.id);
        json!({"id": s.id, "title": s.title, "links": [
            link(format!("{url}?f=mbs"), "stylesheet", MBS, "MapLibre style"),
            link(format!("{url}?f=html"), "preview", "text/html", "Preview"),
            link(format!("{url}/metadata"), "describedby", "application/json", "Style metadata"),
        ]})
    });
    let links = self_links(ask, path, format, "application/json");
    let mut document = json!({ "styles": entries.collect::<Vec<_>>(), "links": links });
    if let Some(default) = default {
        document["default"] = default.into();
    }
    ask.json("application/json", document)
}

/// The two representations of a style.
#[derive(Clone, Copy, PartialEq, Eq)]
enum As {
    Style,
    Page,
}

fn representation(ask: &mut Ask) -> Result<As> {
    match ask.parameters.take("f")?.as_deref() {
        Some("mbs" | "mapbox" | "json" | MBS | "application/json") => Ok(As::Style),
        Some("html" | "text/html") => Ok(As::Page),
        Some(_) => Err(Error::invalid("f", "样式的格式为 mbs 或 html", "a style is offered as mbs and html")
            .hint("可用：mbs（MapLibre 样式）、html", "choose mbs (a MapLibre style) or html")),
        None if negotiation::representation(&ask.headers, super::OFFERED) == Some(1) => Ok(As::Page),
        None => Ok(As::Style),
    }
}

pub async fn get(mut ask: Ask, Path(id): Path<String>) -> Answer {
    let wanted = representation(&mut ask)?;
    ask.parameters.clone().finish()?;
    let shown = style::by_id(&ask, &id)?;
    Ok(answer(&ask, &format!("/ogc/styles/{id}"), &shown, wanted))
}

pub async fn get_of_collection(mut ask: Ask, Path((layer, id)): Path<(String, String)>) -> Answer {
    let shown = shown_of_collection(&ask, &layer, &id)?;
    let wanted = representation(&mut ask)?;
    ask.parameters.clone().finish()?;
    Ok(answer(&ask, &format!("/ogc/collections/{layer}/styles/{id}"), &shown, wanted))
}

fn shown_of_collection(ask: &Ask, layer: &str, id: &str) -> Result<Shown> {
    let drawn = ask.view(layer)?;
    let style = style::named_of_layer(ask, &drawn, id).ok_or_else(no_style)?;
    match ask.app.styles.get(id).filter(|_| id != layer) {
        Some(kept) => Ok(Shown { title: kept.title().to_owned(), style, origin: Origin::Stored(kept) }),
        None => {
            let title = ask.language.pick(&drawn.layer.title).to_owned();
            Ok(Shown { title, style, origin: Origin::Layer(Box::new(drawn)) })
        }
    }
}

fn answer(ask: &Ask, path: &str, shown: &Shown, wanted: As) -> Response {
    if wanted == As::Page {
        return preview(ask, path, shown);
    }
    let document = ask.carried.links(shown.style.clone());
    let etag = etag(shown, &document);
    not_modified(&ask.headers, &etag, Keep::Private)
        .unwrap_or_else(|| keep(json_response(MBS, &document), Keep::Private, Some(&etag)))
}

/// Before the dash the version of a kept style, which If-Match names; behind it what this reader gets of it.
fn etag(shown: &Shown, document: &Value) -> String {
    let version = match &shown.origin {
        Origin::Stored(kept) => kept.version,
        _ => 0,
    };
    format!("W/\"{version}-{}\"", digest(&[document.to_string().as_bytes()]))
}

fn preview(ask: &Ask, path: &str, shown: &Shown) -> Response {
    let layers = document::drawn(&shown.style);
    let rows: String = layers
        .iter()
        .map(|(layer, shape)| {
            let title = ask.view(layer).map(|d| ask.language.pick(&d.layer.title).to_owned()).unwrap_or_default();
            format!(
                "<tr><td>{}<td>{}<td>{shape}",
                html::link(ask, &format!("/ogc/collections/{layer}"), layer),
                html::escape(&title)
            )
        })
        .collect();
    let list = layers.iter().map(|(layer, _)| layer.as_str()).collect::<Vec<_>>().join(",");
    let address = format!("{path}?f=mbs");
    let style = ask.carried.url(&address);
    let bbox = extent(ask, &layers).map(|bbox| format!("{bbox:?}"));
    let mut attributes = vec![("style", style.as_str())];
    attributes.extend(bbox.as_deref().map(|bbox| ("bbox", bbox)));
    let map = html::map(ask, "first-small", &attributes);
    let body = format!(
        "<p>{} · {} · <a href=\"/?l={}\">{}</a></p><div class=two><div class=scroll><table class=list>\
         <tr><th>{}<th>{}<th>{}{rows}</table></div><div>{map}</div></div>",
        html::link(ask, &address, "MapLibre style"),
        html::link(ask, &format!("{path}/metadata?f=html"), html::word(ask, "元数据", "Metadata")),
        html::escape(&list),
        html::word(ask, "在一张图中看", "On the map"),
        html::word(ask, "图层", "Layer"),
        html::word(ask, "名称", "Title"),
        html::word(ask, "类型", "Shape"),
    );
    page(ask, &shown.title, &body)
}

/// Where the layers are of which the reader sees the whole.
fn extent(ask: &Ask, layers: &[(String, &'static str)]) -> Option<[f64; 4]> {
    let whole = |id: &String| {
        let drawn = ask.view(id).ok()?;
        drawn.layer.state().bbox.filter(|_| drawn.grant.scope().is_all())
    };
    let around = |a: [f64; 4], b: [f64; 4]| [a[0].min(b[0]), a[1].min(b[1]), a[2].max(b[2]), a[3].max(b[3])];
    layers.iter().filter_map(|(id, _)| whole(id)).reduce(around)
}

pub async fn metadata(mut ask: Ask, Path(id): Path<String>) -> Answer {
    let format = super::format(&mut ask)?;
    ask.parameters.clone().finish()?;
    let shown = style::by_id(&ask, &id)?;
    Ok(metadata_answer(&ask, &format!("/ogc/styles/{id}"), &id, &shown, format))
}

pub async fn metadata_of_collection(mut ask: Ask, Path((layer, id)): Path<(String, String)>) -> Answer {
    let shown = shown_of_collection(&ask, &layer, &id)?;
    let format = super::format(&mut ask)?;
    ask.parameters.clone().finish()?;
    Ok(metadata_answer(&ask, &format!("/ogc/collections/{layer}/styles/{id}"), &id, &shown, format))
}

fn metadata_answer(ask: &Ask, path: &str, id: &str, shown: &Shown, format: Format) -> Response {
    let document = describe(ask, path, id, shown);
    if format == Format::Html {
        let rows: String =
            ["id", "title", "description", "keywords", "pointOfContact", "license", "created", "updated", "version"]
                .iter()
                .filter_map(|name| Some((name, document.get(*name)?)))
                .map(|(name, value)| {
                    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                    format!("<tr><th>{name}<td>{}", html::escape(&text))
                })
                .collect();
        return page(ask, &shown.title, &format!("<table>{rows}</table>"));
    }
    let document = ask.carried.links(document);
    let etag = etag(shown, &document);
    not_modified(&ask.headers, &etag, Keep::Private)
        .unwrap_or_else(|| keep(json_response("application/json", &document), Keep::Private, Some(&etag)))
}

fn describe(ask: &Ask, path: &str, id: &str, shown: &Shown) -> Value {
    let url = format!("{}{path}", ask.base);
    let mut document = match &shown.origin {
        Origin::Stored(kept) => {
            let mut said = json!(kept.metadata);
            said["created"] = kept.created.clone().into();
            said["updated"] = kept.updated.clone().into();
            said["version"] = kept.version.to_string().into();
            said["department"] = (&*kept.department).into();
            said
        }
        Origin::Layer(drawn) => json!({
            "description": ask.language.pick(&drawn.layer.description), "updated": drawn.layer.updated,
            "department": drawn.layer.department,
        }),
        Origin::Library => json!({}),
    };
    let layers = document::drawn(&shown.style).into_iter().map(|(layer, shape)| {
        let data = link(format!("{}/ogc/collections/{layer}", ask.base), "start", "application/json", &layer);
        json!({"id": layer, "type": shape, "sampleData": data})
    });
    document["id"] = id.into();
    document["title"] = shown.title.clone().into();
    document["scope"] = "style".into();
    document["layers"] = layers.collect();
    document["stylesheets"] = json!([{
        "title": "MapLibre style", "version": "8", "specification": SPECIFICATION, "native": true,
        "link": link(format!("{url}?f=mbs"), "stylesheet", MBS, "MapLibre style"),
    }]);
    let mut links = self_links(ask, &format!("{path}/metadata"), Format::Json, "application/json");
    links.push(link(format!("{url}?f=html"), "preview", "text/html", "Preview"));
    document["links"] = links.into();
    document
}

/// Keeps a new style. Its id is the document's `id`, else what its name gives, else one of ours.
pub async fn create(mut ask: Ask, bytes: Bytes) -> Answer {
    let department = ask.app.gate.publisher(&ask.principal)?;
    let dry = dry_run(&mut ask)?;
    let checked = read(&ask, &bytes)?;
    let id = match checked.document["id"].as_str() {
        Some(id) => style_id(id, "id")?,
        None => made_id(&checked.document),
    };
    free(&ask, &id)?;
    if ask.app.styles.get(&id).is_some() {
        return Err(taken(&id).into());
    }
    if dry {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let writing = Writing { by: &ask.principal, department: &department, expected: None };
    ask.app.styles.put(&writing, &id, &checked, true).await?;
    made(&ask, &id)
}

fn made(ask: &Ask, id: &str) -> Answer {
    let location = format!("{}/ogc/styles/{id}", ask.base);
    let location = HeaderValue::from_str(&location).map_err(Error::internal)?;
    Ok((StatusCode::CREATED, [(header::LOCATION, location)]).into_response())
}

/// Keeps a style under this id, new or in the place of the one that is there.
pub async fn put(mut ask: Ask, Path(id): Path<String>, bytes: Bytes) -> Answer {
    let department = ask.app.gate.publisher(&ask.principal)?;
    let id = style_id(&id, "style")?;
    let dry = dry_run(&mut ask)?;
    match ask.app.styles.get(&id) {
        Some(kept) => own(&ask, &kept)?,
        None => free(&ask, &id)?,
    }
    let checked = read(&ask, &bytes)?;
    if dry {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let expected = expected(&ask.headers)?;
    let writing = Writing { by: &ask.principal, department: &department, expected: expected.as_deref() };
    match ask.app.styles.put(&writing, &id, &checked, false).await? {
        true => made(&ask, &id),
        false => Ok(StatusCode::NO_CONTENT.into_response()),
    }
}

pub async fn remove(ask: Ask, Path(id): Path<String>) -> Answer {
    ask.parameters.clone().finish()?;
    let (department, id) = mine(&ask, &id)?;
    let expected = expected(&ask.headers)?;
    let writing = Writing { by: &ask.principal, department: &department, expected: expected.as_deref() };
    ask.app.styles.remove(&writing, &id).await?;
    ask.app.refresh().await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Changes what is said of a style (RFC 7396): a member that is null is taken away.
pub async fn patch_metadata(ask: Ask, Path(id): Path<String>, bytes: Bytes) -> Answer {
    ask.parameters.clone().finish()?;
    let (department, id) = mine(&ask, &id)?;
    let patch: Value = body(&bytes)?;
    let expected = expected(&ask.headers)?;
    let writing = Writing { by: &ask.principal, department: &department, expected: expected.as_deref() };
    ask.app.styles.describe(&writing, &id, |before| merged(before, &patch)).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn merged(before: Metadata, patch: &Value) -> Result<Metadata> {
    let mut value = serde_json::to_value(before)?;
    let (Some(members), Some(patch)) = (value.as_object_mut(), patch.as_object()) else {
        return Err(Error::invalid("body", "应为 JSON 对象", "it must be a JSON object"));
    };
    for (name, given) in patch {
        match given {
            Value::Null => _ = members.remove(name),
            given => _ = members.insert(name.clone(), given.clone()),
        }
    }
    let metadata: Metadata = serde_json::from_value(value).map_err(|e| {
        Error::invalid("body", format!("元数据有误：{e}"), format!("the metadata is wrong: {e}")).hint(
            "可用：title、description、keywords、pointOfContact、license",
            "its members are title, description, keywords, pointOfContact and license",
        )
    })?;
    let texts = [&metadata.title, &metadata.description, &metadata.point_of_contact, &metadata.license];
    let keywords = metadata.keywords.iter().flatten();
    let long = |text: &str| text.chars().count() > MOST_TEXT;
    if texts.into_iter().flatten().chain(keywords.clone()).any(|text| long(text)) || keywords.count() > MOST_KEYWORDS {
        return Err(Error::too_large(
            format!("文本最多 {MOST_TEXT} 个字符，关键词最多 {MOST_KEYWORDS} 个"),
            format!("a text has at most {MOST_TEXT} characters, and there are at most {MOST_KEYWORDS} keywords"),
        ));
    }
    Ok(metadata)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Default {
    #[serde(default)]
    default: Option<String>,
}

/// Says which style shows a layer to whoever did not choose one; null gives it back the one that is made for it.
pub async fn choose_default(ask: Ask, Path(layer): Path<String>, bytes: Bytes) -> Answer {
    let grant = ask.edit(&layer)?;
    ask.parameters.clone().finish()?;
    let Default { default } = body(&bytes)?;
    let chosen = default.filter(|id| *id != layer);
    if let Some(id) = &chosen {
        let drawn = ask.view(&layer)?;
        style::named_of_layer(&ask, &drawn, id).ok_or_else(|| {
            Error::invalid("default", "没有绘制该图层的这个样式", "there is no such style that draws this layer")
                .hint("可用的样式见本资源", "this resource lists those that do")
        })?;
    }
    registry::set_default_style(&ask.app.database, &grant, chosen.as_deref()).await?;
    ask.app.refresh().await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// A kept style that the caller's department may change, or why not.
fn mine(ask: &Ask, id: &str) -> Result<(std::sync::Arc<str>, String)> {
    let department = ask.app.gate.publisher(&ask.principal)?;
    match ask.app.styles.get(id) {
        Some(kept) => own(ask, &kept)?,
        None => free(ask, id).and(Err(no_style()))?,
    }
    Ok((department, id.to_owned()))
}

/// What is another's is forbidden to whoever sees it, and not there for the rest.
fn own(ask: &Ask, kept: &Stored) -> Result<()> {
    match ask.principal.department.as_deref() {
        None => Err(sign_in()),
        Some(department) if *department == *kept.department => Ok(()),
        Some(_) if style::is_seen(ask, kept) => Err(Error::forbidden(
            "只有保存该样式的单位可以修改它",
            "only the department that keeps this style may change it",
        )
        .hint("可另存为新的样式", "keep a copy of it under another id")),
        Some(_) => Err(taken(&kept.id)),
    }
}

/// Refuses for a new style the ids of what onemap brings along and of layers that the caller knows of: these have styles already.
fn free(ask: &Ask, id: &str) -> Result<()> {
    let brought = library::names().iter().any(|name| name == id);
    let layer = ask.app.gate.standing(&ask.principal, id) != crate::access::policy::Standing::Unknown;
    if brought || layer {
        return Err(Error::conflict(
            format!("{id} 是平台内置样式或图层的标识，不能用于保存样式"),
            format!("{id} is the id of a built-in style or of a layer; it cannot be that of a kept style"),
        )
        .hint(
            "请换一个标识，再用 PATCH /ogc/collections/{图层}/styles 设为默认样式",
            "choose another id, and make it the layer's default by PATCH /ogc/collections/{layer}/styles",
        ));
    }
    Ok(())
}

fn dry_run(ask: &mut Ask) -> Result<bool> {
    let dry = ask.parameters.take_parsed("dry-run", "true 或 false", "true or false")?.unwrap_or(false);
    ask.parameters.clone().finish()?;
    Ok(dry)
}

/// The style in a body, over layers that the caller reads.
fn read(ask: &Ask, bytes: &Bytes) -> Result<Checked> {
    let media = ask.headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or("application/json");
    let media = media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if ![MBS, "application/json", "application/vnd.maplibre.style+json"].contains(&media.as_str()) {
        return Err(Error::unsupported(
            "样式须以 MapLibre 样式（JSON）提交",
            "styles are taken as MapLibre styles, in JSON",
        )
        .hint(format!("Content-Type: {MBS}"), format!("Content-Type: {MBS}")));
    }
    if bytes.len() > MOST_BYTES {
        let kib = MOST_BYTES >> 10;
        return Err(Error::too_large(format!("样式超过 {kib} KiB"), format!("the style is larger than {kib} KiB")));
    }
    let checked = document::check(body(bytes)?, &ask.base)?;
    for layer in &checked.layers {
        ask.view(layer).map_err(|_| {
            Error::invalid(
                "sources",
                format!("没有可读的图层 {layer}"),
                format!("there is no layer {layer} that you may read"),
            )
        })?;
    }
    // Then also what a map would draw nothing for is refused.
    if negotiation::prefers(&ask.headers, "handling=strict") {
        known_fields(ask, &checked)?;
    }
    Ok(checked)
}

/// Refuses expressions that get a field which their layer does not have.
fn known_fields(ask: &Ask, checked: &Checked) -> Result<()> {
    for (i, layer) in checked.document["layers"].as_array().into_iter().flatten().enumerate() {
        let drawn = document::drawn(&json!({"sources": checked.document["sources"], "layers": [layer]}));
        let Some(drawn) = drawn.first().and_then(|(id, _)| ask.view(id).ok()) else { continue };
        let mut asked = vec![];
        for part in ["filter", "paint", "layout"] {
            document::fields(&layer[part], &mut asked);
        }
        if let Some(name) = asked.iter().find(|name| drawn.layer.state().field(name).is_none()) {
            let at = format!("layers[{i}]");
            let shown: String = name.chars().take(60).collect();
            let layer = &drawn.layer.id;
            return Err(Error::invalid(
                &at,
                format!("样式有误，{at}：图层 {layer} 没有字段 {shown}"),
                format!("the style is wrong at {at}: the layer {layer} has no field {shown}"),
            ));
        }
    }
    Ok(())
}

/// The versions that If-Match allows, all without it: a style is its department's own. What is no version of ours allows none.
fn expected(headers: &HeaderMap) -> Result<Option<Vec<i64>>> {
    if !headers.contains_key(header::IF_MATCH) {
        return Ok(None);
    }
    Ok(if_match(headers)?.map(|tags| tags.iter().map(|tag| tag.parse().unwrap_or(-1)).collect()))
}

fn made_id(document: &Value) -> String {
    let name = document["name"].as_str().unwrap_or_default().to_ascii_lowercase();
    let words: Vec<&str> = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let id: String = words.join("-").chars().take(50).collect();
    let ours = || format!("style-{}", &uuid::Uuid::new_v4().simple().to_string()[..10]);
    style_id(&id, "name").ok().filter(|id| id.len() >= 3).unwrap_or_else(ours)
}

/// What is fit to be a style's id: what is fit to be a layer's, whose default styles go by theirs.
fn style_id(id: &str, parameter: &str) -> Result<String> {
    registry::layer_id(id).map_err(|_| {
        Error::invalid(
            parameter,
            "样式标识只能用小写字母、数字、- 和 _，以字母或数字开头，最多 63 个字符，且不能是保留的标识",
            "a style's id has lower-case letters, digits, - and _, starts with a letter or digit, has at most 63 characters and is not reserved",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_made_id_is_one_that_may_be_kept() {
        assert_eq!(made_id(&json!({"name": "City at Night!"})), "city-at-night");
        for name in ["Catalogue", "夜间", "--", ""] {
            let id = made_id(&json!({ "name": name }));
            assert!(id.starts_with("style-") && style_id(&id, "id").is_ok(), "{name}: {id}");
        }
    }
}
