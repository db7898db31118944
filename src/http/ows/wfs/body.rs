//! A request in XML (09-025r2). Elements are known by their local names, so that 1.1.0's are read as well.

use onemap_fes::{Node, children, document, text};

use super::pairs::no_joins;
use super::request::{
    Filter, Get, MOST_QUERIES, MOST_TYPES, Query, Request, Result, Version, limited, operation, resolve, result_type,
    stored,
};
use crate::error::Said;
use crate::http::ows::exception::{Code, Fault};
use crate::http::ows::kvp::not;
use crate::http::ows::names::local;

pub fn read(body: &[u8]) -> Result<(Version, Request)> {
    let text =
        std::str::from_utf8(body).map_err(|_| unreadable(Said::new("请求内容不是 UTF-8", "the body is not UTF-8")))?;
    let document = document(text.trim_start_matches('\u{feff}')).map_err(fault)?;
    let root = document.root_element();
    let name = operation(root.tag_name().name())?;
    match root.attribute("service") {
        Some(service) if service != "WFS" => return Err(Fault::invalid("service", not(service, "WFS", "WFS"))),
        None if name == "GetCapabilities" => return Err(Fault::missing("service")),
        _ => {}
    }
    if name == "GetCapabilities" {
        let accepted = inner(root, "AcceptVersions", "Version");
        let sections = inner(root, "Sections", "Section").into_iter().map(|s| s.to_ascii_lowercase()).collect();
        let version = Version::negotiated(&accepted, root.attribute("version"))?;
        return Ok((version, Request::GetCapabilities { sections }));
    }
    let version = Version::required(root.attribute("version"))?;
    let request = match name {
        "DescribeFeatureType" => {
            let types = children(root).filter(|c| is(*c, "TypeName")).map(|c| local(&self::text(c)).to_owned());
            Request::DescribeFeatureType {
                types: limited("typename", types.collect(), MOST_TYPES)?,
                format: root.attribute("outputFormat").map(str::to_owned),
            }
        }
        "GetFeature" => Request::GetFeature(get(root)?),
        "GetPropertyValue" => {
            let reference = root.attribute("valueReference").filter(|reference| !reference.is_empty());
            let reference = reference.ok_or_else(|| Fault::missing("valueReference"))?;
            Request::GetPropertyValue(get(root)?, reference.to_owned())
        }
        "ListStoredQueries" => Request::ListStoredQueries,
        _ => {
            let ids = children(root).filter(|c| is(*c, "StoredQueryId")).map(|c| self::text(c).trim().to_owned());
            Request::DescribeStoredQueries(limited("StoredQueryId", ids.collect(), 10)?)
        }
    };
    Ok((version, request))
}

/// What `onemap_fes` found wrong, as a report about the body or the filter in it.
pub fn fault(fault: onemap_fes::Fault) -> Fault {
    unreadable(said(&fault))
}

/// The same with its place, as a text.
pub fn said(fault: &onemap_fes::Fault) -> Said {
    let (zh, en) = match fault.at {
        Some((line, column)) => (format!("第 {line} 行第 {column} 列："), format!("line {line}, column {column}: ")),
        None => Default::default(),
    };
    Said::new(zh + &fault.zh, en + &fault.en)
}

fn unreadable(said: Said) -> Fault {
    Fault::invalid("request", said).code(Code::OperationParsingFailed)
}

fn is(node: Node<'_, '_>, name: &str) -> bool {
    node.tag_name().name() == name
}

/// The texts of `<outer><each>…</each></outer>`.
fn inner(root: Node<'_, '_>, outer: &str, each: &str) -> Vec<String> {
    let list = children(root).filter(|c| is(*c, outer)).flat_map(children);
    list.filter(|c| is(*c, each)).map(|c| text(c).trim().to_owned()).collect()
}

fn get(root: Node<'_, '_>) -> Result<Get> {
    let number = |name: &str| -> Result<Option<i64>> {
        let Some(text) = root.attribute(name) else { return Ok(None) };
        let number = text.trim().parse().ok().filter(|n: &i64| *n >= 0);
        number.map(Some).ok_or_else(|| Fault::invalid(name, not(text, "非负整数", "a whole number from 0 on")))
    };
    resolve(root.attribute("resolve"))?;
    let mut queries = vec![];
    for child in children(root) {
        match child.tag_name().name() {
            "Query" => queries.push(query(child)?),
            "StoredQuery" => queries.push(stored_query(child)?),
            _ => {}
        }
    }
    if queries.is_empty() {
        return Err(Fault::missing("Query"));
    }
    Ok(Get {
        queries: limited("Query", queries, MOST_QUERIES)?,
        count: number("count")?.or(number("maxFeatures")?),
        start: number("startIndex")?.unwrap_or(0),
        hits: result_type(root.attribute("resultType"))?,
        format: root.attribute("outputFormat").map(str::to_owned),
    })
}

fn query(node: Node<'_, '_>) -> Result<Query> {
    let types = node.attribute("typeNames").or_else(|| node.attribute("typeName")).unwrap_or_default();
    let mut types = types.split([' ', ',']).map(local).filter(|name| !name.is_empty());
    let layer = types.next().ok_or_else(|| Fault::missing("typeNames"))?.to_owned();
    if types.next().is_some() {
        return Err(no_joins());
    }
    let mut query = Query { layer, srs_name: node.attribute("srsName").map(str::to_owned), ..Query::default() };
    for child in children(node) {
        match child.tag_name().name() {
            "PropertyName" => {
                let path = text(child);
                query.properties.push(local(path.rsplit('/').next().unwrap_or_default()).to_owned());
            }
            "Filter" => query.filter = Some(Filter::Xml(standing_alone(child))),
            "SortBy" => query.sort = sort_by(child)?,
            _ => {}
        }
    }
    limited("PropertyName", std::mem::take(&mut query.properties), 1000).map(|properties| Query { properties, ..query })
}

fn sort_by(node: Node<'_, '_>) -> Result<Vec<(String, bool)>> {
    let mut keys = vec![];
    for key in children(node).filter(|child| is(*child, "SortProperty")) {
        let named = |name| children(key).find(|child| is(*child, name)).map(text);
        let path = named("ValueReference").or_else(|| named("PropertyName")).unwrap_or_default();
        let order = named("SortOrder").unwrap_or_default();
        let descending = match order.trim() {
            "" | "ASC" => false,
            "DESC" => true,
            other => return Err(Fault::invalid("sortby", not(other, "ASC 或 DESC", "ASC or DESC"))),
        };
        keys.push((local(path.rsplit('/').next().unwrap_or_default()).to_owned(), descending));
    }
    limited("sortby", keys, 8)
}

fn stored_query(node: Node<'_, '_>) -> Result<Query> {
    let parameter = children(node).find(|child| {
        let name = child.attribute("name").unwrap_or_default();
        is(*child, "Parameter") && local(name).eq_ignore_ascii_case("id")
    });
    stored(node.attribute("id").unwrap_or_default(), parameter.map(text).as_deref())
}

/// An element as a document: its own text with the prefixes that its surroundings declared.
fn standing_alone(node: Node<'_, '_>) -> String {
    let text = &node.document().input_text()[node.range()];
    let tag = &text[..text.find('>').unwrap_or(text.len())];
    let end = tag.find(|c: char| c.is_ascii_whitespace() || c == '/').unwrap_or(tag.len());
    let mut out = tag[..end].to_owned();
    for namespace in node.namespaces().filter(|namespace| namespace.name() != Some("xml")) {
        let name = namespace.name().map_or("xmlns".to_owned(), |prefix| format!("xmlns:{prefix}"));
        let declared = [format!("{name}="), format!("{name} ")].iter().any(|own| tag.contains(own.as_str()));
        if !declared {
            out.push_str(&format!(" {name}=\""));
            crate::http::ows::xml::escape(namespace.uri(), &mut out);
            out.push('"');
        }
    }
    out.push_str(&text[end..]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMESPACES: &str = r#"xmlns:wfs="http://www.opengis.net/wfs/2.0" xmlns:fes="http://www.opengis.net/fes/2.0" xmlns:o="urn:x-onemap:layer""#;

    fn get(attributes: &str, inner: &str) -> Result<Get> {
        let text = format!(
            r#"<wfs:GetFeature service="WFS" version="2.0.0" {NAMESPACES} {attributes}>{inner}</wfs:GetFeature>"#
        );
        match read(text.as_bytes())? {
            (Version::V200, Request::GetFeature(get)) => Ok(get),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_query_with_everything() {
        let inner = r#"<wfs:Query typeNames="o:roads" srsName="urn:x"><wfs:PropertyName>o:name</wfs:PropertyName>
            <fes:Filter><fes:ResourceId rid="roads.1"/></fes:Filter>
            <fes:SortBy><fes:SortProperty><fes:ValueReference>o:name</fes:ValueReference><fes:SortOrder>DESC</fes:SortOrder></fes:SortProperty></fes:SortBy></wfs:Query>"#;
        let read = get(r#"count="3" startIndex="6" resultType="hits""#, inner).unwrap();
        assert_eq!((read.count, read.start, read.hits), (Some(3), 6, true));
        let query = &read.queries[0];
        assert_eq!((query.layer.as_str(), query.srs_name.as_deref()), ("roads", Some("urn:x")));
        assert_eq!((&query.properties, &query.sort), (&vec!["name".to_owned()], &vec![("name".to_owned(), true)]));
        // The filter brings its prefixes along.
        let Some(Filter::Xml(filter)) = &query.filter else { panic!("{query:?}") };
        let document = document(filter).unwrap();
        assert_eq!(document.root_element().tag_name().name(), "Filter");
    }

    #[test]
    fn what_is_wrong_is_refused() {
        for (attributes, inner) in [
            ("", ""),
            ("count='x'", "<wfs:Query typeNames='a'/>"),
            ("startIndex='-1'", "<wfs:Query typeNames='a'/>"),
            ("", "<wfs:Query/>"),
            ("", "<wfs:Query typeNames='a b'/>"),
            ("", "<wfs:StoredQuery id='x'/>"),
        ] {
            assert!(get(attributes, inner).is_err(), "{attributes} {inner}");
        }
        for body in ["", "<a/>", "<wfs:GetFeature/>", "<Transaction service='WFS' version='2.0.0'/>", "\u{0}"] {
            assert!(read(body.as_bytes()).is_err(), "{body}");
        }
        let laughs = "<!DOCTYPE a [<!ENTITY b 'c'>]><GetFeature service='WFS' version='2.0.0'>&b;</GetFeature>";
        assert!(read(laughs.as_bytes()).is_err());
    }
}
