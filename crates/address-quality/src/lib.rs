//! Measures address matching. A [`base::Base`] of addresses, whose truth is known, is asked for texts that [`noise`] has spoilt in the ways
//! in which people, forms and scanners spoil them; [`evaluate`] counts what comes back right, [`report`] prints it.

pub mod base;
pub mod city;
pub mod draft;
pub mod evaluate;
pub mod labelled;
pub mod noise;
pub mod random;
pub mod raw;
pub mod report;
pub mod row;
pub mod script;
pub mod truth;
pub mod world;
