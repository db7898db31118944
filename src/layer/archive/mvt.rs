//! Vector tiles (MVT 2.1) read without copying, and written. What is read may be a stranger's: counts are bounded, and a geometry is
//! believed only after its commands were followed.

use crate::error::Result;

use super::pmtiles::damaged;

/// Features of a tile at most, and keys and values together: a feature of two bytes would otherwise cost forty times that in memory.
const MOST_FEATURES: usize = 500_000;
const MOST_WORDS: usize = 1_000_000;

/// Why bytes are no vector tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed(&'static str);

impl From<Malformed> for crate::error::Error {
    fn from(why: Malformed) -> Self {
        damaged("其中有瓦片不是有效的矢量瓦片", "one of its tiles is no valid vector tile").because(why.0)
    }
}

type Read<T> = std::result::Result<T, Malformed>;

#[derive(Debug, Clone, Default)]
pub struct Layer<'a> {
    pub name: &'a str,
    pub version: u32,
    pub extent: u32,
    pub keys: Vec<&'a str>,
    /// Each as its protobuf message; see [`value`].
    pub values: Vec<&'a [u8]>,
    pub features: Vec<Feature<'a>>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Feature<'a> {
    pub id: Option<u64>,
    /// Pairs of a key's and a value's number, as packed varints.
    pub tags: &'a [u8],
    /// 1 points, 2 lines, 3 polygons; 0 is of no known kind.
    pub kind: u32,
    /// Commands, as packed varints.
    pub geometry: &'a [u8],
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value<'a> {
    Text(&'a str),
    Integer(i128),
    Float(f64),
    /// Its own type, since a float's shortest text is not that of the double it is.
    Single(f32),
    Boolean(bool),
}

/// A place in a tile's own units.
pub type Place = [i32; 2];
/// The points, the lines or the rings of a feature. A ring does not repeat its first place.
pub type Parts = Vec<Vec<Place>>;

enum Field<'a> {
    Number(u64),
    Bytes(&'a [u8]),
    Fixed32([u8; 4]),
    Fixed64([u8; 8]),
}

/// The fields of a protobuf message, one after the other.
struct Message<'a>(&'a [u8]);

impl<'a> Message<'a> {
    fn next(&mut self) -> Read<Option<(u64, Field<'a>)>> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let tag = varint(&mut self.0)?;
        let field = match tag & 7 {
            0 => Field::Number(varint(&mut self.0)?),
            1 => Field::Fixed64(self.take()?),
            2 => {
                let length = varint(&mut self.0)?;
                let length = usize::try_from(length).ok().filter(|l| *l <= self.0.len());
                let (bytes, rest) = self.0.split_at(length.ok_or(Malformed("a length beyond the end"))?);
                self.0 = rest;
                Field::Bytes(bytes)
            }
            5 => Field::Fixed32(self.take()?),
            _ => return Err(Malformed("a wire type that does not exist")),
        };
        Ok(Some((tag >> 3, field)))
    }

    fn take<const N: usize>(&mut self) -> Read<[u8; N]> {
        let (bytes, rest) = self.0.split_first_chunk::<N>().ok_or(Malformed("an early end"))?;
        self.0 = rest;
        Ok(*bytes)
    }
}

fn varint(rest: &mut &[u8]) -> Read<u64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let (byte, tail) = rest.split_first().ok_or(Malformed("an early end"))?;
        *rest = tail;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(Malformed("an endless number"))
}

/// The numbers of a packed field.
pub fn numbers(mut packed: &[u8]) -> impl Iterator<Item = Read<u32>> {
    std::iter::from_fn(move || {
        (!packed.is_empty()).then(|| varint(&mut packed)?.try_into().map_err(|_| Malformed("a number over 32 bits")))
    })
}

/// The layers of a tile.
pub fn read(tile: &[u8]) -> Read<Vec<Layer<'_>>> {
    let (mut message, mut layers) = (Message(tile), Vec::new());
    let (mut features, mut words) = (MOST_FEATURES, MOST_WORDS);
    while let Some(field) = message.next()? {
        if let (3, Field::Bytes(bytes)) = field {
            let layer = layer(bytes, &mut features, &mut words)?;
            if layers.iter().any(|l: &Layer<'_>| l.name == layer.name) {
                return Err(Malformed("two layers of one name"));
            }
            layers.push(layer);
        }
    }
    Ok(layers)
}

fn layer<'a>(bytes: &'a [u8], features: &mut usize, words: &mut usize) -> Read<Layer<'a>> {
    let mut layer = Layer { version: 1, extent: 4096, ..Layer::default() };
    let mut message = Message(bytes);
    let less = |left: &mut usize, what| {
        *left = left.checked_sub(1).ok_or(Malformed(what))?;
        Ok(())
    };
    while let Some(field) = message.next()? {
        match field {
            (1, Field::Bytes(name)) => layer.name = text(name)?,
            (2, Field::Bytes(bytes)) => {
                less(features, "more features than a tile may hold")?;
                layer.features.push(feature(bytes)?);
            }
            (3, Field::Bytes(key)) => {
                less(words, "more keys and values than a tile may hold")?;
                layer.keys.push(text(key)?);
            }
            (4, Field::Bytes(value)) => {
                less(words, "more keys and values than a tile may hold")?;
                layer.values.push(value);
            }
            (5, Field::Number(n)) => layer.extent = n.try_into().map_err(|_| Malformed("an extent over 32 bits"))?,
            (15, Field::Number(n)) => layer.version = n.try_into().map_err(|_| Malformed("a version over 32 bits"))?,
            _ => {}
        }
    }
    if layer.name.is_empty() || !(1..=2).contains(&layer.version) || !(1..=1 << 24).contains(&layer.extent) {
        return Err(Malformed("a layer without a name, or of an unknown version or extent"));
    }
    Ok(layer)
}

fn feature(bytes: &[u8]) -> Read<Feature<'_>> {
    let mut feature = Feature::default();
    let mut message = Message(bytes);
    while let Some(field) = message.next()? {
        match field {
            (1, Field::Number(id)) => feature.id = Some(id),
            // A packed field may come in pieces; no encoder writes it so, and one without a copy cannot be put together.
            (2, Field::Bytes(tags)) if feature.tags.is_empty() => feature.tags = tags,
            (3, Field::Number(kind)) => feature.kind = kind.try_into().unwrap_or(u32::MAX),
            (4, Field::Bytes(geometry)) if feature.geometry.is_empty() => feature.geometry = geometry,
            (2 | 4, _) => return Err(Malformed("tags or a geometry in pieces")),
            _ => {}
        }
    }
    if feature.kind > 3 {
        return Err(Malformed("a geometry of an unknown kind"));
    }
    Ok(feature)
}

fn text(bytes: &[u8]) -> Read<&str> {
    std::str::from_utf8(bytes).map_err(|_| Malformed("a text that is not UTF-8"))
}

/// What a value's message says. None for one of no known type.
pub fn value(message: &[u8]) -> Read<Option<Value<'_>>> {
    let (mut message, mut value) = (Message(message), None);
    while let Some(field) = message.next()? {
        value = match field {
            (1, Field::Bytes(bytes)) => Some(Value::Text(text(bytes)?)),
            (2, Field::Fixed32(bytes)) => Some(Value::Single(f32::from_le_bytes(bytes))),
            (3, Field::Fixed64(bytes)) => Some(Value::Float(f64::from_le_bytes(bytes))),
            (4, Field::Number(n)) => Some(Value::Integer(i128::from(n as i64))),
            (5, Field::Number(n)) => Some(Value::Integer(i128::from(n))),
            (6, Field::Number(n)) => Some(Value::Integer(i128::from((n >> 1) as i64 ^ -((n & 1) as i64)))),
            (7, Field::Number(n)) => Some(Value::Boolean(n != 0)),
            _ => value,
        };
    }
    Ok(value)
}

impl<'a> Layer<'a> {
    /// Name, version and extent alone.
    pub fn clone_head(&self) -> Layer<'a> {
        Layer { name: self.name, version: self.version, extent: self.extent, ..Layer::default() }
    }

    /// A feature's keys and values by number; both are in the layer's tables.
    pub fn tags(&self, feature: &Feature<'a>) -> Read<Vec<(usize, usize)>> {
        let numbers: Vec<u32> = numbers(feature.tags).collect::<Read<_>>()?;
        if !numbers.len().is_multiple_of(2) {
            return Err(Malformed("a key without a value"));
        }
        let pairs = numbers.chunks_exact(2).map(|p| (p[0] as usize, p[1] as usize));
        pairs
            .map(|(key, value)| match key < self.keys.len() && value < self.values.len() {
                true => Ok((key, value)),
                false => Err(Malformed("a tag outside of its layer's tables")),
            })
            .collect()
    }
}

/// A feature's geometry, its commands followed (MVT 2.1, 4.3).
pub fn geometry(feature: &Feature<'_>) -> Read<Parts> {
    const WILD: Malformed = Malformed("geometry commands that make no sense");
    let mut numbers = numbers(feature.geometry);
    let mut parts: Parts = Vec::new();
    let mut at: Place = [0, 0];
    let mut step = |numbers: &mut dyn Iterator<Item = Read<u32>>| -> Read<Place> {
        for axis in &mut at {
            let n = numbers.next().ok_or(WILD)??;
            *axis = axis.checked_add((n >> 1) as i32 ^ -((n & 1) as i32)).ok_or(WILD)?;
        }
        Ok(at)
    };
    // Whether the last ring may still grow.
    let mut open = false;
    while let Some(word) = numbers.next() {
        let word = word?;
        let (command, count) = (word & 7, word >> 3);
        match (command, feature.kind) {
            (1, 1) => {
                for _ in 0..count {
                    parts.push(vec![step(&mut numbers)?]);
                }
            }
            (1, _) if count == 1 => {
                parts.push(vec![step(&mut numbers)?]);
                open = true;
            }
            (2, 0 | 2 | 3) if open => {
                let part = parts.last_mut().ok_or(WILD)?;
                for _ in 0..count {
                    part.push(step(&mut numbers)?);
                }
            }
            (7, 0 | 3) if count == 1 && open => open = false,
            _ => return Err(WILD),
        }
    }
    Ok(parts)
}

/// A geometry's commands.
pub fn write_geometry(out: &mut Vec<u8>, kind: u32, parts: &Parts) {
    let mut at: Place = [0, 0];
    let mut step = |out: &mut Vec<u8>, place: Place| {
        for axis in 0..2 {
            let by = i64::from(place[axis]) - i64::from(at[axis]);
            put_varint(out, ((by << 1) ^ (by >> 63)) as u64);
        }
        at = place;
    };
    if kind == 1 {
        put_varint(out, ((parts.len() as u64) << 3) | 1);
        parts.iter().flatten().for_each(|place| step(out, *place));
        return;
    }
    for part in parts.iter().filter(|p| p.len() > 1) {
        put_varint(out, (1 << 3) | 1);
        step(out, part[0]);
        put_varint(out, (((part.len() - 1) as u64) << 3) | 2);
        part[1..].iter().for_each(|place| step(out, *place));
        if kind == 3 {
            put_varint(out, (1 << 3) | 7);
        }
    }
}

/// Appends a layer, as one more of a tile.
pub fn write(out: &mut Vec<u8>, layer: &Layer<'_>) {
    let mut body = Vec::new();
    put_bytes(&mut body, 1, layer.name.as_bytes());
    for feature in &layer.features {
        let mut one = Vec::with_capacity(feature.tags.len() + feature.geometry.len() + 16);
        if let Some(id) = feature.id {
            put_number(&mut one, 1, id);
        }
        put_bytes(&mut one, 2, feature.tags);
        put_number(&mut one, 3, u64::from(feature.kind));
        put_bytes(&mut one, 4, feature.geometry);
        put_bytes(&mut body, 2, &one);
    }
    layer.keys.iter().for_each(|key| put_bytes(&mut body, 3, key.as_bytes()));
    layer.values.iter().for_each(|value| put_bytes(&mut body, 4, value));
    put_number(&mut body, 5, u64::from(layer.extent));
    put_number(&mut body, 15, u64::from(layer.version));
    put_bytes(out, 3, &body);
}

pub fn put_varint(out: &mut Vec<u8>, mut n: u64) {
    while n >= 0x80 {
        out.push(n as u8 | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
}

fn put_number(out: &mut Vec<u8>, field: u64, n: u64) {
    put_varint(out, field << 3);
    put_varint(out, n);
}

fn put_bytes(out: &mut Vec<u8>, field: u64, bytes: &[u8]) {
    put_varint(out, (field << 3) | 2);
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Reads every part of a tile, as if to draw it.
pub fn check(layer: &Layer<'_>) -> Result<()> {
    for value in &layer.values {
        self::value(value)?;
    }
    for feature in &layer.features {
        layer.tags(feature)?;
        geometry(feature)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn packed(numbers: &[u32]) -> Vec<u8> {
        let mut out = Vec::new();
        numbers.iter().for_each(|n| put_varint(&mut out, u64::from(*n)));
        out
    }

    #[test]
    fn the_standards_own_examples() {
        // MVT 2.1, 4.3.5: a point, two lines, and a polygon with a hole in its second part.
        let of = |kind, numbers: &[u32]| geometry(&Feature { kind, geometry: &packed(numbers), ..Feature::default() });
        assert_eq!(of(1, &[9, 50, 34]).unwrap(), [[[25, 17]]]);
        let lines = of(2, &[9, 4, 4, 18, 0, 16, 16, 0, 9, 17, 17, 10, 4, 8]).unwrap();
        assert_eq!(lines, [vec![[2, 2], [2, 10], [10, 10]], vec![[1, 1], [3, 5]]]);
        let ring = of(3, &[9, 6, 12, 18, 10, 12, 24, 44, 15]).unwrap();
        assert_eq!(ring, [[[3, 6], [8, 12], [20, 34]]]);
        for wrong in [&[9u32, 50][..], &[18, 1, 1], &[9, 2, 2, 15, 18, 2, 2, 4, 4], &[11], &[u32::MAX, 1]] {
            assert!(of(3, wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_layer_comes_back_as_it_was_written() {
        let (tags, at) = (packed(&[0, 1, 1, 0]), packed(&[9, 50, 34]));
        let feature = Feature { id: Some(7), tags: &tags, kind: 1, geometry: &at };
        let values: Vec<&[u8]> = vec![b"\x0a\x03abc", b"\x20\x05"];
        let layer =
            Layer { name: "井", version: 2, extent: 4096, keys: vec!["n", "名称"], values, features: vec![feature] };
        let mut tile = Vec::new();
        write(&mut tile, &layer);
        let back = read(&tile).unwrap();
        assert_eq!((back[0].name, &back[0].keys, &back[0].features), ("井", &layer.keys, &layer.features));
        assert_eq!(back[0].tags(&feature).unwrap(), [(0, 1), (1, 0)]);
        assert_eq!(value(back[0].values[1]).unwrap(), Some(Value::Integer(5)));
        // The tests' other reader understands it too.
        use geozero::mvt::{Message, Tile};
        assert_eq!(Tile::decode(&tile[..]).unwrap().layers[0].features[0].id, Some(7));
        write(&mut tile, &layer);
        assert!(read(&tile).is_err(), "two layers of one name");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            for layer in read(&bytes).unwrap_or_default() {
                let _ = check(&layer);
            }
        }

        #[test]
        fn geometries_survive(parts in prop::collection::vec(prop::collection::vec(any::<[i16; 2]>(), 2..9), 1..5)) {
            let parts: Parts = parts.iter().map(|p| p.iter().map(|[x, y]| [i32::from(*x), i32::from(*y)]).collect()).collect();
            for kind in [2, 3] {
                let mut bytes = Vec::new();
                write_geometry(&mut bytes, kind, &parts);
                prop_assert_eq!(&geometry(&Feature { kind, geometry: &bytes, ..Feature::default() }).unwrap(), &parts);
            }
        }
    }
}
