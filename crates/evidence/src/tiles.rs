//! The tiles of one asker, layer and moment in few bytes: nearly all accesses of a map are tiles.

/// A tile that was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tile {
    /// Milliseconds after the record's time.
    pub after: u32,
    pub zoom: u8,
    pub column: u32,
    pub row: u32,
    pub bytes: u32,
}

/// Tiles one behind the other, each as five numbers of seven bits a byte (LEB128): milliseconds after the record's time, zoom, column,
/// row, bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TileList {
    packed: Vec<u8>,
    count: u32,
}

impl TileList {
    pub fn push(&mut self, tile: Tile) {
        for part in [tile.after, tile.zoom.into(), tile.column, tile.row, tile.bytes] {
            put(&mut self.packed, part);
        }
        self.count += 1;
    }

    pub fn len(&self) -> u32 {
        self.count
    }

    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub fn into_bytes(self) -> Vec<u8> {
        self.packed
    }

    /// The tiles of a record, as far as its bytes are such a list.
    pub fn read(packed: &[u8]) -> impl Iterator<Item = Tile> + '_ {
        let mut rest = packed;
        std::iter::from_fn(move || {
            Some(Tile {
                after: take(&mut rest)?,
                zoom: take(&mut rest)?.try_into().ok()?,
                column: take(&mut rest)?,
                row: take(&mut rest)?,
                bytes: take(&mut rest)?,
            })
        })
    }
}

fn put(out: &mut Vec<u8>, mut value: u32) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn take(rest: &mut &[u8]) -> Option<u32> {
    let mut value = 0u32;
    for shift in (0..35).step_by(7) {
        let (&byte, after) = rest.split_first()?;
        *rest = after;
        value |= u32::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_in_comes_out() {
        let tiles = [
            Tile { after: 0, zoom: 0, column: 0, row: 0, bytes: 0 },
            Tile { after: 249, zoom: 22, column: u32::MAX, row: 1 << 21, bytes: 512_000 },
            Tile { after: 127, zoom: 14, column: 13_650, row: 6_400, bytes: 128 },
        ];
        let mut list = TileList::default();
        tiles.into_iter().for_each(|tile| list.push(tile));
        assert_eq!(list.len(), 3);
        let packed = list.into_bytes();
        assert_eq!(TileList::read(&packed).collect::<Vec<_>>(), tiles);
        assert_eq!(TileList::read(&packed[..packed.len() - 1]).count(), 2);
        assert_eq!(TileList::read(&[0xff; 12]).count(), 0);
    }
}
