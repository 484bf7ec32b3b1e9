//! A listener that a thread accepts from, until it is dropped.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use common::address;

/// How long to leave a system alone that has no socket to give.
const BACK_OFF: Duration = Duration::from_millis(50);

/// The listener and its thread.
pub struct Listening {
    /// Where it listens.
    pub address: SocketAddr,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Listening {
    /// Has `serve` take the clients as they come, on a thread of its own; they end when this is dropped.
    pub fn start(
        listener: TcpListener,
        serve: impl FnOnce(&mut dyn Iterator<Item = TcpStream>) + Send + 'static,
    ) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let over = Arc::new(AtomicBool::new(false));
        let ending = Arc::clone(&over);
        let thread = thread::Builder::new().spawn(move || {
            let accepted = listener.incoming().take_while(|_| !ending.load(Ordering::SeqCst));
            serve(&mut accepted.filter_map(|client| client.map_err(|_| thread::sleep(BACK_OFF)).ok()));
        })?;
        Ok(Self { address, over, thread: Some(thread) })
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        // A knock: nothing else wakes accept. Where there is no socket for it, the thread ends with the process.
        let knock = TcpStream::connect(address::reachable(self.address));
        if let Some(thread) = self.thread.take().filter(|_| knock.is_ok()) {
            let _ = thread.join();
        }
    }
}
