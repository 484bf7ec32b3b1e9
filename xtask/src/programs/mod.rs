//! The programs, as processes.

pub mod build;
pub mod house;
pub mod program;
pub mod scratch;
