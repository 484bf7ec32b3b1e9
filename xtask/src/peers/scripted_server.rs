//! A server that a client of ours meets, scripted by a closure: it answers, lies, is late or silent. Over TCP the script
//! is a conversation, over UDP it returns the answers to each datagram. Dropping the server interrupts its script.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use common::timed_stream::TimedStream;

use crate::wire::listening::Listening;
use crate::wire::receiving::Receiving;
use crate::wire::record::STUCK;

/// How long a client may stay, and how many bytes of what it says are kept.
const STAY: Duration = Duration::from_secs(3600);
const LIMIT: u64 = 1 << 20;

/// A scripted server, on its own thread.
pub struct ScriptedServer {
    pub address: SocketAddr,
    heard: Receiver<io::Result<Vec<u8>>>,
    _running: Box<dyn Send>, // until it is dropped
}

impl ScriptedServer {
    /// Over TCP, for one client after another: plays the script, shuts down its half, and reads until the client ends.
    pub fn speaking(
        ip: IpAddr,
        mut script: impl FnMut(&mut TcpStream) -> io::Result<()> + Send + 'static,
    ) -> io::Result<Self> {
        Self::serving(ip, move |stream| {
            script(stream)?;
            let _ = stream.shutdown(Shutdown::Write);
            let mut heard = Vec::new();
            let _ = TimedStream::new(stream, STAY, STAY).take(LIMIT).read_to_end(&mut heard);
            Ok(heard)
        })
    }

    /// Over TCP, for one client after another: a script that returns what it heard.
    pub(super) fn serving(
        ip: IpAddr,
        mut script: impl FnMut(&mut TcpStream) -> io::Result<Vec<u8>> + Send + 'static,
    ) -> io::Result<Self> {
        let (hearing, heard) = mpsc::channel();
        let conversation = Conversation::default();
        let held = Conversation(Arc::clone(&conversation.0));
        let listening = Listening::start(TcpListener::bind((ip, 0))?, move |client, _| {
            let _ = hearing.send(held.hold(client, &mut script));
        })?;
        let address = listening.address;
        // In this order: first the script is interrupted, then its thread is waited for.
        Ok(Self { address, heard, _running: Box::new((conversation, listening)) })
    }

    /// Over UDP: sends back what the script returns for each datagram, which are counted from 0.
    pub fn answering(
        ip: IpAddr,
        script: impl FnMut(usize, &[u8]) -> Vec<Vec<u8>> + Send + 'static,
    ) -> io::Result<Self> {
        let asked = Arc::new(UdpSocket::bind((ip, 0))?);
        Self::answering_from(Arc::clone(&asked), asked, script)
    }

    /// As [`ScriptedServer::answering`], but the answers come from another port than the one that was asked.
    pub fn answered_by_a_stranger(
        ip: IpAddr,
        script: impl FnMut(usize, &[u8]) -> Vec<Vec<u8>> + Send + 'static,
    ) -> io::Result<Self> {
        Self::answering_from(Arc::new(UdpSocket::bind((ip, 0))?), Arc::new(UdpSocket::bind((ip, 0))?), script)
    }

    fn answering_from(
        asked: Arc<UdpSocket>,
        speaker: Arc<UdpSocket>,
        mut script: impl FnMut(usize, &[u8]) -> Vec<Vec<u8>> + Send + 'static,
    ) -> io::Result<Self> {
        let (hearing, heard) = mpsc::channel();
        let address = asked.local_addr()?;
        let mut number = 0;
        let receiving = Receiving::start(asked, move |received| {
            let Ok((datagram, peer)) = received else { return };
            let _ = hearing.send(Ok(datagram.to_vec()));
            for reply in script(number, datagram) {
                let _ = speaker.send_to(&reply, peer); // the client may be gone
            }
            number += 1;
        })?;
        Ok(Self { address, heard, _running: Box::new(receiving) })
    }

    /// What the next client said, once it has left, less what the script read of it (an origin: its request); over
    /// UDP, the next datagram.
    ///
    /// # Errors
    /// What the script met with, and when nobody comes for a minute.
    pub fn heard(&self) -> Result<Vec<u8>> {
        Ok(self.heard.recv_timeout(STUCK).context("nobody came")??)
    }
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

/// The connection that the script is using; dropped, it is shut down, and no other one is begun.
#[derive(Default)]
struct Conversation(Arc<Mutex<Talking>>);

#[derive(Default)]
struct Talking {
    client: Option<TcpStream>,
    is_over: bool,
}

impl Conversation {
    fn state(&self) -> MutexGuard<'_, Talking> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Plays the script with a client, unless the server has been dropped.
    fn hold(
        &self,
        mut client: TcpStream,
        script: impl FnOnce(&mut TcpStream) -> io::Result<Vec<u8>>,
    ) -> io::Result<Vec<u8>> {
        let mut state = self.state();
        if state.is_over {
            return Err(ErrorKind::ConnectionAborted.into());
        }
        state.client = Some(client.try_clone()?);
        drop(state);
        // On Windows, a waiting call is not woken when the connection is shut down.
        client.set_read_timeout(Some(STUCK))?;
        client.set_write_timeout(Some(STUCK))?;
        let heard = script(&mut client);
        self.state().client = None; // a connection closes with its last handle
        heard
    }
}

impl Drop for Conversation {
    fn drop(&mut self) {
        let mut state = self.state();
        state.is_over = true;
        if let Some(client) = &state.client {
            let _ = client.shutdown(Shutdown::Both);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peers::sockets::connect;
    use std::net::Ipv4Addr;

    #[test]
    fn a_server_that_is_dropped_ends_its_script_and_begins_no_other() {
        let script = |stream: &mut TcpStream| {
            stream.write_all(b"x")?;
            until_it_leaves(stream)
        };
        let server = ScriptedServer::speaking(Ipv4Addr::LOCALHOST.into(), script).unwrap();
        let [mut talking, mut waiting] = [(); 2].map(|()| connect(server.address).unwrap());
        talking.read_exact(&mut [0]).unwrap();
        drop(server);
        assert_eq!(talking.read(&mut [0]).unwrap(), 0);
        assert_ne!(waiting.read(&mut [0]).unwrap_or(0), 1);
    }
}
