//! Server/client pairs on real sockets: started, listened to on the wire, drawn and checked.

pub mod checks;
pub mod demo;
pub mod docs;
pub mod event;
pub mod kernel;
pub mod ladder;
pub mod lessons;
pub mod listening;
pub mod mistakes;
pub mod origin;
pub mod page;
pub mod play;
pub mod programs;
pub mod prompt;
pub mod quiz;
pub mod relay;
pub mod replacement;
pub mod scene;
pub mod soak;
pub mod stage;
pub mod told;
pub mod words;
