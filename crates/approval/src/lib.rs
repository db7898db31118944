//! The life of a request for shared data, pure: which states there are, who may move a request from where to where, and how many
//! working days a decision has. No database, no HTTP.

mod calendar;
mod state;

pub use calendar::Calendar;
pub use state::{Action, Move, Party, Refusal, State, Step, next};
