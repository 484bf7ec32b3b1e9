//! The one system call of the notes that std does not offer: `listen` with a number of one's own.

use std::io;
use std::net::TcpListener;

/// Lets `length` connections wait for `accept`: listen(2) once more, on a socket that listens already, which
/// on Linux and the BSDs (macOS among them) takes the new number. The kernel keeps to its own limit
/// (Linux: net.core.somaxconn). Where the system is no Unix, std's number stays.
///
/// # Errors
/// What listen(2) reports.
#[cfg(unix)]
pub fn set(listener: &TcpListener, length: u16) -> io::Result<()> {
    use std::os::fd::AsRawFd;

    #[expect(unsafe_code, reason = "declares listen(2): two integers, no memory")]
    unsafe extern "C" {
        safe fn listen(socket: i32, backlog: i32) -> i32;
    }
    match listen(listener.as_raw_fd(), length.into()) {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Lets the system's own number stay.
#[cfg(not(unix))]
pub fn set(_listener: &TcpListener, _length: u16) -> io::Result<()> {
    Ok(())
}
