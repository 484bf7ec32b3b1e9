//! How large a UDP datagram can be.

use std::net::{IpAddr, SocketAddr};

/// Room for any datagram: with less, recv(2) cuts one silently (and Windows reports error 10040).
pub const BUFFER: usize = 65_535;

/// The most bytes in one datagram, whoever its peer: over IPv6, where the headers take least of them.
pub const LARGEST: usize = 65_535 - 8;

/// The most bytes in one datagram to `peer`: what a 16-bit length leaves beside the headers, which are 20 + 8
/// bytes in IPv4 (RFC 791, RFC 768) and 8 in IPv6 (RFC 8200 counts its payload alone). A system may
/// send less: macOS stops at 9,216 bytes unless told otherwise.
pub fn largest(peer: SocketAddr) -> usize {
    match peer.ip().to_canonical() {
        IpAddr::V4(_) => LARGEST - 20,
        IpAddr::V6(_) => LARGEST,
    }
}
