//! What was told, as pieces of a page: on a page afterwards, and live.

pub mod board;
mod chart;
pub mod live;
pub mod markup;
pub mod page;
mod pieces;
