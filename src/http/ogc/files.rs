//! A collection's features as a file: `/items` with the name of a file format in `f=` or its media type in Accept.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;

use super::OFFERED;
use super::features::content_crs;
use super::query::ItemsQuery;
use crate::error::{Error, Result};
use crate::feature::output::{Datum, Encoding, FileFormat, GeometryColumns, How, Order};
use crate::geo::crs::{Crs, STORAGE_SRID, same_coordinates};
use crate::http::ask::Ask;
use crate::http::attachment;
use crate::http::negotiation;
use crate::http::parameters::Parameters;
use crate::layer::model::Title;
use crate::tile::render::Drawn;

/// A file that is asked for.
#[derive(Debug, Clone, Copy)]
pub struct FileQuery {
    pub format: FileFormat,
    pub datum: Option<Datum>,
    how: How,
}

impl FileQuery {
    /// None when JSON or HTML is asked for.
    pub fn take(ask: &mut Ask) -> Result<Option<FileQuery>> {
        let format = match ask.parameters.get("f") {
            Some(name) => FileFormat::parse(name),
            None => accepted(&ask.headers),
        };
        let Some(format) = format else { return Ok(None) };
        let parameters = &mut ask.parameters;
        parameters.take("f")?;
        if parameters.take("cursor")?.is_some() {
            return Err(Error::invalid("cursor", "文件没有分页", "a file has no pages").hint(
                "请去掉 cursor；limit 可限制要素个数",
                "leave out cursor; limit says how many features are wanted",
            ));
        }
        let datum = match format {
            // GeoJSON is in WGS 84, and has no place to say otherwise.
            FileFormat::Sequence => None,
            _ => datum(parameters)?,
        };
        let encoding = if format == FileFormat::Shapefile { encoding(parameters)? } else { Encoding::Utf8 };
        let texts = matches!(format, FileFormat::Csv | FileFormat::Workbook);
        let geometry = if texts { geometry(parameters)? } else { None };
        Ok(Some(FileQuery { format, datum, how: How { encoding, geometry } }))
    }

    /// Refuses what does not go together.
    pub fn check(&self, crs: Crs, drawn: &Drawn) -> Result<()> {
        // Degrees of an older datum are not those that are shifted.
        if self.datum.is_some() && !same_coordinates(crs.srid, STORAGE_SRID) {
            return Err(Error::invalid(
                "datum",
                "datum 只能与 CGCS2000、WGS 84 的经纬度一起使用",
                "datum goes with longitude and latitude of CGCS2000 or WGS 84 only",
            )
            .hint("请去掉 crs 或 datum", "leave out crs, or leave out datum"));
        }
        let point =
            matches!(drawn.layer.state().geometry_type.as_deref(), Some("Point" | "PointZ" | "PointM" | "PointZM"));
        if self.how.geometry == Some(GeometryColumns::Coordinates) && !point {
            return Err(Error::invalid("geometry", "只有点图层能用 lonlat", "only a layer of points has lonlat")
                .hint("可用：wkt、none", "choose wkt or none"));
        }
        Ok(())
    }

    /// Names the formats that there are.
    pub fn hint(error: Error) -> Error {
        let files = FileFormat::ALL.map(FileFormat::name);
        error
            .hint(format!("可用：json、html、{}", files.join("、")), format!("choose json, html, {}", files.join(", ")))
    }
}

/// Whether the request is one for a file: that takes another right than a page.
pub fn are_wanted(ask: &Ask) -> bool {
    match ask.parameters.get("f") {
        Some(name) => FileFormat::parse(name).is_some(),
        None => accepted(&ask.headers).is_some(),
    }
}

/// The file format that Accept likes best, if it is one.
fn accepted(headers: &HeaderMap) -> Option<FileFormat> {
    let offered: Vec<&[&str]> = OFFERED.iter().copied().chain(FileFormat::ALL.map(FileFormat::media)).collect();
    let best = negotiation::representation(headers, &offered)?;
    FileFormat::ALL.get(best.checked_sub(OFFERED.len())?).copied()
}

fn datum(parameters: &mut Parameters) -> Result<Option<Datum>> {
    let Some(name) = parameters.take("datum")? else { return Ok(None) };
    match (Datum::parse(&name), name.as_str()) {
        (Some(datum), _) => Ok(Some(datum)),
        (None, "cgcs2000" | "wgs84") => Ok(None),
        _ => Err(Error::invalid("datum", "没有这种坐标偏移", "there is no such datum").hint(
            "可用：gcj02、bd09（偏移坐标，仅供显示）；不写则为 CGCS2000",
            "choose gcj02 or bd09 (shifted, for display only), or leave it out for CGCS2000",
        )),
    }
}

fn encoding(parameters: &mut Parameters) -> Result<Encoding> {
    match parameters.take("encoding")?.map(|name| name.to_ascii_lowercase()).as_deref() {
        None | Some("utf-8" | "utf8") => Ok(Encoding::Utf8),
        Some("gbk" | "gb2312" | "cp936") => Ok(Encoding::Gbk),
        Some(_) => Err(Error::invalid("encoding", "没有这种编码", "there is no such encoding")
            .hint("可用：utf-8（默认）、gbk", "choose utf-8 (the default) or gbk")),
    }
}

fn geometry(parameters: &mut Parameters) -> Result<Option<GeometryColumns>> {
    match parameters.take("geometry")?.as_deref() {
        None => Ok(None),
        Some("lonlat") => Ok(Some(GeometryColumns::Coordinates)),
        Some("wkt") => Ok(Some(GeometryColumns::Wkt)),
        Some("none") => Ok(Some(GeometryColumns::None)),
        Some(_) => Err(Error::invalid("geometry", "没有这种写法", "a geometry is not written so")
            .hint("可用：lonlat（点）、wkt、none", "choose lonlat (points), wkt or none")),
    }
}

/// The answer: the whole selection, as it is read.
pub async fn deliver(ask: &Ask, drawn: &Drawn, query: ItemsQuery, file: FileQuery) -> Result<Response> {
    let language = ask.language;
    let order = Order {
        layer: &drawn.layer,
        grant: &drawn.grant,
        format: file.format,
        fields: query.fields,
        selection: query.selection,
        crs: query.crs,
        datum: file.datum,
        how: file.how,
        pick: &move |title: &Title| language.pick(title).to_owned(),
    };
    let mut response = respond(ask, order).await?;
    match file.datum {
        None => content_crs(&mut response, query.crs),
        // A shifted system has no URI; nobody shall take it for the one that was asked for.
        Some(datum) => {
            response.headers_mut().insert("content-datum", HeaderValue::from_static(datum.name()));
        }
    }
    Ok(response)
}

/// A file as an answer, with its media type and its name.
pub async fn respond(ask: &Ask, order: Order<'_>) -> Result<Response> {
    let (layer, format) = (order.layer, order.format);
    let suffix = order.datum.map(|d| format!("_{}", d.name())).unwrap_or_default();
    let mut response = Response::new(Body::from_stream(ask.app.downloads.deliver(&ask.app.store, order).await?));
    let media = match format {
        FileFormat::Csv => "text/csv; charset=utf-8; header=present",
        other => other.media()[0],
    };
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
    let title = ask.language.pick(&layer.title);
    attachment::name(
        &mut response,
        (&format!("{}{suffix}", layer.id), &format!("{title}{suffix}")),
        format.extension(),
    );
    Ok(response)
}
