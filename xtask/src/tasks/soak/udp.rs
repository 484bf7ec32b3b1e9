//! udp-server in a flood.

use std::net::UdpSocket;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::Result;

use super::{Size, Tried, stop_in_time};
use crate::programs::server::Server;
use crate::words::Words;

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
