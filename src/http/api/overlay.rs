//! A department's own rows with what shared layers say of their places: streamed, or as a job.

use axum::body::Body;
use axum::extract::{Path, Request};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use serde_json::json;

use super::{ok, uuid};
use crate::error::{Error, Result};
use crate::http::ask::{Answer, Ask, Language};
use crate::http::attachment;
use crate::http::parameters::Parameters;
use crate::spatial::overlay::input::Format;
use crate::spatial::overlay::{Body as Stream, Columns, Predicate, System, Wanted, output};
use crate::spatial::{Named, NamedWith};

/// Metres, for the nearest.
const FARTHEST: f64 = 100_000.0;
const DEFAULT_FARTHEST: f64 = 10_000.0;
/// Of each layer.
const MOST_NEAREST: i64 = 20;

/// The rows of the body, streamed through.
pub async fn overlay(mut ask: Ask, request: Request) -> Answer {
    let wanted = wanted(&mut ask)?;
    let format = wanted.output;
    let spatial = &ask.app.spatial;
    let plan = spatial.plan(&ask.principal, wanted).await?;
    let body = spatial.overlay(plan, stream(request)).await?;
    Ok(answer(body, format))
}

/// The same as a job: for what takes longer than a connection holds.
pub async fn create(mut ask: Ask, request: Request) -> Answer {
    let wanted = wanted(&mut ask)?;
    let job = ask.app.overlays.put(&ask.principal, wanted, stream(request)).await?;
    Ok((StatusCode::ACCEPTED, ok(&json!({ "job": job }))).into_response())
}

/// A finished job's rows.
pub async fn fetch(ask: Ask, Path(id): Path<String>) -> Answer {
    ask.parameters.clone().finish()?;
    let outcome = ask.app.overlays.result(&ask.principal, uuid(&id)?).await?;
    Ok(answer(outcome.body()?, outcome.format))
}

/// Lets go of a finished job's rows before their hour is over.
pub async fn remove(ask: Ask, Path(id): Path<String>) -> Answer {
    ask.parameters.clone().finish()?;
    let job = uuid(&id)?;
    ask.app.overlays.result(&ask.principal, job).await?;
    ask.app.overlays.forget(job);
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn stream(request: Request) -> Stream {
    request.into_body().into_data_stream().map(|piece| piece.map_err(Error::internal)).boxed()
}

fn answer(body: Stream, format: output::Format) -> Response {
    let mut response = Response::new(Body::from_stream(body));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(format.media()));
    // Compressing would gather pieces before they go out.
    response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("identity"));
    attachment::name(&mut response, ("overlay", "overlay"), format.name());
    response
}

fn wanted(ask: &mut Ask) -> Result<Wanted> {
    let media = ask.headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
    let english = ask.language == Language::English;
    let parameters = &mut ask.parameters;
    let layers = layers(parameters)?;
    let format = match parameters.take("format")? {
        Some(name) => chosen("format", &name, Format::ALL.map(|f| (f.name(), f)))?,
        None => Format::of_media(&media).unwrap_or(Format::GeoJson),
    };
    let output = match parameters.take("f")? {
        Some(name) => chosen("f", &name, output::Format::ALL.map(|f| (f.name(), f)))?,
        None => match format {
            Format::GeoJson => output::Format::GeoJson,
            Format::GeoJsonSeq => output::Format::GeoJsonSeq,
            Format::Csv | Format::Xlsx => output::Format::Csv,
        },
    };
    let columns = Columns {
        lon: parameters.take("lon")?,
        lat: parameters.take("lat")?,
        wkt: parameters.take("wkt")?,
        address: parameters.take("address")?,
    };
    if !format.is_table() && columns != Columns::default() {
        let (zh, en) = ("列名只用于 CSV 与 XLSX", "columns are named for csv and xlsx");
        return Err(Error::invalid("lon", zh, en));
    }
    let all_matches = match parameters.take("matches")? {
        Some(name) => chosen("matches", &name, [("first", false), ("all", true)])?,
        None => false,
    };
    let system = parameters.take("crs")?.map_or(Ok(System::Crs(crate::geo::crs::CRS84)), |crs| System::parse(&crs))?;
    let predicate = predicate(parameters)?;
    parameters.clone().finish()?;
    Ok(Wanted { layers, predicate, all_matches, format, output, system, columns, english })
}

fn predicate(parameters: &mut Parameters) -> Result<Predicate> {
    let most: Option<f64> = parameters.take_parsed("max_distance", "数字", "a number")?;
    let name = parameters.take("predicate")?.unwrap_or_else(|| "intersects".into());
    let k = parameters.take_integer("k", 1..=MOST_NEAREST)?;
    let options = [("intersects", 0), ("within", 1), ("nearest", 2)];
    let chosen = chosen("predicate", &name, options)?;
    for (name, given) in [("max_distance", most.is_some()), ("k", k.is_some())] {
        if chosen != 2 && given {
            return Err(Error::invalid(name, "只用于 predicate=nearest", "it is for predicate=nearest"));
        }
    }
    Ok(match chosen {
        0 => Predicate::Intersects,
        1 => Predicate::Within,
        _ => {
            let most = most.unwrap_or(DEFAULT_FARTHEST);
            if !(most > 0.0 && most <= FARTHEST) {
                let (zh, en) = ("应大于 0，不超过 100000 米", "it must be above 0 and at most 100,000 metres");
                return Err(Error::invalid("max_distance", zh, en));
            }
            Predicate::Nearest { k: k.unwrap_or(1) as usize, most }
        }
    })
}

/// `layers=a,b`, with `fields.a=name,kind` and `filter.a=…` for each.
fn layers(parameters: &mut Parameters) -> Result<Vec<Named>> {
    let list = parameters.take("layers")?.filter(|list| !list.is_empty());
    let list = list.ok_or_else(|| Error::invalid("layers", "缺少此参数", "the parameter is missing"))?;
    list.split(',')
        .map(|id| {
            let fields = parameters.take(&format!("fields.{id}"))?;
            let filter = parameters.take(&format!("filter.{id}"))?;
            let fields = fields.map(|names| names.split(',').filter(|n| !n.is_empty()).map(str::to_owned).collect());
            Ok(Named::With(NamedWith { layer: id.to_owned(), fields, filter }))
        })
        .collect()
}

fn chosen<T: Copy, const N: usize>(parameter: &str, name: &str, options: [(&str, T); N]) -> Result<T> {
    options.iter().find(|(option, _)| *option == name).map(|(_, value)| *value).ok_or_else(|| {
        let all: Vec<&str> = options.iter().map(|(option, _)| *option).collect();
        let (zh, en) = (format!("应为 {} 之一", all.join("、")), format!("it is one of {}", all.join(", ")));
        Error::invalid(parameter, zh, en)
    })
}
