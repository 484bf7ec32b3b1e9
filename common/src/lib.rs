//! What the four programs share: addresses, framing, HTTP replies, command lines, patience, narration,
//! files that are replaced, and the stop. Nothing here knows a program; the socket calls that a lesson is about stay in the programs.

pub mod address;
pub mod args;
pub mod backlog;
pub mod datagram;
pub mod file_name;
pub mod framing;
pub mod greeting;
pub mod lookalikes;
pub mod narration;
pub mod narrator;
mod port_owner;
pub mod replacement;
pub mod seeded;
pub mod show_bytes;
pub mod stop;
pub mod timed_stream;
pub mod url;
