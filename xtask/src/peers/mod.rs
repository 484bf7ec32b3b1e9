//! The other side, by script: whom a program meets.

pub mod origin;
pub mod sockets;
