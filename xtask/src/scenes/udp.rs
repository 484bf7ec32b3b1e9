//! Names and greetings as datagrams, one of which is lost.

use std::net::{IpAddr, SocketAddr};

use anyhow::Result;

use super::Scene;
use crate::checks::Checks;
use crate::relay::Plan;
use crate::stage::{Lane, Stage};

/// The scene.
pub const SCENE: Scene = Scene {
    name: "udp",
    about: "udp-client sends three names as datagrams. The wire loses the second one, and nobody but the\n\
            client can notice: it asks again.",
    lanes: ("udp-client", "udp-server"),
    play,
};

const NAMES: [&str; 3] = ["Michael", "Tracy", "Sarah"];

fn play(stage: &mut Stage, ip: IpAddr, checks: &mut Checks) -> Result<()> {
    let bind = SocketAddr::new(ip, 0).to_string();
    let (server, address) = stage.start_server("udp-server", &[&bind])?;
    let wire = stage.relay_udp(address, Plan { lost: vec![2] })?.to_string();
    let client = stage.start(
        Lane::Client,
        "",
        "udp-client",
        &[&wire, NAMES[0], NAMES[1], NAMES[2], "--tries", "100"],
    )?;
    let outcome = stage.wait_for_end(client)?;
    let greetings = NAMES.map(|name| format!("Hello, {name}!"));
    checks.equal("each name gets its own greeting, in order", &outcome.said, &greetings.to_vec());
    checks.equal("udp-client exits with 0", &outcome.status, &Some(0));

    // A slow machine may make the client ask more often than the loss alone does; never less often.
    let asked = stage.pieces("", Lane::Server);
    let times = |name: &str| asked.iter().filter(|datagram| **datagram == name.as_bytes()).count();
    checks.holds("the name that was lost was sent again", times(NAMES[1]) >= 2, &asked);
    let is_a_name = |datagram: &&[u8]| NAMES.iter().any(|name| name.as_bytes() == *datagram);
    checks.holds(
        "each datagram is one name, nothing before or behind it",
        asked.iter().all(is_a_name),
        &asked,
    );
    let answers = stage.pieces("", Lane::Client);
    let is_greeting = |datagram: &&[u8]| greetings.iter().any(|greeting| greeting.as_bytes() == *datagram);
    checks.holds("each reply is one greeting", answers.iter().all(is_greeting), &answers);

    super::stop(stage, server, checks)?;
    Ok(())
}
