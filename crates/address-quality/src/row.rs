//! One address of a base, packed: bases have millions.

use onemap_address::element::Element;
use onemap_address::record::Address;

/// What kind of place a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    Door,
    Compound,
    Building,
    Room,
    Village,
    Poi,
}

impl Kind {
    pub fn of_name(name: &str) -> Option<Kind> {
        Some(match name {
            "door" => Kind::Door,
            "compound" => Kind::Compound,
            "building" => Kind::Building,
            "room" => Kind::Room,
            "village" => Kind::Village,
            "poi" => Kind::Poi,
            _ => return None,
        })
    }
}

/// The parts of an address in the order of writing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(usize)]
pub enum Field {
    Province,
    City,
    District,
    Street,
    Community,
    Road,
    Lane,
    Number,
    Compound,
    Building,
    Unit,
    Room,
    Poi,
}

pub const FIELDS: usize = Field::Poi as usize + 1;

impl Field {
    pub const ALL: [Field; FIELDS] = [
        Field::Province,
        Field::City,
        Field::District,
        Field::Street,
        Field::Community,
        Field::Road,
        Field::Lane,
        Field::Number,
        Field::Compound,
        Field::Building,
        Field::Unit,
        Field::Room,
        Field::Poi,
    ];

    pub fn bit(self) -> u32 {
        1 << self as usize
    }

    fn element(self) -> Element {
        match self {
            Field::Province => Element::Province,
            Field::City => Element::City,
            Field::District => Element::District,
            Field::Street => Element::Town,
            Field::Community => Element::Community,
            Field::Road => Element::Road,
            Field::Lane => Element::Lane,
            Field::Number => Element::Roadno,
            Field::Compound => Element::Compound,
            Field::Building => Element::Houseno,
            Field::Unit => Element::Cellno,
            Field::Room => Element::Roomno,
            Field::Poi => Element::Poi,
        }
    }
}

/// What an index is given of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Columns {
    /// Each part in its own column.
    Fields,
    /// Nothing but the whole address in one text.
    Full,
}

#[derive(Debug, Clone)]
pub struct Row {
    pub kind: Kind,
    pub lon: f64,
    pub lat: f64,
    /// The parts one after the other, then the full text.
    text: Box<str>,
    ends: [u16; FIELDS],
}

impl Row {
    /// None if a row's text is longer than any address.
    pub fn new(kind: Kind, at: (f64, f64), parts: [&str; FIELDS], full: &str) -> Option<Row> {
        let mut text = String::with_capacity(full.len() * 2);
        let mut ends = [0; FIELDS];
        for (part, end) in parts.iter().zip(&mut ends) {
            text.push_str(part);
            *end = u16::try_from(text.len()).ok()?;
        }
        text.push_str(full);
        Some(Row { kind, lon: at.0, lat: at.1, text: text.into(), ends })
    }

    pub fn get(&self, field: Field) -> &str {
        let at = field as usize;
        let start = if at == 0 { 0 } else { self.ends[at - 1] as usize };
        &self.text[start..self.ends[at] as usize]
    }

    pub fn full(&self) -> &str {
        &self.text[self.ends[FIELDS - 1] as usize..]
    }

    pub fn has(&self, field: Field) -> bool {
        !self.get(field).is_empty()
    }

    /// The row as an index takes it.
    pub fn address(&self, id: u64, columns: Columns) -> Address<'_> {
        let mut address = Address::new(id, self.lon, self.lat);
        match columns {
            Columns::Full => address.full = self.full(),
            Columns::Fields => {
                for field in Field::ALL {
                    address = address.with(field.element(), self.get(field));
                }
            }
        }
        address
    }

    /// Metres to a place, near enough for small distances.
    pub fn metres(&self, lon: f64, lat: f64) -> f64 {
        let north = (self.lat - lat) * 111_195.0;
        let east = (self.lon - lon) * 111_195.0 * self.lat.to_radians().cos();
        north.hypot(east)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_come_back_as_they_went_in() {
        let mut parts = [""; FIELDS];
        (parts[Field::City as usize], parts[Field::Road as usize], parts[Field::Poi as usize]) =
            ("青岛市", "江西路", "书店");
        let row = Row::new(Kind::Poi, (120.0, 36.0), parts, "青岛市江西路书店").unwrap();
        assert_eq!((row.get(Field::City), row.get(Field::Road), row.get(Field::Poi)), ("青岛市", "江西路", "书店"));
        assert!(!row.has(Field::Number) && row.full() == "青岛市江西路书店");
        assert_eq!(row.address(1, Columns::Fields).get(Element::Road), "江西路");
        assert_eq!(row.address(1, Columns::Full).get(Element::Road), "");
        assert!((row.metres(120.0, 36.001) - 111.195).abs() < 0.1);
    }

    #[test]
    fn a_text_beyond_measure_is_refused() {
        let long = "路".repeat(30_000);
        let mut parts = [""; FIELDS];
        parts[0] = &long;
        assert!(Row::new(Kind::Door, (0.0, 0.0), parts, "").is_none());
    }
}
