//! What is seen of what happens: as text on the terminal, as pieces of a page.

pub mod ladder;
pub mod page;
pub mod scene;
pub mod story;
