//! MapLibre tiles (MLT, version 1 of its feature table), made from vector tiles. Smaller than MVT before compression and made for the
//! GPU; the encoder tries codings column by column, so it costs work beyond that of the MVT.

use mlt_core::MltError;
use mlt_core::encoder::EncoderConfig;
use mlt_core::mvt::mvt_to_tile_layers;

/// The same tile as MLT; empty when it is. The order of features stays: maps draw in it.
pub fn from_mvt(tile: &[u8]) -> Result<Vec<u8>, MltError> {
    let config =
        EncoderConfig::default().with_spatial_morton_sort(false).with_spatial_hilbert_sort(false).with_id_sort(false);
    let mut bytes = vec![];
    for layer in mvt_to_tile_layers(tile)? {
        bytes.extend(layer.encode(config)?);
    }
    Ok(bytes)
}
