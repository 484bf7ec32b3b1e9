//! What many lessons name.

pub use std::io::{self, ErrorKind, Read, Write};
pub use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
pub use std::thread;
pub use std::time::Duration;

pub use anyhow::{Context, Result};
pub use common::greeting;
pub use common::narration::escape;

pub(super) use super::{BOTH_SIDES, TCP, claim};
pub use crate::checks::Ended;
pub use crate::peers::sockets::{connect, datagram_socket, is_silence, pair};
pub use crate::peers::talk::{SETTLED, within};
pub use crate::peers::tcp_peer::TcpPeer;
pub use crate::play::Play;
pub use crate::play::runner::Lesson;
pub use crate::wire::event::Side;
pub use crate::wire::impairments::{Impairment, Impairments};
pub use crate::wire::kernel;
pub use crate::wire::record::STUCK;
pub use crate::wire::tcp_relay::RelayMode;
pub use crate::words::{Shown, Words};
