//! Three clients at once, each with a connection and a thread of its own.

use std::net::{IpAddr, SocketAddr, TcpListener};

use anyhow::Result;
use common::greeting;

use super::Scene;
use crate::checks::Checks;
use crate::relay::Gate;
use crate::stage::{Lane, Stage};

/// The scene.
pub const SCENE: Scene = Scene {
    name: "greet",
    about: "tcp-server greets three clients at once. None may speak before all three are welcomed:\n\
            a server that serves one client at a time would never get there.",
    lanes: ("tcp-client", "tcp-server"),
    play,
};

const CLIENTS: [(&str, [&str; 2]); 3] =
    [("#1", ["Michael", "张三"]), ("#2", ["Tracy", "Li"]), ("#3", ["Sarah", "Bob"])];

fn play(stage: &mut Stage, ip: IpAddr, checks: &mut Checks) -> Result<()> {
    let listen = SocketAddr::new(ip, 0).to_string();
    let (server, address) = stage.start_server("tcp-server", &[&listen, "--delay", "0.2"])?;
    let gate = Gate::default();
    let mut clients = Vec::new();
    for (label, names) in CLIENTS {
        let wire = stage.relay_tcp(label, address, &gate)?.to_string();
        clients.push(stage.start(
            Lane::Client,
            label,
            "tcp-client",
            &["greet", &wire, names[0], names[1]],
        )?);
    }
    stage.wait_until(|events| {
        let welcomed = |label| events.iter().any(|event| event.label == label && event.is_line("Welcome!"));
        CLIENTS.iter().all(|(label, _)| welcomed(*label)).then_some(())
    })?;
    checks.equal(
        "all three are welcomed before any of them speaks",
        &stage.pieces("#1", Lane::Server).len(),
        &0,
    );
    gate.open();

    for (client, (label, names)) in clients.into_iter().zip(CLIENTS) {
        let outcome = stage.wait_for_end(client)?;
        let greetings = names.map(|name| format!("Hello, {name}!"));
        let expected = [&["Welcome!".to_owned()][..], &greetings].concat();
        checks.equal(
            &format!("{label} is welcomed, and greeted by each of its names"),
            &outcome.said,
            &expected,
        );
        checks.equal(&format!("{label} exits with 0"), &outcome.status, &Some(0));
        let sent = names.map(|name| format!("{name}\n")).concat() + "exit\n";
        let up = stage.crossed(label, Lane::Server);
        checks.equal(&format!("{label} sent a line for each name, and exit"), &up, &sent.into_bytes());
        let down: usize = greetings.iter().map(|greeting| greeting.len() + 1).sum();
        let received = stage.crossed(label, Lane::Client).len();
        let expected = greeting::WELCOME.len() + 1 + down;
        checks.equal(&format!("{label} got as many bytes back as that makes"), &received, &expected);
    }
    if super::stop(stage, server, checks)? {
        let again = TcpListener::bind(address).map(|_| ()).map_err(|e| e.to_string());
        checks.equal("its port can be bound again at once", &again, &Ok(()));
    }
    Ok(())
}
