//! The other side, by script: whom a program meets.

pub mod asker;
pub mod caller;
pub mod found;
pub mod guest;
pub mod host;
pub mod origin;
pub mod replies;
pub mod script;
pub mod scripts;
pub mod sockets;
