//! How large a tile is when it goes out.

use std::cell::RefCell;

use libdeflater::{CompressionLvl, Compressor};

// Level 1: `CompressionLvl::fastest` is 0, which compresses nothing.
thread_local! {
    static COMPRESSOR: RefCell<(Compressor, Vec<u8>)> =
        RefCell::new((Compressor::new(CompressionLvl::new(1).unwrap_or_default()), vec![]));
}

/// Whether gzip makes no more than `limit` of these bytes. A few pieces say so when it is clear; else all of them are tried.
pub fn fits(bytes: &[u8], limit: usize) -> Result<(), usize> {
    const PIECE: usize = 32 << 10;
    if bytes.len() <= limit {
        return Ok(());
    }
    if bytes.len() > 8 * PIECE {
        let apart = (bytes.len() - PIECE) / 3;
        let pieces: usize = (0..4).map(|i| gzip_len(&bytes[i * apart..i * apart + PIECE])).sum();
        if (pieces as f64 * bytes.len() as f64 / (4 * PIECE) as f64) < 0.85 * limit as f64 {
            return Ok(());
        }
    }
    let size = gzip_len(bytes);
    if size <= limit { Ok(()) } else { Err(size) }
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
