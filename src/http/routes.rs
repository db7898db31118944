//! The only route table. Each row says who may come in at all; what they see inside is decided by grants.

use std::future::{Ready, ready};

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::handler::Handler;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, MethodRouter, on};
use futures_util::future::Either;

use super::address::{csv, jobs as address_jobs, parse, reverse, search};
use super::api::{
    accounts, address_sources, annotations, audit, catalogue, certificates, classify, exports, grants, identify, jobs,
    keys, layers, nearest, notifications, oidc, overlay, people, photos, print, records, requests, session, signed,
    simulation, summary, themes, uploads,
};
use super::ows::{wms, wmts};
use super::problem::Problem;
use super::{api, assets, examples, health, map, ogc, ows, tile};
use crate::access::gate::sign_in;
use crate::access::principal::{Principal, Role, Who};
use crate::app::App;
use crate::error::Error;

/// Who may call a route at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anybody. Layers in the answer are those the caller may see.
    Open,
    /// Anybody, for a layer named in the path: 404 for what one may not know of, 403 for what one may request.
    Layer,
    /// Whoever is signed in or has a key.
    Department,
    /// A person's session.
    Person,
    /// A person who publishes for the department.
    Publisher,
    /// A person who manages the department's people and keys.
    KeyManager,
    /// A person who gives and takes grants for the department.
    Approver,
    /// A person who looks at the evidence of accesses: an auditor, or a department's administrator for what concerns the department.
    Auditor,
    /// An auditor: what concerns all departments at once.
    PlatformAuditor,
    /// A person who runs the platform.
    Administrator,
}

impl Access {
    /// Refuses whoever may not enter.
    pub fn check(self, principal: &Principal) -> Result<(), Error> {
        let role = principal.role();
        let allowed = match self {
            Access::Open | Access::Layer => true,
            Access::Department => !principal.is_anonymous(),
            Access::Person => matches!(principal.who, Who::Person { .. }),
            Access::Publisher => role.is_some_and(|r| r.publishes()),
            Access::KeyManager => role.is_some_and(|r| r.manages_keys()),
            Access::Approver => role.is_some_and(|r| r.decides()),
            Access::Auditor => matches!(role, Some(Role::Auditor | Role::DepartmentAdministrator)),
            Access::PlatformAuditor => role == Some(Role::Auditor),
            Access::Administrator => role == Some(Role::PlatformAdministrator),
        };
        match allowed {
            true => Ok(()),
            false if principal.is_anonymous() => Err(sign_in()),
            false => Err(Error::forbidden("当前身份无权使用此功能", "your role does not allow this")
                .hint("请联系本单位管理员", "ask your department's administrator")),
        }
    }
}

pub struct Route {
    pub method: &'static str,
    pub path: &'static str,
    pub access: Access,
    /// What it does, for the OpenAPI document.
    pub summary: &'static str,
    /// Whether the handler reads the body as it comes, up to a limit of its own.
    streams: bool,
    /// The handler behind its door, which knows whether the route streams.
    handler: Box<dyn Fn(Door) -> MethodRouter<App>>,
}

/// What axum reads of a body that a handler takes as a whole.
const BODY: u64 = 2 * 1024 * 1024;

/// What every request to a route passes.
#[derive(Clone, Copy)]
struct Door {
    access: Access,
    streams: bool,
}

impl Door {
    /// Refuses whoever may not enter, and a body that is announced as too large before any of it is read.
    fn admit(self, request: &Request) -> Result<(), Error> {
        let anonymous = Principal::anonymous();
        self.access.check(request.extensions().get::<Principal>().unwrap_or(&anonymous))?;
        let length = request.headers().get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse::<u64>().ok());
        match length {
            Some(length) if length > BODY && !self.streams => {
                Err(Error::too_large("请求内容过大，上限 2 MiB", "the request's body is too large: 2 MiB at most"))
            }
            _ => Ok(()),
        }
    }
}

/// A handler behind its door: a middleware of each route would cost every request a box and a copy of the route.
#[derive(Clone)]
struct Guarded<H> {
    door: Door,
    handler: H,
}

impl<T, H: Handler<T, App>> Handler<T, App> for Guarded<H> {
    type Future = Either<Ready<Response>, H::Future>;

    fn call(self, request: Request, app: App) -> Self::Future {
        match self.door.admit(&request) {
            Ok(()) => Either::Right(self.handler.call(request, app)),
            Err(e) => Either::Left(ready(Problem(e).into_response())),
        }
    }
}

fn route<H, T>(method: &'static str, path: &'static str, access: Access, summary: &'static str, handler: H) -> Route
where
    H: Handler<T, App>,
    T: 'static,
{
    let filter = match method {
        "POST" => MethodFilter::POST,
        "PUT" => MethodFilter::PUT,
        "PATCH" => MethodFilter::PATCH,
        "DELETE" => MethodFilter::DELETE,
        "HEAD" => MethodFilter::HEAD,
        "OPTIONS" => MethodFilter::OPTIONS,
        _ => MethodFilter::GET,
    };
    let handler = Box::new(move |door| on(filter, Guarded { door, handler: handler.clone() }));
    Route { method, path, access, summary, streams: false, handler }
}

impl Route {
    /// Takes bodies of any length: the handler streams them and has a limit of its own.
    fn unlimited(mut self) -> Route {
        self.streams = true;
        self
    }

    fn router(&self) -> MethodRouter<App> {
        let router = (self.handler)(Door { access: self.access, streams: self.streams });
        if self.streams { router.layer(DefaultBodyLimit::disable()) } else { router }
    }
}

/// Every route of the server.
#[rustfmt::skip]
pub fn table() -> Vec<Route> {
    use Access::*;
    vec![
        route("GET", "/healthz", Open, "Whether the process runs", health::alive),
        route("GET", "/readyz", Open, "Whether it can answer", health::ready),
        route("GET", "/metrics", Open, "Prometheus metrics", health::metrics),

        route("GET", "/ogc", Open, "Landing page", ogc::common::landing),
        route("GET", "/ogc/", Open, "Landing page", ogc::common::landing),
        route("GET", "/ogc/page.js", Open, "The script of the pages", ogc::html::script),
        route("GET", "/ogc/conformance", Open, "Conformance classes", ogc::common::conformance),
        route("GET", "/ogc/functions", Open, "Functions that a filter may call", ogc::functions::functions),
        route("GET", "/ogc/api", Open, "OpenAPI of the OGC endpoints", ogc::openapi::document),
        route("GET", "/ogc/collections", Open, "Collections", ogc::common::collections),
        route("GET", "/ogc/collections/catalogue", Open, "The catalogue of layers", ogc::records::catalogue),
        route("GET", "/ogc/collections/catalogue/items", Open, "Records of layers", ogc::records::items),
        route("GET", "/ogc/collections/catalogue/items/{record}", Open, "A record", ogc::records::item),
        route("GET", "/ogc/collections/catalogue/queryables", Open, "What records are found by", ogc::records::queryables),
        route("GET", "/ogc/collections/catalogue/sortables", Open, "What records are sorted by", ogc::records::sortables),
        route("GET", "/ogc/collections/catalogue/schema", Open, "The schema of records", ogc::records::record_schema),
        route("GET", "/ogc/collections/catalogue/facets", Open, "What records are counted by", ogc::records::facets),
        route("GET", "/ogc/collections/{layer}", Layer, "A collection", ogc::common::collection),
        route("GET", "/ogc/collections/{layer}/schema", Layer, "The schema of a collection's features", ogc::schemas::schema),
        route("GET", "/ogc/collections/{layer}/queryables", Layer, "The fields that a filter may name", ogc::schemas::queryables),
        route("GET", "/ogc/collections/{layer}/sortables", Layer, "The fields to sort by", ogc::schemas::sortables),
        route("GET", "/ogc/collections/{layer}/items", Layer, "Features", ogc::features::items),
        route("POST", "/ogc/collections/{layer}/items", Layer, "Add a feature", ogc::transactions::create),
        route("OPTIONS", "/ogc/collections/{layer}/items", Layer, "What one may do with features", ogc::transactions::items_options),
        route("OPTIONS", "/ogc/collections/{layer}/items/{feature}", Layer, "What one may do with a feature", ogc::transactions::item_options),
        route("GET", "/ogc/collections/{layer}/items/{feature}", Layer, "A feature", ogc::features::item),
        route("PUT", "/ogc/collections/{layer}/items/{feature}", Layer, "Replace a feature", ogc::transactions::replace),
        route("PATCH", "/ogc/collections/{layer}/items/{feature}", Layer, "Change some of a feature", ogc::transactions::update),
        route("DELETE", "/ogc/collections/{layer}/items/{feature}", Layer, "Delete a feature", ogc::transactions::delete),
        route("GET", "/ogc/collections/{layer}/tiles", Layer, "Tilesets of a collection", ogc::tiles::collection_tilesets),
        route("GET", "/ogc/collections/{layer}/tiles/{set}", Layer, "A tileset", ogc::tiles::collection_tileset),
        route("GET", "/ogc/collections/{layer}/tiles/{set}/{z}/{row}/{column}", Layer, "A tile", ogc::tiles::collection_tile),
        route("GET", "/ogc/collections/{layer}/styles", Layer, "Styles of a collection", ogc::styles::of_collection),
        route("PATCH", "/ogc/collections/{layer}/styles", Layer, "Choose a collection's default style", ogc::styles::choose_default),
        route("GET", "/ogc/collections/{layer}/styles/{style}", Layer, "What a style draws of a collection", ogc::styles::get_of_collection),
        route("GET", "/ogc/collections/{layer}/styles/{style}/metadata", Layer, "What is said of a collection's style", ogc::styles::metadata_of_collection),
        route("GET", "/ogc/processes", Open, "Processes", ogc::processes::list),
        route("GET", "/ogc/processes/{process}", Open, "A process", ogc::processes::get),
        route("POST", "/ogc/processes/{process}/execution", Open, "Run a process", ogc::processes::execute),
        route("GET", "/ogc/jobs", Department, "The department's runs of processes", ogc::jobs::list),
        route("GET", "/ogc/jobs/{job}", Department, "The state of a run", ogc::jobs::get),
        route("DELETE", "/ogc/jobs/{job}", Person, "Dismiss a run", ogc::jobs::dismiss),
        route("GET", "/ogc/jobs/{job}/results", Department, "What a run came to", ogc::jobs::results),
        route("GET", "/ogc/styles", Open, "Styles", ogc::styles::list),
        route("POST", "/ogc/styles", Publisher, "Keep a style", ogc::styles::create),
        route("GET", "/ogc/styles/{style}", Open, "A style", ogc::styles::get),
        route("PUT", "/ogc/styles/{style}", Publisher, "Keep or replace a style", ogc::styles::put),
        route("DELETE", "/ogc/styles/{style}", Publisher, "Remove a style", ogc::styles::remove),
        route("GET", "/ogc/styles/{style}/metadata", Open, "What is said of a style", ogc::styles::metadata),
        route("PATCH", "/ogc/styles/{style}/metadata", Publisher, "Change what is said of a style", ogc::styles::patch_metadata),
        route("GET", "/ogc/tiles", Open, "Tilesets of the dataset", ogc::tiles::tilesets),
        route("GET", "/ogc/tiles/{set}", Open, "A tileset of several layers", ogc::tiles::tileset),
        route("GET", "/ogc/tiles/{set}/{z}/{row}/{column}", Open, "A tile of several layers", ogc::tiles::tile),
        route("GET", "/ogc/tileMatrixSets", Open, "Tile matrix sets", ogc::tiles::matrix_sets),
        route("GET", "/ogc/tileMatrixSets/{set}", Open, "A tile matrix set", ogc::tiles::matrix_set),

        route("GET", "/ogc/wfs", Open, "WFS 2.0 and 1.1.0", ows::wfs::get),
        route("POST", "/ogc/wfs", Open, "WFS requests in XML or as a form", ows::wfs::post),
        route("GET", "/wfs", Open, "WFS, where clients guess it", ows::wfs::get),
        route("POST", "/wfs", Open, "WFS, where clients guess it", ows::wfs::post),

        route("GET", "/tiles/{layer}", Layer, "TileJSON of one layer or several (layer.json)", map::tilejson),
        route("GET", "/tiles/{layer}/{set}", Layer, "TileJSON for another tile matrix set (set.json)", map::tilejson_of_set),
        route("GET", "/tiles/{layer}/{z}/{x}/{y}", Layer, "A vector tile (MVT) of one layer or several", tile::tile),
        route("GET", "/tiles/{layer}/{set}/{z}/{x}/{y}", Layer, "A vector tile in another tile matrix set", tile::tile_of_set),
        route("GET", "/styles/{style}", Open, "A MapLibre style", map::style),
        route("GET", "/sprites/{sprite}", Open, "A sprite sheet", map::sprite),
        route("GET", "/fonts/{stack}/{range}", Open, "Glyphs of a font", map::glyphs),

        route("GET", "/ogc/wms", Open, "Web Map Service", wms::get),
        route("POST", "/ogc/wms", Open, "Web Map Service, by a form", wms::post),
        route("GET", "/wms", Open, "Web Map Service", wms::get),
        route("POST", "/wms", Open, "Web Map Service, by a form", wms::post),
        route("GET", "/ogc/wmts", Open, "Web Map Tile Service", wmts::kvp),
        route("GET", "/wmts", Open, "Web Map Tile Service", wmts::kvp),
        route("GET", "/ogc/wmts/1.0.0/WMTSCapabilities.xml", Open, "Capabilities of the Web Map Tile Service", wmts::rest_capabilities),
        route("GET", "/ogc/wmts/1.0.0/{layer}/{style}/{set}/{z}/{row}/{column}", Layer, "A tile as a picture or as vectors", wmts::rest_tile),
        route("GET", "/{grid}/wmts", Open, "A layer's tiles at Tianditu's address", wmts::tianditu::wmts),
        route("GET", "/DataServer", Open, "A layer's tiles at Tianditu's older address", wmts::tianditu::data_server),

        route("GET", "/address/search", Open, "The places that an address may mean", search::search),
        route("GET", "/address/suggest", Open, "What the beginning of an address may become", search::suggest),
        route("GET", "/address/reverse", Open, "The addresses nearest to a place", reverse::reverse),
        route("POST", "/address/parse", Open, "The elements of addresses, without looking them up", parse::parse),
        route("POST", "/address/search/csv", Open, "A file of addresses with their places", csv::search_csv).unlimited(),
        route("POST", "/address/jobs", Person, "Send a file of addresses, or name a layer, to be matched", address_jobs::create).unlimited(),
        route("GET", "/address/jobs", Person, "The department's address jobs", address_jobs::list),
        route("GET", "/address/jobs/{job}", Person, "An address job", address_jobs::get),
        route("POST", "/address/jobs/{job}/start", Person, "Match a draft's rows", address_jobs::start),
        route("POST", "/address/jobs/{job}/pause", Person, "Pause an address job", address_jobs::pause),
        route("POST", "/address/jobs/{job}/resume", Person, "Let a paused address job go on", address_jobs::resume),
        route("POST", "/address/jobs/{job}/cancel", Person, "Cancel an address job", address_jobs::cancel),
        route("POST", "/address/jobs/{job}/rerun", Person, "Match the same rows again, and compare", address_jobs::rerun),
        route("DELETE", "/address/jobs/{job}", Person, "Remove an address job and its results", address_jobs::remove),
        route("GET", "/address/jobs/{job}/rows", Person, "Rows of an address job", address_jobs::rows),
        route("POST", "/address/jobs/{job}/rows/{row}/decision", Person, "Decide on a row", address_jobs::decide),
        route("GET", "/address/jobs/{job}/comparison", Person, "An address job held against the run before", address_jobs::comparison),
        route("GET", "/address/jobs/{job}/counts", Person, "How many rows lie in which division", address_jobs::counts),
        route("GET", "/address/jobs/{job}/export", Person, "The rows with what was found, as a file", address_jobs::export),

        route("GET", "/examples/{example}/", Open, "An example page of the demo", examples::page),
        route("GET", "/examples/{example}/{file}", Open, "A file of an example page", examples::file),

        route("GET", "/api/openapi.json", Open, "This document", api::openapi::document),
        route("POST", "/api/v1/session", Open, "Sign in", session::sign_in),
        route("GET", "/api/v1/session", Person, "Who is signed in", session::who),
        route("DELETE", "/api/v1/session", Open, "Sign out", session::sign_out),
        route("GET", "/api/v1/session/options", Open, "The ways to sign in", session::options),
        route("POST", "/api/v1/session/second-factor", Person, "Show the second factor in a session opened without it", session::second_factor),
        route("GET", "/api/v1/session/oidc", Open, "Go to the identity provider to sign in there", oidc::begin),
        route("GET", "/api/v1/session/oidc/callback", Open, "Come back from the identity provider", oidc::callback),
        route("GET", "/api/v1/departments", Open, "Departments", catalogue::departments),
        route("GET", "/api/v1/topics", Open, "The topics that layers are grouped by", catalogue::topics),
        route("GET", "/api/v1/layers", Open, "The layers one may know of", catalogue::layers),
        route("POST", "/api/v1/layers", Administrator, "Share a table of the database as it stands", layers::register),
        route("GET", "/api/v1/layers/{layer}", Layer, "A layer and its fields", catalogue::layer),
        route("PATCH", "/api/v1/layers/{layer}", Layer, "Change a layer's description or sharing", layers::describe),
        route("GET", "/api/v1/layers/{layer}/legend", Layer, "A layer's legend", map::legend),
        route("GET", "/api/v1/layers/{layer}/revisions", Layer, "A layer's revisions", layers::revisions),
        route("POST", "/api/v1/layers/{layer}/revisions/{number}/publish", Layer, "Publish a revision", layers::publish),
        route("GET", "/api/v1/layers/{layer}/revisions/{number}/preview", Layer, "The first features of a revision", layers::preview),
        route("DELETE", "/api/v1/layers/{layer}/revisions/{number}", Layer, "Discard a staged revision", layers::discard),
        route("POST", "/api/v1/layers/{layer}/rollback", Layer, "Publish an earlier revision again", layers::rollback),
        route("POST", "/api/v1/layers/{layer}/export", Layer, "Export a layer's tiles as PMTiles", exports::begin),
        route("GET", "/api/v1/layers/{layer}/address-source", Layer, "How a layer is searched for addresses", address_sources::get),
        route("PUT", "/api/v1/layers/{layer}/address-source", Layer, "Search a layer for addresses", address_sources::put),
        route("DELETE", "/api/v1/layers/{layer}/address-source", Layer, "Search a layer no more", address_sources::remove),
        route("GET", "/api/v1/address-sources", Open, "The layers that one may search for addresses", address_sources::list),
        route("GET", "/api/v1/annotations", Department, "The annotation layers that one may read", annotations::list),
        route("POST", "/api/v1/annotations", Publisher, "Make a layer to draw on", annotations::create),
        route("DELETE", "/api/v1/annotations/{layer}", Layer, "Remove an annotation layer with its marks", annotations::remove),
        route("POST", "/api/v1/annotations/{layer}/marks", Layer, "Place a mark by its address", annotations::place),
        route("GET", "/api/v1/annotations/{layer}/marks/{feature}/photos", Layer, "The photos of a mark", photos::list),
        route("POST", "/api/v1/annotations/{layer}/marks/{feature}/photos", Layer, "Add a photo to a mark", photos::add).unlimited(),
        route("GET", "/api/v1/annotations/{layer}/marks/{feature}/photos/{photo}", Layer, "A photo, or its thumbnail", photos::get),
        route("DELETE", "/api/v1/annotations/{layer}/marks/{feature}/photos/{photo}", Layer, "Remove a photo", photos::remove),
        route("POST", "/api/v1/classify", Open, "Class breaks of values or of a layer's field", classify::classify).unlimited(),
        route("GET", "/api/v1/division-codes", Open, "Codes of divisions that are no longer in use, with those of today", classify::former_codes),
        route("GET", "/api/v1/themes", Open, "The thematic layers that one may know of", themes::list),
        route("POST", "/api/v1/themes", Publisher, "Make a thematic layer", themes::create).unlimited(),
        route("GET", "/api/v1/themes/{layer}", Layer, "A thematic layer: classes, legend, histogram", themes::get),
        route("PATCH", "/api/v1/themes/{layer}", Layer, "Change what a thematic layer is made of", themes::change).unlimited(),
        route("DELETE", "/api/v1/themes/{layer}", Layer, "Remove a thematic layer", themes::remove),
        route("GET", "/api/v1/themes/{layer}/table", Layer, "The numbers of a thematic layer", themes::table),
        route("POST", "/api/v1/themes/{layer}/refresh", Layer, "Compute a thematic layer anew", themes::refresh),
        route("GET", "/api/v1/identify", Open, "What is at a point", identify::identify),
        route("POST", "/api/v1/print", Open, "Whether layers may be printed, and what is to stand on the sheet", print::sheet),
        route("POST", "/api/v1/nearest", Open, "The features nearest to places", nearest::nearest),
        route("POST", "/api/v1/overlay", Open, "Rows with what layers say of their places, streamed", overlay::overlay).unlimited(),
        route("POST", "/api/v1/overlay/jobs", Person, "The same as a job", overlay::create).unlimited(),
        route("POST", "/api/v1/summary", Open, "Counts, sums, areas and lengths by zone and category", summary::summary),
        route("POST", "/api/v1/summary/jobs", Person, "The same as a job", summary::create),
        route("OPTIONS", "/api/v1/uploads", Open, "What is spoken of tus", uploads::options),
        route("POST", "/api/v1/uploads", Publisher, "Begin an upload (tus)", uploads::create),
        route("GET", "/api/v1/uploads", Publisher, "The department's uploads", uploads::list),
        route("GET", "/api/v1/uploads/{upload}", Publisher, "An upload with its inspection", uploads::get),
        route("HEAD", "/api/v1/uploads/{upload}", Publisher, "How much has arrived (tus)", uploads::offset),
        route("PATCH", "/api/v1/uploads/{upload}", Publisher, "Append bytes (tus)", uploads::append).unlimited(),
        route("DELETE", "/api/v1/uploads/{upload}", Publisher, "Remove an upload", uploads::remove),
        route("POST", "/api/v1/uploads/{upload}/load", Publisher, "Load a layer of the file into a revision", uploads::load),
        route("GET", "/api/v1/address-aliases", Person, "What the department decided for texts", address_jobs::aliases),
        route("DELETE", "/api/v1/address-aliases/{alias}", Person, "Take such a decision back", address_jobs::remove_alias),
        route("GET", "/api/v1/jobs", Person, "The department's jobs", jobs::list),
        route("GET", "/api/v1/jobs/{job}", Person, "A job", jobs::get),
        route("GET", "/api/v1/jobs/{job}/events", Person, "A job's progress as server-sent events", jobs::events),
        route("GET", "/api/v1/jobs/{job}/overlay", Person, "The rows of a finished overlay", overlay::fetch),
        route("DELETE", "/api/v1/jobs/{job}/overlay", Person, "Let go of a finished overlay's rows", overlay::remove),
        route("GET", "/api/v1/jobs/{job}/summary", Person, "The figures of a finished summary", summary::fetch),
        route("GET", "/api/v1/jobs/{job}/tiles.pmtiles", Person, "The file of a finished export", exports::fetch),
        route("DELETE", "/api/v1/jobs/{job}", Person, "Cancel a job", jobs::cancel),
        route("GET", "/api/v1/grants", Person, "Grants that the department gave and holds", grants::list),
        route("POST", "/api/v1/grants", Approver, "Give a grant on a layer of the department", grants::create),
        route("GET", "/api/v1/grants/{grant}", Person, "A grant", grants::get),
        route("DELETE", "/api/v1/grants/{grant}", Approver, "Revoke a grant, or give it back", grants::revoke),
        route("POST", "/api/v1/simulation", Person, "What the rules say of somebody, and which rule", simulation::decide),
        route("POST", "/api/v1/simulation/viewers", Person, "Who may see a layer, a field or a feature", simulation::viewers),
        route("POST", "/api/v1/simulation/grant", Approver, "What a grant would open", simulation::grant),
        route("GET", "/api/v1/audit", Auditor, "Who accessed what: records of accesses", audit::records),
        route("GET", "/api/v1/audit/summary", Auditor, "Figures of use by layer, department, operation and day", audit::totals),
        route("GET", "/api/v1/audit/chains", PlatformAuditor, "How the chains of records stand, and when they were verified", audit::chains),
        route("POST", "/api/v1/audit/exports", Auditor, "Export records of accesses, signed", audit::begin_export),
        route("GET", "/api/v1/audit/exports/{job}", Auditor, "The file of a finished export", audit::fetch_export),
        route("GET", "/api/v1/keys", KeyManager, "The department's keys", keys::list),
        route("POST", "/api/v1/keys", KeyManager, "Make a key", keys::create),
        route("GET", "/api/v1/people", KeyManager, "People that one manages", people::list),
        route("POST", "/api/v1/people", KeyManager, "Make a person; the first password is in the answer", people::create),
        route("GET", "/api/v1/people/{person}", KeyManager, "A person", people::get),
        route("PATCH", "/api/v1/people/{person}", KeyManager, "Change, move or bar a person", people::change),
        route("POST", "/api/v1/people/{person}/password", KeyManager, "Give a person another first password", people::reset_password),
        route("DELETE", "/api/v1/people/{person}/second-factor", KeyManager, "Remove a person's second factor", people::reset_factor),
        route("GET", "/api/v1/people/{person}/certificates", KeyManager, "A person's certificates", certificates::list),
        route("POST", "/api/v1/people/{person}/certificates", KeyManager, "Register a person's certificate by its fingerprint", certificates::register),
        route("DELETE", "/api/v1/people/{person}/certificates/{certificate}", KeyManager, "Revoke a person's certificate", certificates::revoke),
        route("GET", "/api/v1/people/{person}/accounts", KeyManager, "A person's accounts at the identity provider", accounts::list),
        route("POST", "/api/v1/people/{person}/accounts", KeyManager, "Link an account to a person", accounts::link),
        route("DELETE", "/api/v1/people/{person}/accounts/{account}", KeyManager, "Unlink an account", accounts::unlink),
        route("DELETE", "/api/v1/people/{person}/sessions", KeyManager, "Sign a person out everywhere", people::end_sessions),
        route("POST", "/api/v1/departments", Administrator, "Make a department", people::create_department),
        route("POST", "/api/v1/me/password", Person, "Change one's password", people::change_password),
        route("GET", "/api/v1/me/sessions", Person, "One's sessions", people::sessions),
        route("DELETE", "/api/v1/me/sessions/{session}", Person, "End one of one's sessions", people::end_session),
        route("POST", "/api/v1/me/second-factor", Person, "Begin to enrol a second factor", people::enrol),
        route("POST", "/api/v1/me/second-factor/confirm", Person, "Confirm it by a first code", people::confirm),
        route("DELETE", "/api/v1/me/second-factor", Person, "Remove one's second factor", people::remove_factor),
        route("GET", "/api/v1/me/certificates", Person, "One's certificates, and the one that is shown", certificates::own),
        route("POST", "/api/v1/me/certificates", Person, "Register the certificate that is shown", certificates::register_own),
        route("DELETE", "/api/v1/me/certificates/{certificate}", Person, "Revoke one of one's certificates", certificates::revoke_own),
        route("GET", "/api/v1/signed-urls", KeyManager, "The department's signed addresses", signed::list),
        route("POST", "/api/v1/signed-urls", KeyManager, "Sign addresses of maps of some layers", signed::create),
        route("DELETE", "/api/v1/signed-urls/{kid}", KeyManager, "Revoke a signed address", signed::revoke),
        route("POST", "/api/v1/keys/{key}/rotate", KeyManager, "Put another key in a key's place", keys::rotate),
        route("DELETE", "/api/v1/keys/{key}", KeyManager, "Revoke a key", keys::revoke),

        route("GET", "/api/v1/catalogue", Open, "Search the catalogue of resources", records::search),
        route("POST", "/api/v1/catalogue", Publisher, "Write a record of what is no layer", records::create),
        route("GET", "/api/v1/catalogue/scores", Department, "How well the catalogue is kept", records::scores),
        route("GET", "/api/v1/catalogue/export", Department, "The department's records as a file", records::export),
        route("POST", "/api/v1/catalogue/import", Publisher, "Take a file of the department's records", records::import).unlimited(),
        route("GET", "/api/v1/catalogue/{code}", Open, "A record of the catalogue", records::get),
        route("PATCH", "/api/v1/catalogue/{code}", Publisher, "Change a record", records::change),
        route("DELETE", "/api/v1/catalogue/{code}", Publisher, "Remove a record of what is no layer", records::remove),
        route("POST", "/api/v1/catalogue/{code}/fields", Publisher, "Take over the fields of the layer's revision", records::accept_fields),

        route("GET", "/api/v1/requests", Person, "Requests for layers that one knows of", requests::list),
        route("POST", "/api/v1/requests", Person, "Write a request", requests::create),
        route("POST", "/api/v1/requests/decisions", Person, "Decide on many requests", requests::decide),
        route("GET", "/api/v1/requests/{request}", Person, "A request", requests::get),
        route("PATCH", "/api/v1/requests/{request}", Person, "Change a draft or a returned request", requests::edit),
        route("DELETE", "/api/v1/requests/{request}", Person, "Discard a draft that was never submitted", requests::discard),
        route("POST", "/api/v1/requests/{request}/submit", Person, "Submit a request", requests::submit),
        route("POST", "/api/v1/requests/{request}/withdraw", Person, "Take a submitted request back", requests::withdraw),
        route("POST", "/api/v1/requests/{request}/return", Person, "Return a request to be mended", requests::send_back),
        route("POST", "/api/v1/requests/{request}/approve", Person, "Approve a request, in full or in part", requests::approve),
        route("POST", "/api/v1/requests/{request}/reject", Person, "Reject a request", requests::reject),
        route("POST", "/api/v1/requests/{request}/revoke", Person, "Revoke what a request was granted", requests::revoke),
        route("POST", "/api/v1/requests/{request}/surrender", Person, "Give back what a request was granted", requests::surrender),
        route("GET", "/api/v1/requests/{request}/history", Person, "What happened to a request", requests::history),
        route("PUT", "/api/v1/requests/{request}/attachment", Person, "Attach a file to a request", requests::attach).unlimited(),
        route("GET", "/api/v1/requests/{request}/attachment", Person, "A request's file", requests::attached),
        route("GET", "/api/v1/approval-steps", Person, "Who decides on requests for the department's layers", requests::steps),
        route("PUT", "/api/v1/approval-steps", KeyManager, "Say who decides on them", requests::set_steps),
        route("GET", "/api/v1/calendar/{year}", Person, "Holidays and weekends that are worked", requests::calendar),
        route("PUT", "/api/v1/calendar/{year}", Administrator, "Set a year's holidays", requests::set_calendar),
        route("GET", "/api/v1/notifications", Person, "One's notifications", notifications::list),
        route("POST", "/api/v1/notifications/read", Person, "Mark notifications as read", notifications::read),
        route("GET", "/api/v1/notifications/events", Person, "New notifications as server-sent events", notifications::events),
        route("GET", "/api/v1/webhooks", KeyManager, "The department's webhooks", notifications::webhooks),
        route("POST", "/api/v1/webhooks", KeyManager, "Add a webhook", notifications::create_webhook),
        route("DELETE", "/api/v1/webhooks/{webhook}", KeyManager, "Remove a webhook", notifications::remove_webhook),
    ]
}

/// The table as a router; whatever it does not name is the portal or a 404.
pub fn router() -> Router<App> {
    let mut router = Router::new();
    for route in table() {
        router = router.route(route.path, route.router());
    }
    router.fallback(assets::portal)
}
