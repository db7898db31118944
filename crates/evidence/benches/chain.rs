//! What a record costs on its way into a block.

use divan::{Bencher, black_box, counter::ItemsCount};
use onemap_evidence::{Block, Head, Record, Tile, TileList};

fn main() {
    divan::main();
}

fn record() -> Record {
    Record {
        at: 1_790_000_000_000_001,
        department: Some("health".into()),
        who: "person:li".into(),
        address: Some("10.1.2.3".into()),
        operation: "features".into(),
        layer: Some("building".into()),
        owner: Some("housing".into()),
        revision: Some(3),
        status: 200,
        features: Some((1..=10).collect()),
        ..Record::default()
    }
}

#[divan::bench]
fn close_a_block_of_1000_records(bencher: Bencher) {
    let records = vec![record(); 1000];
    bencher.counter(ItemsCount::new(1000u32)).bench(|| Block::close(&Head::start(1), 0, black_box(&records)));
}

#[divan::bench]
fn pack_and_digest_5000_tiles(bencher: Bencher) {
    bencher.counter(ItemsCount::new(5000u32)).bench(|| {
        let mut list = TileList::default();
        for i in 0..5000u32 {
            list.push(Tile { after: i / 20, zoom: 14, column: 13_600 + i % 70, row: 6_400 + i / 70, bytes: 9_000 + i });
        }
        let tiles = Record { tiles: Some(list.into_bytes()), ..record() };
        Block::close(&Head::start(1), 0, &[black_box(tiles)])
    });
}
