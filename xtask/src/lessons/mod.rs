//! The lessons, in the order of the notes: one file each, and one line in [`ALL`].

mod address;
mod crowd;
mod duplex;
mod end;
mod flow;
mod framing;
pub mod loss;
pub mod mistakes;
mod nonblocking;
mod page;
mod prelude;
mod reliable;
mod socket;
mod stop;
mod stream;
mod system;
mod udp;

use std::ffi::OsStr;

use crate::drawing::entry::Lanes;
pub use crate::play::runner::Lesson;
use crate::words::Words;

pub static ALL: [Lesson; 15] = [
    socket::LESSON,
    system::LESSON,
    address::LESSON,
    page::LESSON,
    end::LESSON,
    crowd::LESSON,
    nonblocking::LESSON,
    stream::LESSON,
    framing::LESSON,
    flow::LESSON,
    duplex::LESSON,
    udp::LESSON,
    loss::LESSON,
    reliable::LESSON,
    stop::LESSON,
];

pub const TCP: Lanes = (Words::fixed("tcp-client", "tcp-client"), Words::fixed("tcp-server", "tcp-server"));
pub const UDP: Lanes = (Words::fixed("udp-client", "udp-client"), Words::fixed("udp-server", "udp-server"));
pub const WEB: Lanes =
    (Words::fixed("tcp-client", "tcp-client"), Words::fixed("a small web server", "一个小型 Web 服务器"));
/// The sides of a lesson that makes the calls of both itself.
const BOTH_SIDES: Lanes = (Words::fixed("the client", "客户端"), Words::fixed("the server", "服务器"));

impl Lesson {
    pub fn is_mistake(&self) -> bool {
        mistakes::ALL.iter().any(|mistake| mistake.name == self.name)
    }
}

const fn claim(number: &'static str, en: &'static str, zh: &'static str) -> (&'static str, Words) {
    (number, Words::fixed(en, zh))
}

pub fn find(name: &OsStr) -> Option<&'static Lesson> {
    ALL.iter().chain(&mistakes::ALL).find(|lesson| *lesson.name == *name)
}
