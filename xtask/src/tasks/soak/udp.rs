//! udp-server in a flood.

use std::net::UdpSocket;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::Result;

use super::{Size, Tried, no_proc, plays_all, stop_in_time};
use crate::exercises::UDP_SERVER;
use crate::programs::server::Server;
use crate::wire::kernel::dropped;
use crate::words::Words;

pub fn burst(size: Size) -> Result<Tried> {
    let sent = size.of(20_000, 500);
    let server = Server::start("udp-server", &["--quiet"])?;
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    socket.connect(server.address)?;
    for number in 0..sent {
        socket.send(number.to_string().as_bytes())?;
    }
    // Every datagram is accounted for: answered and read here, or dropped at one of the two queues. When the last one
    // was, nothing more comes; a slow machine gets two seconds for it.
    socket.set_read_timeout(Some(Duration::from_secs(2)))?;
    let mut answered = 0;
    while socket.recv(&mut [0; 64]).is_ok() {
        answered += 1;
    }
    let there = dropped(server.address).ok_or_else(no_proc)?;
    let here = dropped(socket.local_addr()?).ok_or_else(no_proc)?;
    // It serves as before, whatever clients do.
    plays_all(&server, &UDP_SERVER)?;
    let figures = words!(
        "{answered} answered + {there} dropped there + {here} dropped here",
        "应答 {answered} 个 + 那端丢弃 {there} 个 + 这端丢弃 {here} 个"
    );
    Ok((answered + there + here == sent, figures))
}

pub fn stop_in_the_flood(size: Size) -> Result<Tried> {
    let server = Server::start("udp-server", &["--quiet"])?;
    let (address, over) = (server.address, AtomicBool::new(false));
    thread::scope(|scope| {
        scope.spawn(|| {
            let Ok(socket) = UdpSocket::bind("127.0.0.1:0") else { return };
            while !over.load(Ordering::Relaxed) {
                let _ = socket.send_to(b"flood", address);
            }
        });
        thread::sleep(Duration::from_millis(100));
        let stopped = stop_in_time(size, server, true, &Words::fixed("it was flooded", "数据报不断涌来"));
        over.store(true, Ordering::Relaxed);
        stopped
    })
}
