//! What is seen of what happens: one model of it (`entry`), drawn as text on the terminal and as pieces of a page. It
//! knows events and verdicts, and not whose they are.

pub mod columns;
pub mod entry;
pub mod style;
pub mod text;
pub mod transcript;
pub mod votes;
mod web;

pub use web::{live, page, pieces};
