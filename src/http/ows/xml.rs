//! XML as text, well-formed by construction: elements are closures, values are escaped.

use crate::feature::gml;

/// A document under way.
#[derive(Debug, Default)]
pub struct Xml(String);

impl Xml {
    /// With the declaration.
    pub fn document() -> Xml {
        Xml("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned())
    }

    /// An element around whatever `content` writes. `name` is ours, never a caller's text.
    pub fn element(&mut self, name: &str, attributes: &[(&str, &str)], content: impl FnOnce(&mut Xml)) -> &mut Xml {
        self.begin(name, attributes);
        self.0.push('>');
        content(self);
        self.0.push_str("</");
        self.0.push_str(name);
        self.0.push('>');
        self
    }

    /// `<name>text</name>`
    pub fn text(&mut self, name: &str, text: &str) -> &mut Xml {
        self.leaf(name, &[], text)
    }

    /// The same where there is a text.
    pub fn some(&mut self, name: &str, text: Option<&str>) -> &mut Xml {
        match text {
            Some(text) => self.text(name, text),
            None => self,
        }
    }

    /// `<name attribute="…">text</name>`
    pub fn leaf(&mut self, name: &str, attributes: &[(&str, &str)], text: &str) -> &mut Xml {
        self.element(name, attributes, |xml| escape(text, &mut xml.0))
    }

    /// `<name attribute="…"/>`
    pub fn empty(&mut self, name: &str, attributes: &[(&str, &str)]) -> &mut Xml {
        self.begin(name, attributes);
        self.0.push_str("/>");
        self
    }

    fn begin(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.0.push('<');
        self.0.push_str(name);
        for (name, value) in attributes {
            self.0.push(' ');
            self.0.push_str(name);
            self.0.push_str("=\"");
            escape(value, &mut self.0);
            self.0.push('"');
        }
    }

    pub fn finish(self) -> String {
        self.0
    }
}

/// A text as it stands in content and in attributes.
pub fn escape(text: &str, out: &mut String) {
    gml::escape(text, |part| out.push_str(part));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_text_holds_the_document_is_well_formed() {
        let mut xml = Xml::document();
        xml.element("a", &[("b", "\"<&>\n")], |xml| {
            xml.text("c", "x < y && ]]> \u{1} 青岛").empty("d", &[]).some("e", None);
        });
        let expected = "<a b=\"&quot;&lt;&amp;&gt;&#10;\"><c>x &lt; y &amp;&amp; ]]&gt; \u{fffd} 青岛</c><d/></a>";
        assert_eq!(xml.finish().lines().nth(1), Some(expected));
    }
}
