//! EWKB as PostGIS sends it, written as GML while it is read: 3.2 (ISO 19136), or 3.1 for older clients.

use super::ewkb::{Cursor, DEEPEST, Head, Layout, Malformed, head, number};

/// How a geometry is written.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    pub layout: Layout,
    /// As the caller named it: the name says the order of the axes.
    pub srs_name: &'a str,
    /// What the `gml:id`s begin with, a name; none in GML 3.1, where geometries need none.
    pub id: Option<&'a str>,
}

/// Appends the geometry as an element in the namespace prefix `gml`. An empty geometry has no form in GML: then nothing is
/// written, and the answer is false.
pub fn write_gml(out: &mut Vec<u8>, ewkb: &[u8], frame: Frame<'_>) -> Result<bool, Malformed> {
    let start = out.len();
    let mut writer = Writer { out, cursor: Cursor::new(ewkb), frame, ids: 0 };
    let written = writer.geometry(0);
    if !matches!(written, Ok(true)) {
        out.truncate(start);
    }
    written
}

struct Writer<'o, 'e, 'f> {
    out: &'o mut Vec<u8>,
    cursor: Cursor<'e>,
    frame: Frame<'f>,
    ids: u32,
}

impl Writer<'_, '_, '_> {
    fn geometry(&mut self, depth: u8) -> Result<bool, Malformed> {
        if depth > DEEPEST {
            return Err(Malformed);
        }
        let head = head(&mut self.cursor)?;
        let outermost = depth == 0;
        match head.kind {
            1 => self.point(&head, outermost),
            2 => self.line(&head, outermost),
            3 => self.polygon(&head, outermost),
            4 => self.many("gml:MultiPoint", "gml:pointMember", &head, depth),
            5 => self.many("gml:MultiCurve", "gml:curveMember", &head, depth),
            6 => self.many("gml:MultiSurface", "gml:surfaceMember", &head, depth),
            7 => self.many("gml:MultiGeometry", "gml:geometryMember", &head, depth),
            _ => Err(Malformed),
        }
    }

    fn many(&mut self, name: &str, member: &str, head: &Head, depth: u8) -> Result<bool, Malformed> {
        self.begin(name, head, depth == 0);
        let mut any = false;
        for _ in 0..self.cursor.u32()? {
            let start = self.out.len();
            self.out.push(b'<');
            self.text(member).out.push(b'>');
            // An empty part is left out.
            if self.geometry(depth + 1)? {
                self.end(member);
                any = true;
            } else {
                self.out.truncate(start);
            }
        }
        self.end(name);
        Ok(any)
    }

    fn point(&mut self, head: &Head, outermost: bool) -> Result<bool, Malformed> {
        self.begin("gml:Point", head, outermost);
        self.text("<gml:pos>");
        let written = self.position(head)?;
        self.text("</gml:pos></gml:Point>");
        Ok(written)
    }

    fn line(&mut self, head: &Head, outermost: bool) -> Result<bool, Malformed> {
        self.begin("gml:LineString", head, outermost);
        let count = self.positions(head)?;
        self.end("gml:LineString");
        Ok(count > 0)
    }

    fn polygon(&mut self, head: &Head, outermost: bool) -> Result<bool, Malformed> {
        self.begin("gml:Polygon", head, outermost);
        let rings = self.cursor.u32()?;
        let mut any = false;
        for i in 0..rings {
            let name = if i == 0 { "gml:exterior" } else { "gml:interior" };
            self.out.push(b'<');
            self.text(name).text("><gml:LinearRing>");
            any |= self.positions(head)? > 0;
            self.text("</gml:LinearRing>").end(name);
        }
        self.end("gml:Polygon");
        Ok(any)
    }

    fn positions(&mut self, head: &Head) -> Result<u32, Malformed> {
        self.text("<gml:posList>");
        let count = self.cursor.u32()?;
        for i in 0..count {
            if i > 0 {
                self.out.push(b' ');
            }
            self.position(head)?;
        }
        self.text("</gml:posList>");
        Ok(count)
    }

    /// One position; false for the empty point (all NaN).
    fn position(&mut self, head: &Head) -> Result<bool, Malformed> {
        let (mut x, mut y) = (self.cursor.f64()?, self.cursor.f64()?);
        let z = if head.z { Some(self.cursor.f64()?) } else { None };
        if head.m {
            self.cursor.f64()?;
        }
        if x.is_nan() || y.is_nan() {
            return Ok(false);
        }
        let Layout { swapped, decimals } = self.frame.layout;
        if swapped {
            std::mem::swap(&mut x, &mut y);
        }
        number(self.out, x, decimals);
        self.out.push(b' ');
        number(self.out, y, decimals);
        if let Some(z) = z {
            self.out.push(b' ');
            number(self.out, z, 4);
        }
        Ok(true)
    }

    fn begin(&mut self, name: &str, head: &Head, outermost: bool) {
        self.out.push(b'<');
        self.text(name);
        if let Some(id) = self.frame.id {
            self.text(" gml:id=\"").text(id);
            if self.ids > 0 {
                self.out.push(b'.');
                let ids = self.ids;
                self.text(itoa::Buffer::new().format(ids));
            }
            self.out.push(b'"');
            self.ids += 1;
        }
        if outermost {
            let srs_name = self.frame.srs_name;
            self.text(" srsName=\"").text(srs_name).text("\" srsDimension=\"");
            self.text(if head.z { "3\"" } else { "2\"" });
        }
        self.out.push(b'>');
    }

    fn end(&mut self, name: &str) {
        self.text("</").text(name).out.push(b'>');
    }

    fn text(&mut self, text: &str) -> &mut Self {
        self.out.extend_from_slice(text.as_bytes());
        self
    }
}

#[cfg(test)]
mod tests {
    use geozero::geojson::GeoJson;
    use geozero::{CoordDimensions, ToWkb};

    use super::*;

    const FRAME: Frame<'static> =
        Frame { layout: Layout { swapped: true, decimals: 9 }, srs_name: "urn:x", id: Some("a.1") };

    fn ewkb(kind: &str, coordinates: &str, dimensions: CoordDimensions) -> Vec<u8> {
        let json = format!(r#"{{"type":"{kind}","coordinates":{coordinates}}}"#);
        GeoJson(&json).to_ewkb(dimensions, Some(4490)).unwrap()
    }

    fn gml(ewkb: &[u8], frame: Frame<'_>) -> Option<String> {
        let mut out = Vec::new();
        write_gml(&mut out, ewkb, frame).unwrap().then(|| String::from_utf8(out).unwrap())
    }

    #[test]
    fn every_kind_of_simple_feature() {
        let xy = |kind, coordinates| gml(&ewkb(kind, coordinates, CoordDimensions::xy()), FRAME).unwrap();
        const SRS: &str = " srsName=\"urn:x\" srsDimension=\"2\"";
        let expected = format!("<gml:Point gml:id=\"a.1\"{SRS}><gml:pos>36 120.5</gml:pos></gml:Point>");
        assert_eq!(xy("Point", "[120.5,36]"), expected);
        let expected =
            format!("<gml:LineString gml:id=\"a.1\"{SRS}><gml:posList>2 1 4 3</gml:posList></gml:LineString>");
        assert_eq!(xy("LineString", "[[1,2],[3,4]]"), expected);
        let ring = |name, list| {
            format!("<gml:{name}><gml:LinearRing><gml:posList>{list}</gml:posList></gml:LinearRing></gml:{name}>")
        };
        let rings = ring("exterior", "0 0 0 4 4 4 0 0") + &ring("interior", "1 1 1 2 2 2 1 1");
        let polygon = "[[[0,0],[4,0],[4,4],[0,0]],[[1,1],[2,1],[2,2],[1,1]]]";
        assert_eq!(xy("Polygon", polygon), format!("<gml:Polygon gml:id=\"a.1\"{SRS}>{rings}</gml:Polygon>"));
        let member = format!("<gml:Polygon gml:id=\"a.1.1\">{rings}</gml:Polygon>");
        let member = format!("<gml:surfaceMember>{member}</gml:surfaceMember>");
        let expected = format!("<gml:MultiSurface gml:id=\"a.1\"{SRS}>{member}</gml:MultiSurface>");
        let polygons = format!("[{polygon}]");
        assert_eq!(xy("MultiPolygon", &polygons), expected);
        let member = |id, pos| {
            let point = format!("<gml:Point gml:id=\"a.1.{id}\"><gml:pos>{pos}</gml:pos></gml:Point>");
            format!("<gml:pointMember>{point}</gml:pointMember>")
        };
        let members = member(1, "2 1") + &member(2, "4 3");
        let expected = format!("<gml:MultiPoint gml:id=\"a.1\"{SRS}>{members}</gml:MultiPoint>");
        assert_eq!(xy("MultiPoint", "[[1,2],[3,4]]"), expected);
    }

    #[test]
    fn heights_and_the_older_form() {
        let older = Frame { id: None, layout: Layout { swapped: false, decimals: 9 }, ..FRAME };
        let line = ewkb("LineString", "[[1,2,3],[4,5,6]]", CoordDimensions::xyz());
        let positions = "<gml:posList>1 2 3 4 5 6</gml:posList>";
        let expected = format!("<gml:LineString srsName=\"urn:x\" srsDimension=\"3\">{positions}</gml:LineString>");
        assert_eq!(gml(&line, older).unwrap(), expected);
    }

    #[test]
    fn what_is_empty_or_damaged_leaves_nothing_behind() {
        // A list of no parts: SRID 4490, count 0.
        for kind in [2u8, 3, 4, 5, 6, 7] {
            let empty = [1, kind, 0, 0, 0x20, 0x8a, 0x11, 0, 0, 0, 0, 0, 0];
            assert_eq!(gml(&empty, FRAME), None, "{kind}");
        }
        let whole = ewkb("MultiLineString", "[[[1,2],[3,4]],[[5,6],[7,8]]]", CoordDimensions::xy());
        for end in 0..whole.len() {
            let mut out = b"x".to_vec();
            assert!(write_gml(&mut out, &whole[..end], FRAME).is_err());
            assert_eq!(out, b"x");
        }
    }
}
