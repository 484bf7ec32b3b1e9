//! Threads that run until they are dropped, such as one that receives from a UDP socket.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// How often a thread that receives looks whether it is over.
pub const GLANCE: Duration = Duration::from_millis(20);

/// A thread that is told to end when this is dropped, and waited for.
pub struct RunningThread {
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl RunningThread {
    /// Starts it; `over` says when it has to end.
    pub fn start(run: impl FnOnce(&AtomicBool) + Send + 'static) -> io::Result<Self> {
        let over = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&over);
        let thread = thread::Builder::new().spawn(move || run(&told))?;
        Ok(Self { over, thread: Some(thread) })
    }

    /// Hands each datagram and its sender to `take`; the socket may be sent from meanwhile.
    pub fn receiving(
        socket: Arc<UdpSocket>,
        mut take: impl FnMut(&[u8], SocketAddr) + Send + 'static,
    ) -> io::Result<Self> {
        socket.set_read_timeout(Some(GLANCE))?;
        Self::start(move |over| {
            let mut buffer = vec![0; 65_535];
            while !over.load(Ordering::SeqCst) {
                let Ok((size, sender)) = socket.recv_from(&mut buffer) else { continue };
                take(&buffer[..size], sender);
            }
        })
    }
}

impl Drop for RunningThread {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
