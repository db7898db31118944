//! Address matching for Chinese addresses. Pure, apart from the files that an index lies in: no database, no HTTP, no rules of
//! who may see what.
//!
//! [`parse`] splits a text into elements without looking anything up. A [`segment::Builder`] makes an index of one source's rows,
//! a [`segment::Segment`] is such an index, mapped or in memory. [`find`] answers over the segments that its caller may read.

pub mod chars;
pub mod code;
pub mod element;
pub mod find;
pub mod gazetteer;
pub mod parse;
pub mod record;
pub mod segment;
pub mod text;
