//! A request as an address: what the links to neighbouring pages begin with, also when the request came as XML.

use super::request::{Filter, GET_FEATURE_BY_ID, Get, Query, Version};
use crate::http::ask::Ask;
use crate::http::ows::names::PREFIX;
use crate::http::ows::service::endpoint;

/// Longer addresses are refused by proxies on the way.
const LONGEST: usize = 8000;

/// The request without its page, ending in `&`. None when it is too long for an address.
pub fn base(ask: &Ask, version: Version, operation: &str, get: &Get, reference: Option<&str>) -> Option<String> {
    let mut pairs = form_urlencoded::Serializer::new(String::new());
    pairs.append_pair("service", "WFS").append_pair("version", version.name()).append_pair("request", operation);
    let mut add = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            pairs.append_pair(name, &value);
        }
    };
    add("outputFormat", get.format.clone());
    add("valueReference", reference.map(str::to_owned));
    if let [Query { by_id: true, filter: Some(Filter::Ids(ids)), .. }] = &get.queries[..] {
        add("storedQuery_Id", Some(GET_FEATURE_BY_ID.to_owned()));
        add("id", ids.first().cloned());
    } else {
        add(
            "typeNames",
            each(get, |query| Some(format!("{PREFIX}:{}", query.layer)).filter(|_| !query.layer.is_empty())),
        );
        add("propertyName", each(get, |query| Some(query.properties.join(",")).filter(|names| !names.is_empty())));
        add("sortBy", each(get, |query| Some(order(query)).filter(|order| !order.is_empty())));
        add(
            "filter",
            each(get, |query| match &query.filter {
                Some(Filter::Xml(text)) => Some(text.clone()),
                _ => None,
            }),
        );
    }
    // These are the same for all queries.
    let first = get.queries.first()?;
    add("srsName", first.srs_name.clone());
    match &first.filter {
        Some(Filter::Bbox(corners, name)) => {
            let corners = corners.map(|corner| corner.to_string()).join(",");
            add("bbox", Some(name.as_ref().map_or(corners.clone(), |name| format!("{corners},{name}"))));
        }
        Some(Filter::Ids(ids)) if !first.by_id => add("resourceId", Some(ids.join(","))),
        _ => {}
    }
    let base = format!("{}{}&", endpoint(ask, "/ogc/wfs"), pairs.finish());
    (base.len() <= LONGEST).then_some(base)
}

/// A list for each query: `a`, or `(a)(b)`; none where no query has one.
fn each(get: &Get, one: impl Fn(&Query) -> Option<String>) -> Option<String> {
    let lists: Vec<Option<String>> = get.queries.iter().map(one).collect();
    match &lists[..] {
        _ if lists.iter().all(Option::is_none) => None,
        [only] => only.clone(),
        _ => Some(lists.into_iter().map(|list| format!("({})", list.unwrap_or_default())).collect()),
    }
}

fn order(query: &Query) -> String {
    let keys = query.sort.iter().map(|(name, descending)| format!("{name}{}", if *descending { " DESC" } else { "" }));
    keys.collect::<Vec<_>>().join(",")
}
