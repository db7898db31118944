//! How large a tile is when it goes out.

use std::cell::RefCell;

use libdeflater::{CompressionLvl, Compressor};

// Level 1: `CompressionLvl::fastest` is 0, which compresses nothing.
thread_local! {
    static COMPRESSOR: RefCell<(Compressor, Vec<u8>)> =
        RefCell::new((Compressor::new(CompressionLvl::new(1).unwrap_or_default()), vec![]));
}

/// The bytes that gzip makes of these.
pub fn gzip_len(bytes: &[u8]) -> usize {
    COMPRESSOR.with_borrow_mut(|(compressor, buffer)| {
        buffer.resize(compressor.gzip_compress_bound(bytes.len()), 0);
        compressor.gzip_compress(bytes, buffer).unwrap_or(bytes.len())
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_repeats_takes_less() {
        assert!(super::gzip_len(&[7; 100_000]) < 10_000);
    }
}
