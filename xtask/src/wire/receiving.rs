//! A UDP socket that a thread receives from, until it is dropped.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

pub struct Receiving {
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Receiving {
    /// Hands each datagram and its sender to `take`, and each error; the socket may be sent from meanwhile.
    pub fn start(
        socket: Arc<UdpSocket>,
        mut take: impl FnMut(io::Result<(&[u8], SocketAddr)>) + Send + 'static,
    ) -> io::Result<Self> {
        socket.set_read_timeout(Some(Duration::from_millis(20)))?; // to look whether it is over
        let over = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&over);
        let thread = thread::Builder::new().spawn(move || {
            let mut buffer = vec![0; 65_535];
            while !told.load(Ordering::SeqCst) {
                let received = socket.recv_from(&mut buffer);
                take(received.map(|(size, sender)| (&buffer[..size], sender)));
            }
        })?;
        Ok(Self { over, thread: Some(thread) })
    }
}

impl Drop for Receiving {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
