//! Features as GML: an element of the layer's own with an element for each property.

use std::sync::Arc;

use tokio_postgres::Row;

use super::values::{self, Ewkb};
use crate::error::Result;
use crate::geo::crs::Crs;
use crate::geo::ewkb::Layout;
use crate::geo::gml::{Frame, write_gml};
use crate::layer::model::{Field, FieldType};

/// How a layer's features are written. Names are XML names already.
#[derive(Debug, Clone)]
pub struct Writer {
    /// The feature's element.
    pub element: String,
    /// What a `gml:id` begins with: the feature's own number follows.
    pub id: String,
    /// The fields of the rows, each with its element.
    pub fields: Arc<[(Field, String)]>,
    /// The element of the geometry; none when it is not wanted.
    pub geometry: Option<String>,
    pub crs: Crs,
    /// Escaped.
    pub srs_name: String,
    /// GML 3.2 gives each geometry an id.
    pub geometry_ids: bool,
}

impl Writer {
    /// Appends one feature. Column 0 of the row is the id, column 1 the geometry, the fields follow. What has no value is left out.
    /// `attributes` go into the feature's element.
    pub fn feature(&self, out: &mut Vec<u8>, row: &Row, attributes: &str) -> Result<()> {
        let id = self.gml_id(row)?;
        out.push(b'<');
        push(out, &self.element);
        push(out, " gml:id=\"");
        push(out, &id);
        out.push(b'"');
        push(out, attributes);
        out.push(b'>');
        self.geometry(out, row, &id)?;
        for index in 0..self.fields.len() {
            self.property(out, row, index)?;
        }
        close(out, &self.element);
        Ok(())
    }

    pub fn gml_id(&self, row: &Row) -> Result<String> {
        Ok(format!("{}.{}", self.id, row.try_get::<_, i64>(0)?))
    }

    /// Appends the geometry's element; false when there is nothing to write.
    pub fn geometry(&self, out: &mut Vec<u8>, row: &Row, id: &str) -> Result<bool> {
        let Some(element) = &self.geometry else { return Ok(false) };
        let Some(Ewkb(ewkb)) = row.try_get::<_, Option<Ewkb<'_>>>(1)? else { return Ok(false) };
        let start = out.len();
        open(out, element);
        let id = self.geometry_ids.then(|| format!("{id}.g"));
        let layout = Layout { swapped: self.crs.swapped, decimals: if self.crs.is_geographic() { 9 } else { 4 } };
        let frame = Frame { layout, srs_name: &self.srs_name, id: id.as_deref() };
        // Triangles and surfaces of solids are no simple features; one of them must not hide the whole layer.
        let written = write_gml(out, ewkb, frame).unwrap_or_else(|_| {
            tracing::warn!("a feature of {} has a geometry that is no simple feature", self.element);
            false
        });
        match written {
            true => close(out, element),
            false => out.truncate(start),
        }
        Ok(written)
    }

    /// Appends the element of a field; false when the row has no value.
    pub fn property(&self, out: &mut Vec<u8>, row: &Row, index: usize) -> Result<bool> {
        let (field, element) = &self.fields[index];
        let start = out.len();
        open(out, element);
        let written = value(out, row, index + 2, field.kind)?;
        match written {
            true => close(out, element),
            false => out.truncate(start),
        }
        Ok(written)
    }
}

fn value(out: &mut Vec<u8>, row: &Row, column: usize, kind: FieldType) -> Result<bool> {
    match kind {
        FieldType::Text => match row.try_get::<_, Option<&str>>(column)? {
            Some(text) => escape(text, |part| push(out, part)),
            None => return Ok(false),
        },
        FieldType::Float => match row.try_get::<_, Option<f64>>(column)? {
            // As XML Schema spells them.
            Some(value) if value.is_nan() => push(out, "NaN"),
            Some(value) if value.is_infinite() => push(out, if value > 0.0 { "INF" } else { "-INF" }),
            Some(value) => push(out, ryu::Buffer::new().format_finite(value)),
            None => return Ok(false),
        },
        _ => match values::text(row, column, kind)? {
            Some(text) => push(out, &text),
            None => return Ok(false),
        },
    }
    Ok(true)
}

fn push(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(text.as_bytes());
}

fn open(out: &mut Vec<u8>, element: &str) {
    out.push(b'<');
    push(out, element);
    out.push(b'>');
}

fn close(out: &mut Vec<u8>, element: &str) {
    push(out, "</");
    push(out, element);
    out.push(b'>');
}

/// Writes a text as it may stand in content and in attributes. What XML 1.0 cannot write at all (2.2) becomes U+FFFD.
pub fn escape(text: &str, mut write: impl FnMut(&str)) {
    let mut clean = 0;
    for (at, character) in text.char_indices() {
        let written = match character {
            '&' => "&amp;",
            '<' => "&lt;",
            '>' => "&gt;",
            '"' => "&quot;",
            // A reader of attributes would take them for spaces, and a return for the end of a line anywhere.
            '\t' => "&#9;",
            '\n' => "&#10;",
            '\r' => "&#13;",
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => "\u{fffd}",
            _ => continue,
        };
        write(&text[clean..at]);
        write(written);
        clean = at + character.len_utf8();
    }
    write(&text[clean..]);
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn texts_are_escaped_and_stay_well_formed() {
        for (text, expected) in [
            ("青岛 <b> & ]]>", "青岛 &lt;b&gt; &amp; ]]&gt;"),
            ("a\r\nb\t\"c\"", "a&#13;&#10;b&#9;&quot;c&quot;"),
            ("\u{1}x\u{ffff}", "\u{fffd}x\u{fffd}"),
            ("", ""),
        ] {
            let mut out = String::new();
            escape(text, |part| out.push_str(part));
            assert_eq!(out, expected);
        }
    }
}
