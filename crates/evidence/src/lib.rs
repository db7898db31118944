//! Evidence of who saw what, pure: no database, no clock, no files.
//!
//! A [`Record`] says one access in one canonical form. Records go into [`Block`]s; a block's digest (SM3, GM/T 0004-2012) covers its
//! records and the block before, so that the chain's head stands for everything before it. A [`Seal`] is a head that is signed
//! (SM2, GM/T 0003-2012) and kept by somebody else. [`Walk`] reads a chain again and names what was changed, taken out, put in or cut off.

pub mod chain;
pub mod manifest;
pub mod record;
pub mod seal;
pub mod sign;
pub mod tiles;
pub mod verify;

pub use chain::{Block, Digest, Head};
pub use record::Record;
pub use seal::Seal;
pub use sign::{PublicKey, SigningKey};
pub use tiles::{Tile, TileList};
pub use verify::{Fault, Kept, Walk};
