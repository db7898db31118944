//! The only route table. Each row says who may come in at all; what they see inside is decided by grants.

use axum::Router;
use axum::extract::Request;
use axum::handler::Handler;
use axum::middleware::{self, Next};
use axum::response::IntoResponse;
use axum::routing::{MethodFilter, MethodRouter, on};

use super::api::{catalogue, identify, jobs, keys, layers, session, uploads};
use super::problem::Problem;
use super::{api, assets, health, map, ogc};
use crate::access::gate::sign_in;
use crate::access::principal::{Principal, Who};
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
    /// A person who manages the department's keys.
    KeyManager,
}

impl Access {
    fn check(self, principal: &Principal) -> Result<(), Error> {
        let role = principal.role();
        let allowed = match self {
            Access::Open | Access::Layer => true,
            Access::Department => !principal.is_anonymous(),
            Access::Person => matches!(principal.who, Who::Person { .. }),
            Access::Publisher => role.is_some_and(|r| r.publishes()),
            Access::KeyManager => role.is_some_and(|r| r.manages_keys()),
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
    router: MethodRouter<App>,
}

fn route<H, T>(method: &'static str, path: &'static str, access: Access, handler: H) -> Route
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
    let check = move |request: Request, next: Next| async move {
        let anonymous = Principal::anonymous();
        let principal = request.extensions().get::<Principal>().unwrap_or(&anonymous);
        match access.check(principal) {
            Ok(()) => next.run(request).await,
            Err(e) => Problem(e).into_response(),
        }
    };
    Route { method, path, access, router: on(filter, handler).route_layer(middleware::from_fn(check)) }
}

/// Every route of the server.
#[rustfmt::skip]
pub fn table() -> Vec<Route> {
    use Access::*;
    vec![
        route("GET", "/healthz", Open, health::alive),
        route("GET", "/readyz", Open, health::ready),
        route("GET", "/metrics", Open, health::metrics),

        route("GET", "/ogc", Open, ogc::common::landing),
        route("GET", "/ogc/", Open, ogc::common::landing),
        route("GET", "/ogc/conformance", Open, ogc::common::conformance),
        route("GET", "/ogc/api", Open, ogc::openapi::document),
        route("GET", "/ogc/collections", Open, ogc::common::collections),
        route("GET", "/ogc/collections/{layer}", Layer, ogc::common::collection),
        route("GET", "/ogc/collections/{layer}/items", Layer, ogc::features::items),
        route("GET", "/ogc/collections/{layer}/items/{feature}", Layer, ogc::features::item),
        route("GET", "/ogc/collections/{layer}/tiles", Layer, ogc::tiles::collection_tilesets),
        route("GET", "/ogc/collections/{layer}/tiles/{set}", Layer, ogc::tiles::collection_tileset),
        route("GET", "/ogc/collections/{layer}/tiles/{set}/{z}/{row}/{column}", Layer, ogc::tiles::collection_tile),
        route("GET", "/ogc/tiles", Open, ogc::tiles::tilesets),
        route("GET", "/ogc/tiles/{set}", Open, ogc::tiles::tileset),
        route("GET", "/ogc/tiles/{set}/{z}/{row}/{column}", Open, ogc::tiles::tile),
        route("GET", "/ogc/tileMatrixSets", Open, ogc::tiles::matrix_sets),
        route("GET", "/ogc/tileMatrixSets/{set}", Open, ogc::tiles::matrix_set),

        route("GET", "/tiles/{layer}", Layer, map::tilejson),
        route("GET", "/tiles/{layer}/{z}/{x}/{y}", Layer, map::tile),
        route("GET", "/styles/{style}", Open, map::style),
        route("GET", "/sprites/{sprite}", Open, map::sprite),
        route("GET", "/fonts/{stack}/{range}", Open, map::glyphs),

        route("GET", "/api/openapi.json", Open, api::openapi::document),
        route("POST", "/api/v1/session", Open, session::sign_in),
        route("GET", "/api/v1/session", Person, session::who),
        route("DELETE", "/api/v1/session", Open, session::sign_out),
        route("GET", "/api/v1/departments", Open, catalogue::departments),
        route("GET", "/api/v1/themes", Open, catalogue::themes),
        route("GET", "/api/v1/layers", Open, catalogue::layers),
        route("POST", "/api/v1/layers", Publisher, layers::register),
        route("GET", "/api/v1/layers/{layer}", Layer, catalogue::layer),
        route("PATCH", "/api/v1/layers/{layer}", Layer, layers::describe),
        route("GET", "/api/v1/layers/{layer}/legend", Layer, map::legend),
        route("GET", "/api/v1/layers/{layer}/revisions", Layer, layers::revisions),
        route("POST", "/api/v1/layers/{layer}/revisions/{number}/publish", Layer, layers::publish),
        route("GET", "/api/v1/layers/{layer}/revisions/{number}/preview", Layer, layers::preview),
        route("DELETE", "/api/v1/layers/{layer}/revisions/{number}", Layer, layers::discard),
        route("POST", "/api/v1/layers/{layer}/rollback", Layer, layers::rollback),
        route("GET", "/api/v1/identify", Open, identify::identify),
        route("OPTIONS", "/api/v1/uploads", Open, uploads::options),
        route("POST", "/api/v1/uploads", Publisher, uploads::create),
        route("GET", "/api/v1/uploads", Publisher, uploads::list),
        route("GET", "/api/v1/uploads/{upload}", Publisher, uploads::get),
        route("HEAD", "/api/v1/uploads/{upload}", Publisher, uploads::offset),
        route("PATCH", "/api/v1/uploads/{upload}", Publisher, uploads::append),
        route("DELETE", "/api/v1/uploads/{upload}", Publisher, uploads::remove),
        route("POST", "/api/v1/uploads/{upload}/load", Publisher, uploads::load),
        route("GET", "/api/v1/jobs", Person, jobs::list),
        route("GET", "/api/v1/jobs/{job}", Person, jobs::get),
        route("GET", "/api/v1/jobs/{job}/events", Person, jobs::events),
        route("DELETE", "/api/v1/jobs/{job}", Person, jobs::cancel),
        route("GET", "/api/v1/keys", KeyManager, keys::list),
        route("POST", "/api/v1/keys", KeyManager, keys::create),
        route("DELETE", "/api/v1/keys/{key}", KeyManager, keys::revoke),
    ]
}

/// The table as a router; whatever it does not name is the portal or a 404.
pub fn router() -> Router<App> {
    let mut router = Router::new();
    for route in table() {
        router = router.route(route.path, route.router);
    }
    router.fallback(assets::portal)
}
