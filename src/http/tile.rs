//! A tile as an answer: its address and parameters read, its coding chosen, its policy said.

use axum::extract::Path;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use onemap_cql2::Filter;

use super::ask::{Answer, Ask};
use super::cache_policy::{Keep, keep, not_modified};
use super::negotiation::{self, MLT, MVT};
use super::parameters::Parameters;
use crate::access::trace;
use crate::error::{Error, Result};
use crate::geo::crs::{CRS84, Crs};
use crate::geo::tms::{TileCoord, TileMatrixSet};
use crate::layer::filter::{self, Language};
use crate::layer::select::visible_fields;
use crate::tile::cache::Format;
use crate::tile::encoding::Encoding;
use crate::tile::render::{Drawn, Picture};

/// `/tiles/{layers}/{z}/{x}/{y}`, also with `.mvt`, `.pbf` or `.mlt`.
pub async fn tile(ask: Ask, Path((ids, z, x, y)): Path<(String, String, String, String)>) -> Answer {
    let drawn = ask.view_many(&ids)?;
    answer(ask, drawn, TileMatrixSet::WebMercatorQuad, [&z, &x, &y]).await
}

/// `/tiles/{layers}/{set}/{z}/{x}/{y}`: the same in another tile matrix set.
pub async fn tile_of_set(
    ask: Ask,
    Path((ids, set, z, x, y)): Path<(String, String, String, String, String)>,
) -> Answer {
    let drawn = ask.view_many(&ids)?;
    answer(ask, drawn, set_named(&set)?, [&z, &x, &y]).await
}

pub fn set_named(id: &str) -> Result<TileMatrixSet> {
    TileMatrixSet::parse(id).ok_or_else(|| {
        let known = TileMatrixSet::ALL.map(TileMatrixSet::id);
        Error::not_found("没有这个瓦片矩阵集", "there is no such tile matrix set")
            .hint(format!("可用：{}", known.join("、")), format!("choose one of {}", known.join(", ")))
    })
}

/// One tile of layers that may be read. `address` is zoom, column, row.
pub async fn answer(mut ask: Ask, drawn: Vec<Drawn>, set: TileMatrixSet, address: [&str; 3]) -> Answer {
    let version = ask.parameters.take("v")?;
    let (row, end) = match address[2].rsplit_once('.') {
        Some((row, end @ ("mvt" | "pbf" | "mlt"))) => (row, Some(end)),
        _ => (address[2], None),
    };
    let asked = format(&mut ask.parameters, end)?;
    let wanted = Wanted::take(&mut ask.parameters, &drawn)?;
    std::mem::take(&mut ask.parameters).finish()?;
    distinct_names(&drawn)?;
    let tile = coordinate(set, [address[0], address[1], row])?;
    trace::tile(set.id(), tile.z, tile.x, tile.y);
    let format = match asked {
        Some(format) => format,
        None => negotiation::tile_format(&ask.headers),
    };
    let picture = wanted.of(tile, format);
    let key = ask.app.tiles.key(&drawn, &picture);
    let encoding = negotiation::encoding(&ask.headers);
    let etag = key.as_ref().map(|key| key.etag(encoding));
    // A version in the address means this picture for ever; only open layers may lie in shared caches.
    let policy = match (ask.is_open_to_all(&drawn), &key, version) {
        (true, Some(key), Some(version)) if version == key.version() => Keep::Forever,
        (true, ..) => Keep::Public,
        (false, ..) => Keep::Private,
    };
    let vary = |response| vary(response, policy, asked.is_none());
    if let Some(response) = etag.as_deref().and_then(|e| not_modified(&ask.headers, e, policy)) {
        return Ok(vary(response));
    }
    let bytes = ask.app.tiles.render(&drawn, &picture, key.as_ref(), encoding).await?;
    let response = match bytes.is_empty() {
        true => StatusCode::NO_CONTENT.into_response(),
        false => {
            let mut response = bytes.into_response();
            let media = if format == Format::Mlt { MLT } else { MVT };
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
            if encoding != Encoding::Identity {
                response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding.name()));
            }
            response
        }
    };
    Ok(vary(keep(response, policy, etag.as_deref())))
}

/// What an answer that is open to all hangs on is its coding, and the format when it was left to Accept; nothing of who asks. The
/// others have the long list that every answer has.
fn vary(mut response: Response, policy: Keep, by_accept: bool) -> Response {
    if policy != Keep::Private {
        let names = if by_accept { "Accept, Accept-Encoding" } else { "Accept-Encoding" };
        response.headers_mut().insert(header::VARY, HeaderValue::from_static(names));
    }
    response
}

/// What is asked for beside the place: the parameters that TileJSON hands on to its tiles.
#[derive(Default)]
pub struct Wanted {
    fields: Option<Vec<String>>,
    filters: Vec<Filter>,
    /// As they were given.
    query: Vec<(&'static str, String)>,
}

impl Wanted {
    pub fn take(parameters: &mut Parameters, drawn: &[Drawn]) -> Result<Wanted> {
        let mut wanted = Wanted::default();
        if let Some(list) = parameters.take("fields")? {
            wanted.fields = Some(fields(&list, drawn)?);
            wanted.query.push(("fields", list));
        }
        if let Some(given) = super::filter::take(parameters, &offered(drawn))? {
            // Every layer of the tile is filtered, so each must have the fields.
            let read = |d: &Drawn| filter::parse(&given, &d.layer, &d.grant);
            wanted.filters = drawn.iter().map(read).collect::<Result<_>>()?;
            if given.language != Language::default() {
                wanted.query.push(("filter-lang", given.language.id().to_owned()));
            }
            if given.crs != CRS84 {
                wanted.query.push(("filter-crs", given.crs.uri()));
            }
            wanted.query.push(("filter", given.text));
        }
        Ok(wanted)
    }

    fn of(self, tile: TileCoord, format: Format) -> Picture {
        Picture { tile, format, fields: self.fields, filters: self.filters }
    }

    /// As a query string, with `v` before it.
    pub fn query(&self, version: Option<String>) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(version.map(|v| ("v", v))).extend_pairs(&self.query);
        let query = query.finish();
        if query.is_empty() { query } else { format!("?{query}") }
    }
}

/// The systems that all the layers are offered in.
fn offered(drawn: &[Drawn]) -> Vec<Crs> {
    let mut lists = drawn.iter().map(|d| Crs::offered(d.layer.state().srid));
    let first = lists.next().unwrap_or_default();
    lists.fold(first, |common, list| common.into_iter().filter(|crs| list.contains(crs)).collect())
}

/// `fields=a,b`: each must be one that the caller sees in one of the layers.
fn fields(list: &str, drawn: &[Drawn]) -> Result<Vec<String>> {
    let mut names: Vec<String> = list.split(',').filter(|n| !n.is_empty()).map(str::to_owned).collect();
    names.sort();
    names.dedup();
    for name in &names {
        let seen =
            drawn.iter().any(|d| visible_fields(d.layer.state(), d.grant.scope()).iter().any(|f| f.name == *name));
        if !seen {
            let shown: String = name.chars().take(60).collect();
            return Err(Error::invalid("fields", format!("没有字段 {shown}"), format!("there is no field {shown}")));
        }
    }
    Ok(names)
}

/// The names a layer has in its tiles: its id; in an archive's those that stand there.
pub fn names(drawn: &Drawn) -> Vec<&str> {
    match &drawn.layer.state().archive {
        None => vec![&drawn.layer.id],
        Some(archive) => archive.layers.iter().map(|l| l.id.as_str()).collect(),
    }
}

/// A vector tile has no two layers of one name.
pub fn distinct_names(drawn: &[Drawn]) -> Result<()> {
    if drawn.len() < 2 {
        return Ok(());
    }
    let mut seen = std::collections::HashSet::new();
    match drawn.iter().flat_map(names).find(|name| !seen.insert(*name)) {
        None => Ok(()),
        Some(name) => Err(Error::invalid(
            "layers",
            format!("所选图层的瓦片中有重名的层 {name}"),
            format!("two of these layers have a layer called {name} in their tiles"),
        )
        .hint("请分别请求这些图层", "ask for them one by one")),
    }
}

/// The format that `f=`, else the end of the address, names; none leaves it to Accept.
fn format(parameters: &mut Parameters, end: Option<&str>) -> Result<Option<Format>> {
    match parameters.take("f")?.as_deref().or(end) {
        None => Ok(None),
        Some("mvt" | "pbf" | MVT) => Ok(Some(Format::Mvt)),
        Some("mlt" | MLT) => Ok(Some(Format::Mlt)),
        Some(_) => Err(Error::invalid("f", "瓦片格式为 mvt 或 mlt", "tiles are offered as mvt and mlt")
            .hint("可用：mvt（也可写作 pbf）、mlt", "choose mvt (pbf is the same) or mlt")),
    }
}

fn coordinate(set: TileMatrixSet, [z, x, y]: [&str; 3]) -> Result<TileCoord> {
    let (z, x, y) = (number(z, "z")?, number(x, "x")?, number(y, "y")?);
    set.tile(z, x, y).ok_or_else(|| {
        let (first, last) = set.zooms().into_inner();
        let (mut zh, mut en) = (format!("z 为 {first}–{last}"), format!("z is {first} to {last}"));
        if set == TileMatrixSet::CGCS2000Quad {
            zh += "（即天地图 c 的级别）";
            en += " (the levels of Tianditu's c grid)";
        }
        if let Some(zoom) = u8::try_from(z).ok().filter(|zoom| set.zooms().contains(zoom)) {
            let (columns, rows) = set.matrix(zoom);
            zh += &format!("；{z} 级有 {columns} 列、{rows} 行，从 0 数起");
            en += &format!("; matrix {z} has {columns} columns and {rows} rows, counted from 0");
        }
        Error::not_found("瓦片超出矩阵范围", "the tile lies outside of the tile matrix set").hint(zh, en)
    })
}

/// A number of a tile's address. One that no `u32` holds is a number all the same: its tile lies outside of every matrix.
fn number(text: &str, name: &str) -> Result<u32> {
    match !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        true => Ok(text.parse().unwrap_or(u32::MAX)),
        false => Err(Error::invalid(name, "瓦片坐标必须是非负整数", "a tile's coordinates are non-negative integers")),
    }
}
