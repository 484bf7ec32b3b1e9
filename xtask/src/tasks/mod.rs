//! What stands behind `cargo xtask NAME`: a file each, a folder where it has parts of its own.

pub mod bench;
pub mod demo;
pub mod docs;
pub mod grade;
mod json;
pub mod origin;
pub mod shown;
pub mod soak;
pub mod tap;
mod wanted;
