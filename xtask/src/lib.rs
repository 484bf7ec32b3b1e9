//! Server/client pairs on real sockets: started, listened to on the wire, drawn and checked.

pub mod checks;
pub mod demo;
pub mod event;
pub mod kernel;
pub mod ladder;
pub mod lessons;
pub mod mistakes;
pub mod origin;
pub mod play;
pub mod programs;
pub mod relay;
pub mod soak;
pub mod stage;
pub mod words;
