//! The one system call of the notes that std does not offer: `listen` with a backlog.

use std::io;
use std::net::TcpListener;

/// Lets `length` connections wait for `accept`: calls listen(2) once more on a listening socket, which sets the new
/// number on Linux, macOS and the BSDs. The kernel has its own limit (Linux: net.core.somaxconn). On other systems
/// std's number stays.
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

/// Keeps std's number.
#[cfg(not(unix))]
pub fn set(_listener: &TcpListener, _length: u16) -> io::Result<()> {
    Ok(())
}
