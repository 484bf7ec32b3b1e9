//! The programs, as processes.

pub mod again;
pub mod build;
pub mod figures;
pub mod house;
pub mod program;
pub mod scratch;
pub mod server;
