//! What was told, as pieces of a page: on a page afterwards, and live.

pub mod live;
pub mod markup;
pub mod page;
pub mod pieces;
