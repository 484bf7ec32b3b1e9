//! A UDP socket that a thread receives from, until it is dropped.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// How often it looks whether it is over.
const GLANCE: Duration = Duration::from_millis(20);

/// The thread; the socket may be sent from meanwhile.
pub struct Receiving {
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Receiving {
    /// Hands each datagram and its sender to `take`, on a thread of its own; it ends when this is dropped.
    pub fn start(
        socket: Arc<UdpSocket>,
        mut take: impl FnMut(&[u8], SocketAddr) + Send + 'static,
    ) -> io::Result<Self> {
        socket.set_read_timeout(Some(GLANCE))?;
        let over = Arc::new(AtomicBool::new(false));
        let ending = Arc::clone(&over);
        let thread = thread::Builder::new().spawn(move || {
            let mut buffer = vec![0; 65_535];
            while !ending.load(Ordering::SeqCst) {
                let Ok((size, sender)) = socket.recv_from(&mut buffer) else { continue };
                take(&buffer[..size], sender);
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
