//! XML from strangers: what is read at all, and how its elements are gone through.

use roxmltree::{Document, Error, Node, ParsingOptions};

use crate::fault::{Fault, Result};

/// The longest document that is read.
const MAX_BYTES: usize = 256 * 1024;
/// The most elements within elements.
const MAX_DEPTH: usize = 100;
const MAX_NODES: u32 = 50_000;
/// Reading attributes costs their number squared where one element has them all.
const MAX_ATTRIBUTES: usize = 5_000;

/// Reads a document of a limited size and depth that has no document type.
pub fn document(text: &str) -> Result<Document<'_>> {
    if text.len() > MAX_BYTES {
        return Err(Fault::new("XML 过长，最多 256 KiB", "the XML is too long: at most 256 KiB are read"));
    }
    if text.bytes().filter(|byte| *byte == b'=').count() > MAX_ATTRIBUTES {
        return Err(Fault::new("XML 属性过多", "the XML has too many attributes"));
    }
    let options = ParsingOptions { nodes_limit: MAX_NODES, ..ParsingOptions::default() };
    let document = Document::parse_with_options(text, options).map_err(malformed)?;
    if depth(&document) > MAX_DEPTH {
        let (zh, en) =
            (format!("XML 嵌套超过 {MAX_DEPTH} 层"), format!("the XML is nested deeper than {MAX_DEPTH} elements"));
        return Err(Fault::new(zh, en));
    }
    Ok(document)
}

/// How many elements the innermost is in, itself among them; found without recursion.
fn depth(document: &Document<'_>) -> usize {
    let (mut deepest, mut depth) = (1, 1);
    let mut node = document.root_element();
    loop {
        if let Some(inner) = node.first_element_child() {
            (node, depth) = (inner, depth + 1);
            deepest = deepest.max(depth);
            continue;
        }
        node = loop {
            if let Some(next) = node.next_sibling_element() {
                break next;
            }
            match node.parent_element() {
                Some(outer) if depth > 1 => (node, depth) = (outer, depth - 1),
                _ => return deepest,
            }
        };
    }
}

fn malformed(error: Error) -> Fault {
    let place = error.pos();
    let (zh, en) = match error {
        Error::DtdDetected => ("不接受带 DOCTYPE 的 XML", "XML with a document type is not read".to_owned()),
        Error::NodesLimitReached => ("XML 元素过多", "the XML has too many elements".to_owned()),
        Error::UnknownNamespace(prefix, _) => {
            ("XML 使用了未声明的命名空间前缀", format!("the XML uses the prefix {prefix} without declaring it"))
        }
        Error::UnknownEntityReference(..) => ("XML 使用了未知实体", "the XML names an unknown entity".to_owned()),
        _ => ("XML 格式不正确", "the XML is not well-formed".to_owned()),
    };
    Fault { at: Some((place.row, place.col)), zh: zh.into(), en }
}

/// The elements right inside of a node.
pub fn children<'a, 'i>(node: Node<'a, 'i>) -> impl Iterator<Item = Node<'a, 'i>> {
    node.children().filter(Node::is_element)
}

/// The first element of a name right inside of a node, whatever its namespace.
pub fn child<'a, 'i>(node: Node<'a, 'i>, name: &str) -> Option<Node<'a, 'i>> {
    children(node).find(|child| child.tag_name().name() == name)
}

/// The text of an element, its parts on either side of comments put together.
pub fn text(node: Node<'_, '_>) -> String {
    node.children().filter(Node::is_text).filter_map(|part| part.text()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_harm_is_refused() {
        let laughs = r#"<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><l>&b;</l>"#;
        let outside = r#"<!DOCTYPE l [<!ENTITY x SYSTEM "file:///etc/passwd">]><l>&x;</l>"#;
        for text in [laughs, outside, "<!DOCTYPE l SYSTEM 'http://x/y.dtd'><l/>"] {
            assert!(document(text).unwrap_err().en.contains("document type"), "{text}");
        }
        let deep = |n: usize| format!("{}{}", "<a>".repeat(n), "</a>".repeat(n));
        assert!(document(&deep(MAX_DEPTH)).is_ok());
        assert!(document(&deep(MAX_DEPTH + 1)).unwrap_err().en.contains("nested deeper"));
        assert!(document(&deep(30_000)).is_err());
        let many = format!("<a>{}</a>", "<b/>".repeat(MAX_NODES as usize));
        assert!(document(&many).unwrap_err().en.contains("too many"));
        assert!(document(&format!("<a>{}</a>", " ".repeat(MAX_BYTES))).is_err());
        let attributes: String = (0..6_000).map(|i| format!(" a{i}='1'")).collect();
        assert!(document(&format!("<a{attributes}/>")).unwrap_err().en.contains("attributes"));
        for text in ["", "<a>", "a", "<a>&x;</a>", "<p:a/>", "<a/><b/>", "<a b=1/>", "\u{0}"] {
            assert!(document(text).is_err(), "{text}");
        }
    }
}
