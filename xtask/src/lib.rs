//! Server/client pairs on real sockets: started, listened to on the wire, drawn and checked. The rooms are private;
//! outside stand the tasks, and what the tests name.

// What is public here is so for the tests of this package; a comment that says a name again says nothing.
#![allow(missing_docs)]

#[macro_use]
mod words;

mod checks;
mod drawing;
pub mod exercises;
mod lab;
pub mod lessons;
mod peers;
mod play;
mod programs;
mod random;
pub mod tasks;
mod wire;

pub use drawing::columns::width;
pub use drawing::entry::Entry;
pub use drawing::live::Live;
pub use drawing::page;
pub use drawing::style::Style;
pub use drawing::transcript::Transcript;
pub use drawing::votes::Wait;
pub use lab::{Lab, Outcome};
pub use peers::names::Names;
pub use peers::origin::replying;
pub use peers::script::{Expected, How};
pub use peers::scripted_server::{repeat, speaking, until_it_leaves};
pub use peers::sockets::ask;
pub use peers::tcp_peer::TcpPeer;
pub use play::Play;
pub use play::audience::Audience;
pub use play::runner::Runner;
pub use programs::build::path_of;
pub use programs::program::{Program, address_in};
pub use programs::scratch::Scratch;
pub use programs::server::Server;
pub use wire::event::Side;
pub use wire::listening::Listening;
pub use words::{Lang, Words};
