//! A page fetched once for each way in which a body can end.

use std::fs;
use std::net::IpAddr;

use anyhow::Result;

use super::Scene;
use crate::checks::Checks;
use crate::origin::{Origin, PAGES};
use crate::relay::Gate;
use crate::stage::{Lane, Stage};

/// The scene.
pub const SCENE: Scene = Scene {
    name: "http",
    about: "tcp-client fetches a page, once for each way in which the body of a reply can end.",
    lanes: ("tcp-client", "an HTTP origin"),
    play,
};

fn play(stage: &mut Stage, ip: IpAddr, checks: &mut Checks) -> Result<()> {
    let origin = Origin::start(ip, stage.recorder(""))?;
    for (number, page) in (1..).zip(&PAGES) {
        let label = format!("#{number}");
        let wire = stage.relay_tcp(&label, origin.address, &Gate::open_already())?;
        let url = format!("http://{wire}{}", page.path);
        let client = stage.start(Lane::Client, &label, "tcp-client", &["get", &url])?;
        let outcome = stage.wait_for_end(client)?;

        let request = format!("GET {} HTTP/1.1\r\nHost: {wire}\r\nConnection: close\r\n\r\n", page.path);
        let asked = stage.crossed(&label, Lane::Server);
        checks.equal(&format!("{label} the request crossed the wire whole"), &asked, &request.into_bytes());
        let promise = format!("{label} the body ends {}", page.how);
        if let Some(body) = page.body {
            let saved = fs::read(stage.directory().join(page.path.trim_start_matches('/'))).ok();
            checks.equal(&format!("{promise}: saved"), &saved, &Some(body.to_vec()));
            checks.equal(&format!("{label} tcp-client exits with 0"), &outcome.status, &Some(0));
        } else {
            let is_said =
                outcome.complained.iter().any(|line| line.contains("cut short after 6 of 13 bytes"));
            checks.holds(&format!("{promise}: said"), is_said, &outcome.complained);
            checks.equal(&format!("{label} tcp-client exits with 1"), &outcome.status, &Some(1));
        }
    }
    let whole = PAGES.iter().filter(|page| page.body.is_some()).count();
    let left = fs::read_dir(stage.directory())?.count();
    checks.equal("only complete bodies are left on the disk", &left, &whole);
    Ok(())
}
