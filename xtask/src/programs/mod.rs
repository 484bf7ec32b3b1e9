//! The programs, as processes.

pub mod build;
pub mod cleanup;
pub mod figures;
pub mod program;
pub mod reexec;
pub mod scratch;
pub mod server;
