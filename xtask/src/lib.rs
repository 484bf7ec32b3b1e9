//! Server/client pairs on real sockets: started, listened to on the wire, drawn and checked.

pub mod checks;
pub mod demo;
pub mod ladder;
pub mod origin;
pub mod programs;
pub mod relay;
pub mod scenes;
pub mod soak;
pub mod stage;
