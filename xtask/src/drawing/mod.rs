//! What is seen of what happens: text on the terminal, pieces of a page. It knows events and verdicts, and not
//! whose they are.

pub mod chart;
pub mod ladder;
pub mod live;
pub mod page;
pub mod picture;
pub mod style;
pub mod transcript;
