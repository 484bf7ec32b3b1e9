//! Plain sockets for code that makes the socket calls itself. Waits on them are limited to a minute.

use std::io::{ErrorKind, Read};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};

use anyhow::Result;

use crate::wire::record::STUCK;

/// A connection to a server; a read that takes a minute fails.
pub fn connect(at: SocketAddr) -> Result<TcpStream> {
    let stream = TcpStream::connect(at)?;
    stream.set_read_timeout(Some(STUCK))?;
    Ok(stream)
}

/// Two ends of one connection: the client's, and the accepted one.
pub fn pair(ip: IpAddr) -> Result<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind((ip, 0))?;
    let client = connect(listener.local_addr()?)?;
    let server = listener.accept()?.0;
    server.set_read_timeout(Some(STUCK))?;
    Ok((client, server))
}

pub fn datagram_socket(ip: IpAddr) -> Result<UdpSocket> {
    let socket = UdpSocket::bind((ip, 0))?;
    socket.set_read_timeout(Some(STUCK))?;
    Ok(socket)
}

/// Sends one datagram, and returns the next one that comes.
///
/// # Errors
/// When none comes for a minute.
pub fn ask(socket: &UdpSocket, server: SocketAddr, datagram: &[u8]) -> Result<Vec<u8>> {
    socket.send_to(datagram, server)?;
    let mut buffer = vec![0; 65_535];
    let size = socket.recv(&mut buffer)?;
    buffer.truncate(size);
    Ok(buffer)
}

/// Whether nothing is there to be read now, and the stream has not ended either.
pub fn is_quiet(mut stream: &TcpStream) -> Result<bool> {
    stream.set_nonblocking(true)?;
    let found = stream.read(&mut [0]);
    stream.set_nonblocking(false)?;
    Ok(found.is_err_and(|e| e.kind() == ErrorKind::WouldBlock))
}

/// Whether a wait timed out: Unix has one error for it, Windows another.
pub fn is_silence(error: ErrorKind) -> bool {
    matches!(error, ErrorKind::WouldBlock | ErrorKind::TimedOut)
}
