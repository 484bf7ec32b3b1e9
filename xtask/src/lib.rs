//! Server/client pairs on real sockets: started, listened to on the wire, drawn and checked.

#[macro_use]
pub mod words;

pub mod checks;
pub mod drawing;
pub mod lab;
pub mod lessons;
pub mod peers;
pub mod play;
pub mod programs;
pub mod replacement;
pub mod tasks;
pub mod wire;
