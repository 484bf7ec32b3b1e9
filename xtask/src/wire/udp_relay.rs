//! A recording relay of datagrams: it stands on the wire between clients and a server, records what passes, and
//! passes it on, impaired as it was asked for.

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Instant;

use common::datagram::is_nobody_there;

use super::delay::delayed;
use super::event::{Recorder, Side, What};
use super::impairments::{Impairer, Impairments};
use super::listening::gives_way;
use super::receiving::Receiving;

/// How many clients there may be at once: each has a thread (two, with a delay) and a socket. When one more comes, one
/// [`gives_way`], the longest silent first.
const CLIENTS: usize = 256;
/// How many datagrams may be under way on a wire with a delay; those beyond wait in the sockets.
const UNDER_WAY: usize = 1024;

/// Starts a relay in front of a UDP server, with the server's IP version; returns where it is.
pub fn start(
    server: SocketAddr,
    impairments: Impairments,
    recorder: Recorder,
) -> io::Result<(SocketAddr, Receiving)> {
    let near = UdpSocket::bind(SocketAddr::new(server.ip(), 0))?;
    Ok((near.local_addr()?, on(near, server, impairments, move |_| recorder.clone())?))
}

/// Starts a relay on this socket, with a socket to the server for each client. Each client, with its address, is given a
/// recorder.
pub fn on(
    near: UdpSocket,
    server: SocketAddr,
    impairments: Impairments,
    mut recorder_for: impl FnMut(SocketAddr) -> Recorder + Send + 'static,
) -> io::Result<Receiving> {
    let near = Arc::new(near);
    let delay = impairments.delay;
    let mut link = UdpLink { near: Arc::clone(&near), server, impairments };
    let mut clients = HashMap::<SocketAddr, UdpClient>::new();
    let mut up = delayed(delay, UNDER_WAY, move |(datagram, from): (Vec<u8>, SocketAddr)| {
        if !clients.contains_key(&from) {
            make_room(&mut clients);
            let recorder = recorder_for(from);
            match link.meet(from, recorder.clone()) {
                Ok(client) => drop(clients.insert(from, client)),
                Err(e) => recorder.record(What::refused(&e)),
            }
        }
        clients.get_mut(&from).into_iter().for_each(|client| client.says(&datagram));
        Ok(())
    })?;
    Receiving::start(near, move |received| {
        let _ = received.and_then(|(datagram, from)| up((datagram.to_vec(), from)));
    })
}

/// Has one client give way where all places are taken.
fn make_room(clients: &mut HashMap<SocketAddr, UdpClient>) {
    if clients.len() < CLIENTS {
        return;
    }
    let mut by_silence: Vec<_> = clients.iter().map(|(address, client)| (client.seen, *address)).collect();
    by_silence.sort_unstable();
    let first = gives_way(by_silence.iter().map(|(_, address)| address.ip()));
    if let Some(client) = first.and_then(|at| clients.remove(&by_silence[at].1)) {
        client.recorder.record(What::GaveWay);
        client.down.let_go(); // others come meanwhile
    }
}

/// The way to the server, the same for all clients.
struct UdpLink {
    near: Arc<UdpSocket>,
    server: SocketAddr,
    /// Their seed is the next client's.
    impairments: Impairments,
}

/// A client, and its own socket to the server.
struct UdpClient {
    recorder: Recorder,
    /// When it last said something.
    seen: Instant,
    far: Arc<UdpSocket>,
    up: Impairer,
    down: Receiving,
}

impl UdpLink {
    fn meet(&mut self, address: SocketAddr, recorder: Recorder) -> io::Result<UdpClient> {
        let any =
            if self.server.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
        let far = Arc::new(UdpSocket::bind(SocketAddr::new(any, 0))?);
        far.connect(self.server)?;
        let seed = self.impairments.seed;
        self.impairments.seed = seed.wrapping_add(1);
        let up = Impairer::new(&self.impairments.up, seed);
        let mut down = Impairer::new(&self.impairments.down, !seed);
        let (near, told) = (Arc::clone(&self.near), recorder.clone());
        let mut pass = delayed(self.impairments.delay, UNDER_WAY, move |datagram: Vec<u8>| {
            down.pass_on(&datagram, Side::Client, &told, |bytes| {
                let _ = near.send_to(bytes, address); // one that is gone does not hear it
            });
            Ok(())
        })?;
        let refused = recorder.clone();
        let down = Receiving::start(Arc::clone(&far), move |received| match received {
            Ok((datagram, _)) => drop(pass(datagram.to_vec())),
            Err(e) if is_nobody_there(&e) => refused.record(What::refused(&e)),
            Err(_) => {}
        })?;
        Ok(UdpClient { recorder, seen: Instant::now(), far, up, down })
    }
}

impl UdpClient {
    /// Passes a datagram of its on. An error may be the answer to an earlier one, and then this one was not sent.
    fn says(&mut self, datagram: &[u8]) {
        self.seen = Instant::now();
        let (far, recorder) = (&self.far, &self.recorder);
        self.up.pass_on(datagram, Side::Server, recorder, |bytes| {
            let failures = (0..2).map_while(|_| far.send(bytes).err());
            failures.for_each(|e| recorder.record(What::refused(&e)));
        });
    }
}
