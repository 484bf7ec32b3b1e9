//! A server that a client of ours meets, scripted by a closure: it answers, lies, is late or silent. Over TCP the script
//! is a conversation, over UDP it returns the answers to each datagram.

use std::io::{self, Write};
use std::net::{IpAddr, Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use common::timed_stream::TimedStream;

use crate::wire::listening::{Listening, Receiving};
use crate::wire::record::STUCK;

/// How long a client may stay.
const STAY: Duration = Duration::from_secs(3600);

/// Over TCP, plays the script with one client after another, shuts down its half, and reads until the client ends. Dropped,
/// it waits for the script that is being played: the client must have left, or be leaving.
pub fn speaking(
    ip: IpAddr,
    mut script: impl FnMut(&mut TcpStream) -> io::Result<()> + Send + 'static,
) -> io::Result<Listening> {
    Listening::start(TcpListener::bind((ip, 0))?, move |mut client, _| {
        // So that no client holds up the script forever.
        let _ = client.set_read_timeout(Some(STUCK)).and_then(|()| client.set_write_timeout(Some(STUCK)));
        if script(&mut client).is_ok() {
            let _ = client.shutdown(Shutdown::Write).and_then(|()| until_it_leaves(&client));
        }
    })
}

/// Over UDP, sends back what the script returns for each datagram; where it is a stranger, from another port than the one
/// that was asked.
pub fn answering(
    ip: IpAddr,
    is_stranger: bool,
    mut script: impl FnMut(&[u8]) -> Vec<Vec<u8>> + Send + 'static,
) -> io::Result<(SocketAddr, Receiving)> {
    let asked = Arc::new(UdpSocket::bind((ip, 0))?);
    let address = asked.local_addr()?;
    let speaker = if is_stranger { Arc::new(UdpSocket::bind((ip, 0))?) } else { Arc::clone(&asked) };
    let receiving = Receiving::start(asked, move |received| {
        let Ok((datagram, peer)) = received else { return };
        for reply in script(datagram) {
            let _ = speaker.send_to(&reply, peer); // the client may be gone
        }
    })?;
    Ok((address, receiving))
}

/// Says the same again and again, until the client leaves.
///
/// # Errors
/// Always, in the end: with how it left.
pub fn repeat(stream: &mut TcpStream, bytes: &[u8]) -> io::Result<()> {
    loop {
        stream.write_all(bytes)?;
    }
}

/// Reads on until the client leaves.
///
/// # Errors
/// When it leaves with a reset.
pub fn until_it_leaves(stream: &TcpStream) -> io::Result<()> {
    io::copy(&mut TimedStream::new(stream, STAY, STAY), &mut io::sink()).map(|_| ())
}
