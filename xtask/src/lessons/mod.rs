//! The lessons, in the order of the notes: one file each, and one line in [`ALL`].

pub mod crowd;
pub mod duplex;
pub mod end;
pub mod framing;
pub mod loss;
pub mod mistakes;
pub mod page;
pub mod socket;
pub mod stop;
pub mod stream;
pub mod system;
pub mod udp;

use std::io::{ErrorKind, Read};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};

use anyhow::Result;

use crate::lab::STUCK;
use crate::play::Play;
use crate::programs::Program;
use crate::wire::event::Lane;
use crate::words::Words;

/// All lessons, in the order in which they are played.
pub static ALL: [Lesson; 11] = [
    socket::LESSON,
    system::LESSON,
    page::LESSON,
    end::LESSON,
    crowd::LESSON,
    stream::LESSON,
    framing::LESSON,
    duplex::LESSON,
    udp::LESSON,
    loss::LESSON,
    stop::LESSON,
];

/// Who stands on the client's and on the server's side of the ladder.
pub type Lanes = (Words, Words);

/// The two TCP programs.
pub const TCP: Lanes = (Words::fixed("tcp-client", "tcp-client"), Words::fixed("tcp-server", "tcp-server"));
/// The two UDP programs.
pub const UDP: Lanes = (Words::fixed("udp-client", "udp-client"), Words::fixed("udp-server", "udp-server"));
/// The TCP client, and the origin that it fetches a page from.
pub const WEB: Lanes =
    (Words::fixed("tcp-client", "tcp-client"), Words::fixed("a small web server", "一个小型 Web 服务器"));
/// A lesson that makes the calls of both sides itself.
const BOTH_SIDES: Lanes = (Words::fixed("the client", "客户端"), Words::fixed("the server", "服务器"));

/// An experiment about some of the notes' claims.
pub struct Lesson {
    /// As it is called on the command line.
    pub name: &'static str,
    /// What the notes claim, with the numbers of the claims.
    pub claims: &'static [(&'static str, Words)],
    /// Who stands where.
    pub lanes: Lanes,
    /// Plays it.
    pub play: fn(&mut Play) -> Result<()>,
}

/// A connection to a server; a lesson that waits for too long on it is stuck, and ends.
///
/// # Errors
/// When it is refused.
pub fn connect(at: SocketAddr) -> Result<TcpStream> {
    let stream = TcpStream::connect(at)?;
    stream.set_read_timeout(Some(STUCK))?;
    Ok(stream)
}

/// Two ends of one connection: the client's, and the accepted one.
///
/// # Errors
/// When the system gives no socket.
pub fn pair(ip: IpAddr) -> Result<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind((ip, 0))?;
    let client = connect(listener.local_addr()?)?;
    let server = listener.accept()?.0;
    server.set_read_timeout(Some(STUCK))?;
    Ok((client, server))
}

/// A UDP socket.
///
/// # Errors
/// When the system gives none.
pub fn datagram_socket(ip: IpAddr) -> Result<UdpSocket> {
    let socket = UdpSocket::bind((ip, 0))?;
    socket.set_read_timeout(Some(STUCK))?;
    Ok(socket)
}

/// Whether nothing is there to be read now, and the stream has not ended either.
///
/// # Errors
/// What the socket reports.
pub fn is_quiet(mut stream: &TcpStream) -> Result<bool> {
    stream.set_nonblocking(true)?;
    let found = stream.read(&mut [0]);
    stream.set_nonblocking(false)?;
    Ok(found.is_err_and(|e| e.kind() == ErrorKind::WouldBlock))
}

/// Whether a wait with a time-out came to nothing: Unix has one error for it, Windows another.
pub fn is_silence(error: ErrorKind) -> bool {
    matches!(error, ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

/// Stops a server with Ctrl-C and checks how it ends; false where this cannot be done.
fn stop_server(play: &mut Play, server: Program) -> Result<bool> {
    let promise =
        Words::fixed("Ctrl-C stops the server with status 0", "按 Ctrl-C，服务器停止，退出状态为 0");
    if cfg!(unix) {
        play.called(Lane::Server, "^C");
    }
    if !server.interrupt() {
        let why = Words::fixed(
            "only Unix lets a program send another its Ctrl-C",
            "只有 Unix 允许程序向别的程序发送 Ctrl-C",
        );
        play.checks.not_available(promise, why);
        return Ok(false);
    }
    let outcome = play.stage.wait_for_end(server)?;
    play.checks.equal(promise, &outcome.status, &Some(0));
    let promise = Words::fixed("its last word is 'stopped'", "它最后输出“stopped”");
    play.checks.equal(promise, &outcome.said.last().map(String::as_str), &Some("stopped"));
    Ok(true)
}
