//! The paths of one collection.

use serde_json::{Map, Value, json};

use super::Paths;
use super::parts::{binary, crs, field, html, json_and_html, of_fields, operation, schema, shared};
use crate::access::grant::{Grant, Read};
use crate::feature::output::FileFormat;
use crate::geo::crs::Crs;
use crate::http::negotiation::{MLT, MVT};
use crate::http::ogc::query::RESERVED;
use crate::http::ogc::schemas::{self, title};
use crate::layer::catalog::Published;
use crate::layer::model::Field;
use crate::layer::select::visible_fields;

pub fn add(paths: &mut Paths<'_>, layer: &Published, grant: &Grant<Read>) {
    let id = &*layer.id;
    let base = format!("/collections/{id}");
    paths.tag(id, paths.ask.language.pick(&layer.title));
    get(paths, &base, ("collection", id), "图层说明", "The collection", &json_and_html(), vec![shared("f")]);
    if layer.state().archive.is_none() {
        let fields: Vec<Field> = visible_fields(layer.state(), grant.scope()).into_iter().cloned().collect();
        let offered = paths.ask.offered(layer, grant);
        features(paths, layer, &base, (&fields, &offered));
    }
    if layer.state().has_tiles() {
        tiles(paths, id, &base);
    }
}

fn get(
    paths: &mut Paths<'_>,
    path: &str,
    (kind, id): (&str, &str),
    zh: &'static str,
    en: &'static str,
    media: &[(&str, Value)],
    parameters: Vec<Value>,
) {
    let summary = paths.word(zh, en);
    paths.add(path, "get", operation(&format!("{kind}.{id}"), id, summary, media, parameters));
}

fn features(paths: &mut Paths<'_>, layer: &Published, base: &str, (fields, offered): (&[Field], &[Crs])) {
    let id = &*layer.id;
    let selection = [
        of_fields("properties", "Of the properties only these", fields, false),
        of_fields("exclude-properties", "All properties but these", fields, false),
        shared("skipGeometry"),
        crs("crs", "The CRS of the answer", offered),
    ];
    let mut parameters = vec![];
    parameters.extend(["limit", "cursor", "bbox"].map(shared));
    parameters.push(crs("bbox-crs", "The CRS of bbox", offered));
    parameters.extend(["datetime", "filter", "filter-lang"].map(shared));
    parameters.push(crs("filter-crs", "The CRS of coordinates in the filter", offered));
    parameters.push(of_fields("sortby", "Fields to sort by, -field for descending", fields, true));
    parameters.extend(selection.iter().cloned());
    parameters.extend(["items-f", "datum", "encoding", "geometry"].map(shared));
    let language = paths.ask.language;
    let own = fields.iter().filter(|f| !RESERVED.contains(&f.name.as_str()));
    parameters.extend(own.map(|f| field(f, title(f, language))));
    let reference = |name: &str| json!({"$ref": format!("#/components/schemas/{name}")});
    let mut many = vec![("application/geo+json", reference("features")), html()];
    many.extend(FileFormat::ALL.map(|format| binary(format.media()[0])));
    get(paths, &format!("{base}/items"), ("items", id), "要素", "Features", &many, parameters);
    let mut parameters = vec![shared("featureId")];
    parameters.extend(selection);
    parameters.push(shared("f"));
    let item = format!("{base}/items/{{featureId}}");
    let one = [("application/geo+json", reference("feature")), html()];
    get(paths, &item, ("item", id), "一个要素", "A feature", &one, parameters);
    let media = [(schemas::MEDIA, json!({"type": "object"})), html()];
    for (name, zh, en) in [
        ("schema", "字段", "The features' schema"),
        ("queryables", "可查询的字段", "Fields that a filter may name"),
        ("sortables", "可排序的字段", "Fields to sort by"),
    ] {
        get(paths, &format!("{base}/{name}"), (name, id), zh, en, &media, vec![shared("f")]);
    }
    if !layer.state().source.registered && paths.ask.edit(id).is_ok() {
        writing(paths, id, base, fields);
    }
}

fn tiles(paths: &mut Paths<'_>, id: &str, base: &str) {
    let json = json_and_html();
    let set = format!("{base}/tiles/{{tileMatrixSetId}}");
    get(paths, &format!("{base}/tiles"), ("tilesets", id), "瓦片集", "Tilesets", &json, vec![shared("f")]);
    get(paths, &set, ("tileset", id), "一个瓦片集", "A tileset", &json, ["tileMatrixSetId", "f"].map(shared).into());
    let tile = format!("{set}/{{tileMatrix}}/{{tileRow}}/{{tileCol}}");
    let parameters =
        ["tileMatrixSetId", "tileMatrix", "tileRow", "tileCol", "fields", "filter", "filter-lang", "tile-f"];
    get(paths, &tile, ("tile", id), "瓦片", "A tile", &[binary(MVT), binary(MLT)], parameters.map(shared).into());
    paths.paths[&tile]["get"]["responses"]["204"] = json!({"description": "An empty tile"});
}

/// What the layer's own editors may do beside reading (Part 4).
fn writing(paths: &mut Paths<'_>, id: &str, base: &str, fields: &[Field]) {
    let properties: Map<String, Value> = fields.iter().map(|f| (f.name.clone(), nullable(schema(f)))).collect();
    let body = |media: &str, required: &[&str]| {
        let mut schema = json!({
            "type": "object",
            "properties": {
                "type": {"type": "string", "enum": ["Feature"]},
                "geometry": {"type": "object", "nullable": true},
                "properties": {"type": "object", "nullable": true, "additionalProperties": false, "properties": properties},
            },
        });
        if !required.is_empty() {
            schema["required"] = json!(required);
        }
        json!({"required": true, "content": {media: {"schema": schema}}})
    };
    let mut add =
        |path: &str, method: &str, (zh, en), (status, done): (&str, &str), shared_: &[&str], body: Option<Value>| {
            let parameters = shared_.iter().map(|name| shared(name)).collect();
            let summary = paths.word(zh, en);
            let mut operation = operation(&format!("{method}.{id}"), id, summary, &[], parameters);
            let problem = json!({"$ref": "#/components/responses/problem"});
            let responses = &mut operation["responses"];
            if let Some(responses) = responses.as_object_mut() {
                responses.remove("200");
                responses.insert(status.into(), json!({ "description": done }));
                let problems: &[&str] =
                    if method == "post" { &["409", "413", "415"] } else { &["409", "412", "413", "415", "428"] };
                responses.extend(problems.iter().map(|status| ((*status).to_owned(), problem.clone())));
            }
            if let Some(body) = body {
                operation["requestBody"] = body;
            }
            paths.add(path, method, operation);
        };
    let (items, item) = (format!("{base}/items"), format!("{base}/items/{{featureId}}"));
    let whole = || Some(body("application/geo+json", &["type", "geometry", "properties"]));
    let done = ("204", "Done");
    add(
        &items,
        "post",
        ("新增要素", "Add a feature"),
        ("201", "Location names the feature"),
        &["Content-Crs"],
        whole(),
    );
    add(&item, "put", ("替换要素", "Replace a feature"), done, &["featureId", "If-Match", "Content-Crs"], whole());
    let patch = Some(body("application/merge-patch+json", &[]));
    add(
        &item,
        "patch",
        ("修改要素", "Change some of a feature"),
        done,
        &["featureId", "If-Match", "Content-Crs"],
        patch,
    );
    add(&item, "delete", ("删除要素", "Delete a feature"), done, &["featureId", "If-Match"], None);
}

fn nullable(mut schema: Value) -> Value {
    schema["nullable"] = true.into();
    schema
}
