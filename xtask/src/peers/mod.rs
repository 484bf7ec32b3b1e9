//! The other side, by script: whom a program meets.

pub mod found;
pub mod guest;
pub mod origin;
pub mod replies;
pub mod script;
pub mod scripted_server;
pub mod scripts;
pub mod sockets;
pub mod tcp_peer;
pub mod udp_peer;
