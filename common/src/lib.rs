//! What the programs share: addresses, framing, command lines, time limits, output, and the stop. The socket calls
//! that the notes teach are in the programs.

pub mod address;
pub mod args;
pub mod backlog;
pub mod datagram;
pub mod framing;
pub mod greeting;
pub mod http;
pub mod language;
pub mod lookalikes;
pub mod narration;
pub mod narrator;
pub mod replacement;
pub mod seeded;
pub mod show_bytes;
pub mod socket_table;
pub mod stop;
#[cfg(test)]
mod test_streams;
pub mod timed_stream;
pub mod url;
