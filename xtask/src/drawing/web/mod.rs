//! What was told, as pieces of a page: on a page afterwards, and live.

pub mod live;
pub mod page;
pub mod pieces;
