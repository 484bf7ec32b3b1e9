//! A recording relay of datagrams: it stands on the wire between a client and a server, records what passes, and
//! passes it on by a plan.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex, PoisonError};

use super::event::{Lane, Recorder, What};
use super::receiving::Receiving;

/// A relay of datagrams that runs until it is dropped.
pub struct UdpRelay {
    /// Where the client finds it.
    pub address: SocketAddr,
    _both_ways: [Receiving; 2],
}

/// What becomes of a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It never arrives.
    Lost,
    /// It arrives twice.
    Twice,
    /// It arrives behind the next one.
    Late,
}

/// The fates of datagrams, counted from 1; all others arrive once and in order.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// Of the client's.
    pub up: Vec<(usize, Fate)>,
    /// Of the server's.
    pub down: Vec<(usize, Fate)>,
}

/// One direction of a plan, as it is carried out.
struct Carrier {
    fates: Vec<(usize, Fate)>,
    count: usize,
    late: Vec<Vec<u8>>,
}

impl Carrier {
    fn new(fates: Vec<(usize, Fate)>) -> Self {
        Self { fates, count: 0, late: Vec::new() }
    }

    /// What arrives now that this datagram was sent, and its fate.
    fn carry(&mut self, datagram: &[u8]) -> (Vec<Vec<u8>>, Option<Fate>) {
        self.count += 1;
        let fate = self.fates.iter().find(|(number, _)| *number == self.count).map(|(_, fate)| *fate);
        let copies = match fate {
            Some(Fate::Lost | Fate::Late) => 0,
            Some(Fate::Twice) => 2,
            None => 1,
        };
        let mut arriving = vec![datagram.to_vec(); copies];
        arriving.append(&mut self.late);
        if fate == Some(Fate::Late) {
            self.late.push(datagram.to_vec());
        }
        (arriving, fate)
    }

    fn pass_on(&mut self, datagram: &[u8], toward: Lane, recorder: &Recorder, send: impl Fn(&[u8])) {
        let (arriving, fate) = self.carry(datagram);
        match fate {
            Some(Fate::Lost) => recorder.record(What::Sent { toward, bytes: datagram.into(), lost: true }),
            Some(Fate::Late) => recorder.record(What::Late { toward, bytes: datagram.into() }),
            Some(Fate::Twice) | None => {}
        }
        for bytes in arriving {
            recorder.record(What::Sent { toward, bytes: bytes.clone(), lost: false });
            send(&bytes);
        }
    }
}

/// Starts a relay in front of a UDP server, with the server's IP version, for one client at a time.
///
/// # Errors
/// When the system gives it no socket.
pub fn start(upstream: SocketAddr, plan: Plan, recorder: Recorder) -> io::Result<UdpRelay> {
    let anywhere = SocketAddr::new(upstream.ip(), 0);
    let near = Arc::new(UdpSocket::bind(anywhere)?);
    let far = Arc::new(UdpSocket::bind(anywhere)?);
    far.connect(upstream)?;
    let address = near.local_addr()?;
    let client = Arc::new(Mutex::new(None));

    let (from, to, peers, notes) =
        (Arc::clone(&near), Arc::clone(&far), Arc::clone(&client), recorder.clone());
    let mut carrier = Carrier::new(plan.up);
    let up = Receiving::start(from, move |datagram, peer| {
        *peers.lock().unwrap_or_else(PoisonError::into_inner) = Some(peer);
        carrier.pass_on(datagram, Lane::Server, &notes, |bytes| _ = to.send(bytes));
    })?;
    let mut carrier = Carrier::new(plan.down);
    let down = Receiving::start(far, move |datagram, _| {
        let Some(peer) = *client.lock().unwrap_or_else(PoisonError::into_inner) else { return };
        carrier.pass_on(datagram, Lane::Client, &recorder, |bytes| _ = near.send_to(bytes, peer));
    })?;
    Ok(UdpRelay { address, _both_ways: [up, down] })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::ErrorKind;
    use std::net::TcpListener;
    use std::sync::mpsc;

    #[test]
    fn a_relay_of_datagrams_leaves_tcp_alone() {
        let recorder = Recorder::new("", mpsc::channel().0);
        // The two protocols count their ports apart; of a free one there are many.
        let (relay, listener) = loop {
            let nobody = SocketAddr::from(([127, 0, 0, 1], 9));
            let relay = start(nobody, Plan::default(), recorder.clone()).unwrap();
            if let Ok(listener) = TcpListener::bind(relay.address) {
                break (relay, listener);
            }
        };
        listener.set_nonblocking(true).unwrap();
        drop(relay);
        assert_eq!(listener.accept().map_err(|e| e.kind()).err(), Some(ErrorKind::WouldBlock));
    }

    #[test]
    fn a_plan_is_carried_out_to_the_letter() {
        let mut carrier =
            Carrier::new(vec![(2, Fate::Late), (4, Fate::Lost), (5, Fate::Twice), (6, Fate::Late)]);
        let arrived: Vec<u8> = (1..=7).flat_map(|number| carrier.carry(&[number]).0.concat()).collect();
        assert_eq!(arrived, [1, 3, 2, 5, 5, 7, 6]);
    }
}
