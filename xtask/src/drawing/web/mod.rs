//! What was told, as pieces of a page: on a page afterwards, and live.

mod chart;
pub mod live;
mod markup;
pub mod page;
mod pieces;
