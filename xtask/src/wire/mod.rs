//! What crosses between two programs, and who writes it down. Nothing here draws.

pub mod event;
pub mod kernel;
pub mod listening;
pub mod receiving;
pub mod record;
pub mod tcp_relay;
pub mod udp_relay;
