//! The other side of a program: peers that play scripts, servers by script, plain sockets.

pub mod names;
pub mod origin;
pub mod player;
pub mod replies;
pub mod script;
pub mod scripted_server;
pub mod sockets;
pub mod talk;
pub mod tcp_peer;
pub mod udp_peer;
