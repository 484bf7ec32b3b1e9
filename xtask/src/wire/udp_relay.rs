//! A recording relay of datagrams: it stands on the wire between clients and a server, records what passes, and
//! passes it on, impaired as it was asked for.

use std::collections::HashMap;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Instant;

use common::datagram::is_nobody_there;

use super::delay::delayed;
use super::event::{Recorder, Side, What};
use super::impairments::{Impairer, Impairments};
use super::listening::{Receiving, gives_way};

/// How many clients there may be at once: each has a thread (two, with a delay) and a socket. When one more comes, one
/// [`gives_way`], the longest silent first.
const CLIENTS: usize = 256;
/// How many datagrams may be under way on a wire with a delay; those beyond wait in the sockets.
const UNDER_WAY: usize = 1024;

/// Starts a relay on this socket, with a socket to the server for each client. Each client, with its address, is given a
/// recorder.
pub fn start(
    near: UdpSocket,
    server: SocketAddr,
    mut impairments: Impairments,
    mut recorder_for: impl FnMut(SocketAddr) -> Recorder + Send + 'static,
) -> io::Result<Receiving> {
    let near = Arc::new(near);
    let back = Arc::clone(&near);
    let mut clients = HashMap::<SocketAddr, UdpClient>::new();
    let mut up = delayed(impairments.delay, UNDER_WAY, move |(datagram, from): (Vec<u8>, SocketAddr)| {
        if !clients.contains_key(&from) {
            make_room(&mut clients);
            let recorder = recorder_for(from);
            match meet(&back, from, server, &impairments, recorder.clone()) {
                Ok(client) => drop(clients.insert(from, client)),
                Err(e) => recorder.record(What::refused(&e)),
            }
            impairments.seed = impairments.seed.wrapping_add(1); // the next client's
        }
        let Some(UdpClient { recorder, seen, far, up, .. }) = clients.get_mut(&from) else { return Ok(()) };
        *seen = Instant::now();
        up.pass_on(&datagram, Side::Server, recorder, |bytes| {
            // An error may be the answer to an earlier one, and then this one was not sent.
            let failures = (0..2).map_while(|_| far.send(bytes).err());
            failures.for_each(|e| recorder.record(What::refused(&e)));
        });
        Ok(())
    })?;
    Receiving::start(near, move |received| {
        let _ = received.and_then(|(datagram, from)| up((datagram.to_vec(), from)));
    })
}

fn make_room(clients: &mut HashMap<SocketAddr, UdpClient>) {
    if clients.len() < CLIENTS {
        return;
    }
    let mut by_silence: Vec<_> = clients.iter().map(|(address, client)| (client.seen, *address)).collect();
    by_silence.sort_unstable();
    let addresses: Vec<_> = by_silence.iter().map(|(_, address)| address.ip()).collect();
    if let Some(client) = gives_way(&addresses).and_then(|at| clients.remove(&by_silence[at].1)) {
        client.recorder.record(What::GaveWay);
    }
}

struct UdpClient {
    recorder: Recorder,
    seen: Instant,
    far: Arc<UdpSocket>,
    up: Impairer,
    _down: Receiving,
}

fn meet(
    near: &Arc<UdpSocket>,
    client: SocketAddr,
    server: SocketAddr,
    impairments: &Impairments,
    recorder: Recorder,
) -> io::Result<UdpClient> {
    let far = Arc::new(UdpSocket::bind(if server.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" })?);
    far.connect(server)?;
    let up = Impairer::new(&impairments.up, impairments.seed);
    let mut down = Impairer::new(&impairments.down, !impairments.seed);
    let (near, told) = (Arc::clone(near), recorder.clone());
    let mut pass = delayed(impairments.delay, UNDER_WAY, move |datagram: Vec<u8>| {
        down.pass_on(&datagram, Side::Client, &told, |bytes| {
            let _ = near.send_to(bytes, client); // one that is gone does not hear it
        });
        Ok(())
    })?;
    let refused = recorder.clone();
    let down = Receiving::start(Arc::clone(&far), move |received| match received {
        Ok((datagram, _)) => drop(pass(datagram.to_vec())),
        Err(e) if is_nobody_there(&e) => refused.record(What::refused(&e)),
        Err(_) => {}
    })?;
    Ok(UdpClient { recorder, seen: Instant::now(), far, up, _down: down })
}
