//! What crosses between two programs, and who writes it down. Nothing here draws.

pub mod awaited;
pub mod delay;
pub mod event;
pub mod impairments;
pub mod kernel;
pub mod listening;
pub mod record;
pub mod request;
pub mod tcp_relay;
pub mod udp_relay;
