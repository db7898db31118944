//! The links of a page of features, and its counts.

use serde_json::{Value, json};

use super::query::ItemsQuery;
use super::{link, relation};
use crate::feature::cursor::Cursor;
use crate::feature::geojson::Page;
use crate::http::ask::Ask;
use crate::http::carried::Carried;
use crate::layer::order::{Direction, Place, SortKey};

pub const GEOJSON: &str = "application/geo+json";

/// Addresses of one query's pages.
#[derive(Clone)]
pub struct Pages {
    base: String,
    collection: String,
    pairs: Vec<(String, String)>,
    carried: Carried,
    sort: Vec<SortKey>,
    cursor: Option<Cursor>,
    /// Whether it begins with the first feature of all.
    begins: bool,
}

impl Pages {
    pub fn new(ask: &Ask, collection: &str, query: &ItemsQuery) -> Pages {
        let kept = form_urlencoded::parse(ask.query.as_bytes()).filter(|(n, _)| n != "cursor" && n != "f");
        Pages {
            base: ask.base.clone(),
            collection: collection.to_owned(),
            pairs: kept.map(|(n, v)| (n.into_owned(), v.into_owned())).collect(),
            carried: ask.carried.clone(),
            sort: query.selection.sort.clone(),
            cursor: query.cursor.clone(),
            begins: query.selection.after.is_none(),
        }
    }

    /// The page that was asked for, in another format.
    pub fn this(&self, f: &str) -> String {
        self.address(self.cursor.as_ref(), f)
    }

    /// The page after this one.
    pub fn next(&self, page: &Page, f: &str) -> Option<String> {
        Some(self.at(page.next.clone()?, Direction::Forwards, f))
    }

    /// The page before this one, if this is not the first.
    pub fn previous(&self, page: &Page, f: &str) -> Option<String> {
        let first = page.first.clone().filter(|_| !self.begins)?;
        Some(self.at(first, Direction::Backwards, f))
    }

    /// The page that was asked for with parameters set, or left out; from the beginning when that changes the order.
    pub fn this_as(&self, changes: &[(&str, Option<&str>)], f: &str) -> String {
        let mut other = self.clone();
        for (name, value) in changes {
            other.pairs.retain(|(n, _)| n != name);
            other.pairs.extend(value.map(|v| ((*name).to_owned(), v.to_owned())));
            if *name == "sortby" {
                other.cursor = None;
            }
        }
        other.this(f)
    }

    /// All of the selection, in another format.
    pub fn whole(&self, f: &str) -> String {
        Pages { cursor: None, ..self.clone() }.this_as(&[("limit", None)], f)
    }

    fn at(&self, place: Place, direction: Direction, f: &str) -> String {
        self.address(Some(&Cursor { direction, place }), f)
    }

    fn address(&self, cursor: Option<&Cursor>, f: &str) -> String {
        let mut q = form_urlencoded::Serializer::new(String::new());
        q.extend_pairs(&self.pairs).append_pair("f", f);
        if let Some(cursor) = cursor {
            q.append_pair("cursor", &cursor.encode(&self.sort));
        }
        format!("{}/ogc/collections/{}/items?{}", self.base, self.collection, q.finish())
    }

    /// The members after the features (OGC 17-069r4, 7.15.8 and 7.16): links, counts, time. `known` is the number of all features
    /// that match, when it is known beforehand.
    pub fn members(&self, page: &Page, known: Option<i64>) -> Value {
        let mut links = vec![
            link(self.this("json"), "self", GEOJSON, "This page"),
            link(self.this("html"), "alternate", "text/html", "This page as HTML"),
        ];
        if let Some(next) = self.next(page, "json") {
            links.push(link(next, "next", GEOJSON, "Next page"));
        }
        if let Some(previous) = self.previous(page, "json") {
            links.push(link(previous, "prev", GEOJSON, "Previous page"));
        }
        let collection = format!("{}/ogc/collections/{}", self.base, self.collection);
        links.push(link(collection.clone(), "collection", "application/json", "The collection"));
        links.push(link(format!("{collection}/schema"), relation::SCHEMA, "application/schema+json", "Schema"));
        let mut members = json!({
            "numberReturned": page.returned,
            "timeStamp": jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            "links": links,
        });
        // Exact or left out: known beforehand, or seen because the first page is the whole.
        let whole = self.begins && page.next.is_none();
        if let Some(matched) = known.or(whole.then_some(page.returned as i64)) {
            members["numberMatched"] = matched.into();
        }
        self.carried.links(members)
    }
}
