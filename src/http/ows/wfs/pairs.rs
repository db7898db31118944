//! A request in key-value pairs (09-025r2, 7 to 14).

use super::request::{
    Filter, Get, MOST_IDS, MOST_QUERIES, MOST_TYPES, Query, Request, Result, Version, limited, operation, resolve,
    result_type, stored,
};
use crate::error::Said;
use crate::http::ows::exception::{Code, Fault};
use crate::http::ows::kvp::{Kvp, not};
use crate::http::ows::names::local;

pub fn read(kvp: &Kvp) -> Result<(Version, Request)> {
    kvp.service("WFS")?;
    let name = operation(kvp.request()?)?;
    kvp.required("service")?;
    if name == "GetCapabilities" {
        let accepted = names(kvp.list("acceptversions")?);
        let version = Version::negotiated(&accepted, kvp.get("version")?)?;
        return Ok((version, Request::GetCapabilities { sections: lower(kvp.list("sections")?) }));
    }
    let version = Version::required(kvp.get("version")?)?;
    let request = match name {
        "DescribeFeatureType" => Request::DescribeFeatureType {
            types: limited("typenames", type_names(kvp)?.into_iter().flatten().collect(), MOST_TYPES)?,
            format: kvp.get("outputformat")?.map(str::to_owned),
        },
        "GetFeature" => Request::GetFeature(get(kvp)?),
        "GetPropertyValue" => Request::GetPropertyValue(get(kvp)?, kvp.required("valuereference")?.to_owned()),
        "ListStoredQueries" => Request::ListStoredQueries,
        _ => Request::DescribeStoredQueries(limited("storedquery_id", names(kvp.list("storedquery_id")?), 10)?),
    };
    Ok((version, request))
}

fn get(kvp: &Kvp) -> Result<Get> {
    resolve(kvp.get("resolve")?)?;
    let count = match kvp.integer("count", 0..=i64::MAX)? {
        Some(count) => Some(count),
        None => kvp.integer("maxfeatures", 0..=i64::MAX)?,
    };
    Ok(Get {
        queries: queries(kvp)?,
        count,
        start: kvp.integer("startindex", 0..=i64::MAX)?.unwrap_or(0),
        hits: result_type(kvp.get("resulttype")?)?,
        format: kvp.get("outputformat")?.map(str::to_owned),
    })
}

fn queries(kvp: &Kvp) -> Result<Vec<Query>> {
    if let Some(id) = stored_query(kvp)? {
        return Ok(vec![Query { srs_name: srs_name(kvp)?, ..stored(id, kvp.get("id")?)? }]);
    }
    let ids = match kvp.list("resourceid")? {
        None => kvp.list("featureid")?,
        given => given,
    };
    let ids = ids.map(|ids| limited("resourceid", names(Some(ids)), MOST_IDS)).transpose()?;
    let given = [kvp.get("filter")?.is_some(), kvp.get("bbox")?.is_some(), ids.is_some()];
    if given.iter().filter(|given| **given).count() > 1 {
        let said = Said::new("filter、bbox、resourceId 只能给一个", "filter, bbox and resourceId exclude each other");
        return Err(Fault::invalid("filter", said));
    }
    let types = match (type_names(kvp)?, &ids) {
        (types, _) if types.iter().any(|named| !named.is_empty()) => types,
        // The ids tell their types.
        (_, Some(_)) => vec![vec![String::new()]],
        _ => return Err(Fault::missing("typenames")),
    };
    let filters = lists(kvp.get("filter")?, types.len(), "filter")?;
    let properties = lists(kvp.get("propertyname")?, types.len(), "propertyname")?;
    let sorts = lists(kvp.get("sortby")?, types.len(), "sortby")?;
    let bbox = kvp.get("bbox")?.map(bbox).transpose()?;
    let mut queries = vec![];
    for (i, mut named) in types.into_iter().enumerate() {
        if named.len() > 1 {
            return Err(no_joins());
        }
        let filter = match (&ids, &bbox, &filters[i]) {
            (Some(ids), ..) => Some(Filter::Ids(ids.clone())),
            (_, Some((corners, srs)), _) => Some(Filter::Bbox(*corners, srs.clone())),
            (_, _, Some(text)) => Some(Filter::Xml((*text).to_owned())),
            _ => None,
        };
        queries.push(Query {
            layer: named.pop().unwrap_or_default(),
            srs_name: srs_name(kvp)?,
            properties: properties[i].map(property_names).unwrap_or_default(),
            filter,
            sort: sorts[i].map(sort_by).transpose()?.unwrap_or_default(),
            by_id: false,
        });
    }
    limited("typenames", queries, MOST_QUERIES)
}

fn stored_query(kvp: &Kvp) -> Result<Option<&str>> {
    match kvp.get("storedquery_id")? {
        Some(id) => Ok(Some(id)),
        None => kvp.get("storedqueryid"),
    }
}

fn srs_name(kvp: &Kvp) -> Result<Option<String>> {
    Ok(kvp.get("srsname")?.map(str::to_owned))
}

pub fn no_joins() -> Fault {
    let said = Said::new(
        "不支持图层连接；查询多个图层请写 typeNames=(a)(b)",
        "joins are not offered; several layers are asked for by typeNames=(a)(b)",
    );
    Fault::invalid("typenames", said).code(Code::OptionNotSupported)
}

/// The queries' types: `a`, `(a)(b)`; `a,b` is a join. Some clients send the name of an older version beside this one's.
fn type_names(kvp: &Kvp) -> Result<Vec<Vec<String>>> {
    let text = match kvp.get("typenames")? {
        Some(text) => text,
        None => match kvp.get("typename")? {
            Some(text) => text,
            None => return Ok(vec![]),
        },
    };
    // In 1.1.0, and for descriptions, a comma separates queries.
    let separate = !kvp.get("version")?.is_some_and(|v| v.starts_with("2."))
        || kvp.request()?.eq_ignore_ascii_case("DescribeFeatureType");
    let names = |text: &str| text.split(',').map(|n| local(n).to_owned()).filter(|n| !n.is_empty()).collect::<Vec<_>>();
    Ok(match grouped(text) {
        Some(groups) => groups.into_iter().map(names).collect(),
        None if separate => names(text).into_iter().map(|name| vec![name]).collect(),
        None => vec![names(text)],
    })
}

/// `(a)(b)` as its members; none when it is not written so.
fn grouped(text: &str) -> Option<Vec<&str>> {
    let inner = text.trim().strip_prefix('(')?.strip_suffix(')')?;
    Some(inner.split(")(").collect())
}

/// A list for each of the queries: `(a)(b)`, or one for all of them.
fn lists<'a>(text: Option<&'a str>, queries: usize, parameter: &str) -> Result<Vec<Option<&'a str>>> {
    let Some(text) = text else { return Ok(vec![None; queries]) };
    let members = grouped(text).unwrap_or_else(|| vec![text]);
    match members.len() {
        n if n == queries => Ok(members.into_iter().map(|member| Some(member).filter(|m| !m.is_empty())).collect()),
        1 => Ok(vec![Some(members[0]); queries]),
        _ => {
            let said = Said::new("列表的项数与 typeNames 不符", "there are not as many lists as types are named");
            Err(Fault::invalid(parameter, said))
        }
    }
}

fn property_names(text: &str) -> Vec<String> {
    let names = text.split(',').map(|name| local(name.rsplit('/').next().unwrap_or_default()).to_owned());
    names.filter(|name| !name.is_empty() && name != "*").collect()
}

/// `a,b DESC`; 1.1.0 writes `a D`, some clients `a+D`.
fn sort_by(text: &str) -> Result<Vec<(String, bool)>> {
    let keys = text.split(',').filter(|key| !key.trim().is_empty()).map(|key| {
        let (name, order) = key.trim().split_once([' ', '+']).unwrap_or((key.trim(), "ASC"));
        match order.trim().to_ascii_uppercase().as_str() {
            "ASC" | "A" => Ok((local(name).to_owned(), false)),
            "DESC" | "D" => Ok((local(name).to_owned(), true)),
            other => Err(Fault::invalid("sortby", not(other, "ASC 或 DESC", "ASC or DESC"))),
        }
    });
    limited("sortby", keys.collect::<Result<Vec<_>>>()?, 8)
}

/// Four numbers, or six of which the heights are ignored, and perhaps the name of their reference system.
fn bbox(text: &str) -> Result<([f64; 4], Option<String>)> {
    let wrong = || Fault::invalid("bbox", not(text, "x1,y1,x2,y2[,CRS]", "x1,y1,x2,y2[,CRS]"));
    let parts: Vec<&str> = text.split(',').map(str::trim).collect();
    let numbers: Vec<f64> = parts.iter().map_while(|p| p.parse().ok().filter(|v: &f64| v.is_finite())).collect();
    let corners = match numbers[..] {
        [a, b, c, d] => [a, b, c, d],
        [a, b, _, c, d, _] => [a, b, c, d],
        _ => return Err(wrong()),
    };
    match parts[numbers.len()..] {
        [] | [""] => Ok((corners, None)),
        [name] => Ok((corners, Some(name.to_owned()))),
        _ => Err(wrong()),
    }
}

fn names(list: Option<Vec<&str>>) -> Vec<String> {
    list.unwrap_or_default().into_iter().filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

fn lower(list: Option<Vec<&str>>) -> Vec<String> {
    names(list).into_iter().map(|name| name.to_ascii_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::parameters::Parameters;

    fn ask(query: &str) -> Result<Request> {
        let text = format!("service=WFS&version=2.0.0&{query}");
        read(&Kvp::of(Parameters::parse(Some(&text))?)).map(|(_, request)| request)
    }

    fn get(query: &str) -> Result<Get> {
        match ask(&format!("request=GetFeature&{query}"))? {
            Request::GetFeature(get) => Ok(get),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn types_filters_and_lists_go_together() {
        let one =
            get("typeNames=onemap:roads&count=5&startIndex=10&propertyName=name,onemap:kind&sortBy=name+DESC,kind")
                .unwrap();
        assert_eq!((one.count, one.start, one.queries.len()), (Some(5), 10, 1));
        let query = &one.queries[0];
        assert_eq!(
            (query.layer.as_str(), &query.properties[..]),
            ("roads", &["name".to_owned(), "kind".to_owned()][..])
        );
        assert_eq!(query.sort, [("name".to_owned(), true), ("kind".to_owned(), false)]);
        let two = get("typeNames=(a)(b)&filter=(%3Cx/%3E)(%3Cy/%3E)&propertyName=(n)(m)").unwrap();
        assert_eq!(two.queries[1].filter, Some(Filter::Xml("<y/>".into())));
        assert_eq!((two.queries[0].properties[0].as_str(), two.queries[1].properties[0].as_str()), ("n", "m"));
        let boxed = get("typeNames=a&bbox=1,2,3,4,urn:ogc:def:crs:EPSG::4326").unwrap();
        let expected = Filter::Bbox([1.0, 2.0, 3.0, 4.0], Some("urn:ogc:def:crs:EPSG::4326".into()));
        assert_eq!(boxed.queries[0].filter, Some(expected));
        assert_eq!(
            get("resourceId=a.1,a.2").unwrap().queries[0].filter,
            Some(Filter::Ids(vec!["a.1".into(), "a.2".into()]))
        );
        assert!(get("storedQuery_Id=urn:ogc:def:query:OGC-WFS::GetFeatureById&id=a.1").unwrap().queries[0].by_id);
    }

    #[test]
    fn what_is_wrong_is_refused() {
        for query in [
            "",
            "typeNames=a,b",
            "typeNames=a&count=-1",
            "typeNames=a&count=x",
            "typeNames=a&startIndex=-1",
            "typeNames=a&bbox=1,2,3",
            "typeNames=a&bbox=1,2,3,NaN",
            "typeNames=a&bbox=1,2,3,4&filter=%3Cx/%3E",
            "typeNames=a&resultType=some",
            "typeNames=a&sortBy=name+UP",
            "typeNames=(a)(b)&propertyName=(a)(b)(c)",
            "typeNames=a&resolve=all",
            "storedQuery_Id=mine",
            "storedQuery_Id=urn:ogc:def:query:OGC-WFS::GetFeatureById",
        ] {
            assert!(get(query).is_err(), "{query}");
        }
        assert!(ask("request=Transaction").is_err() && ask("request=Nothing").is_err());
        let read_text = |text| read(&Kvp::of(Parameters::parse(Some(text)).unwrap()));
        assert!(read_text("request=GetFeature&service=WFS&typeNames=a").is_err(), "no version");
        assert!(read_text("request=GetCapabilities").is_err(), "no service");
        assert!(read_text("request=GetCapabilities&service=WFS&acceptVersions=9.9,3").is_err());
        let negotiated = read_text("request=GetCapabilities&service=WFS&acceptVersions=9.9,2.0.0").unwrap();
        assert_eq!(negotiated.0, Version::V200);
    }
}
