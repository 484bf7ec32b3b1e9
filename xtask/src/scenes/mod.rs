//! The scenes: one file each, and one line here.

pub mod greet;
pub mod http;
pub mod udp;

use std::net::IpAddr;

use anyhow::Result;

use crate::checks::Checks;
use crate::programs::Program;
use crate::stage::Stage;

/// All scenes, in the order in which they are played.
pub const ALL: [Scene; 3] = [http::SCENE, greet::SCENE, udp::SCENE];

/// Something to see: what it is about, and how it is played.
pub struct Scene {
    /// As it is called on the command line.
    pub name: &'static str,
    /// What it shows, in a line or two.
    pub about: &'static str,
    /// Who stands on the client's and on the server's side.
    pub lanes: (&'static str, &'static str),
    /// Plays it on this loopback address and adds what was found to the checks.
    pub play: fn(&mut Stage, IpAddr, &mut Checks) -> Result<()>,
}

/// Stops a server with Ctrl-C and checks how it ends; false where this cannot be done.
fn stop(stage: &mut Stage, server: Program, checks: &mut Checks) -> Result<bool> {
    let promise = "Ctrl-C stops the server with status 0";
    if !server.interrupt() {
        checks.not_available(promise, "only Unix lets one program send another one its Ctrl-C");
        return Ok(false);
    }
    let outcome = stage.wait_for_end(server)?;
    checks.equal(promise, &outcome.status, &Some(0));
    checks.equal("its last word is 'stopped'", &outcome.said.last().map(String::as_str), &Some("stopped"));
    Ok(true)
}
