//! `cargo xtask tap`: a recording relay in front of somebody's server, for whoever wants to see what crosses the wire.

mod attendance;
mod options;
mod sums;
mod watch;

use std::mem;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use common::address::{self, HostPort};
use common::args::{self, Args};
use common::backlog;
use common::narration::HINT;
use common::narrator::Narrator;
use common::stop::Stop;
use common::text;

use crate::drawing::entry::{Entry, Lanes};
use crate::drawing::live::Live;
use crate::drawing::page::{self, Chapter, Cover};
use crate::drawing::style::Style;
use crate::drawing::transcript::Transcript;
use crate::tasks::wanted::Wanted;
use crate::wire::event::{Event, Recorder, What};
use crate::wire::listening::canonical;
use crate::wire::{tcp_relay, udp_relay};
use crate::words::Words;
use attendance::Attendance;
use options::{TapOptions, Wire};
use watch::{Telling, Watch};

/// How often the tap looks whether something has paused, and whether Ctrl-C was pressed.
const TICK: Duration = Duration::from_millis(100);
/// How many events may wait to be told; a relay that records more waits.
const WAITING: usize = 4096;
/// To wake a thread for every read costs more than the read: after one event, others gather for so long.
const NAP: Duration = Duration::from_millis(5);
/// How many bytes of a payload are kept: more than an arrow can show, and the longest name.
const KEPT: usize = 1024;

pub fn run(args: Args) -> Result<()> {
    let TapOptions { server, listen, wire, roll, html, live, style } = TapOptions::of(args)?;
    let style = Style { bare: true, ..style };
    let lang = style.lang;
    let is_udp = matches!(wire, Wire::Udp(..));
    let roll = roll.map(|file| Attendance::read(&file, is_udp)).transpose()?;
    let page = html.as_deref().map(|file| Wanted::open("--html", file, "html")).transpose()?;
    let stop = Stop::on_signal(|| {})?; // the tap looks by itself
    let (events, happened) = mpsc::sync_channel(WAITING);
    let words = start(&server, &listen, wire, Recorder::new(KEPT, move |event| events.send(event)))?;

    // Printing is a thread's of its own: a terminal that is paused costs lines, and holds up nobody.
    let narrator = Arc::new(Narrator::start(false).context("cannot start the narrator")?);
    for words in words {
        narrator.announce(words.to(lang));
    }
    let lanes: Lanes = (Words::fixed("clients", "客户端"), Words::fixed("the server", "服务器"));
    // A browser's thread may hold the story for longer than this task.
    let printer = Arc::downgrade(&narrator);
    let print = move |line: &str| {
        printer.upgrade().iter().for_each(|narrator| narrator.announce(line));
        Ok(())
    };
    let story = Transcript::keeping(10_000, style, Box::new(print));
    let start = |at: &HostPort| Live::start(at, &story, cover(), lang, false);
    let live = live.as_ref().map(start).transpose()?;
    live.iter().flat_map(Live::words).for_each(|words| narrator.announce(words.to(lang)));
    story.tell(Entry::Lanes(lanes.clone()))?;
    let mut watch = Watch::new(is_udp, roll);
    follow(&happened, &stop, &story, &mut watch)?;
    watch.summary().iter().for_each(|words| narrator.announce(words.to(lang)));
    let written = page.map(|page| {
        let version = if is_udp { "UDP" } else { "TCP" };
        let chapter =
            Chapter { name: "tap", subject_zh: "", version, claims: &[], lanes, told: story.since(1) };
        let name = page.write(&page::html(&cover(), &[chapter], lang))?;
        narrator.announce(words!("The page is in {name}.", "网页已存入 {name}。").to(lang));
        Ok(())
    });
    drop(live);
    drop(story);
    if let Some(narrator) = Arc::into_inner(narrator) {
        narrator.finish();
    }
    written.unwrap_or(Ok(()))
}

fn follow(happened: &Receiver<Event>, stop: &Stop, story: &Transcript, watch: &mut Watch) -> Result<()> {
    let tell = |found: Vec<Telling>| {
        found.into_iter().try_for_each(|found| match found {
            Telling::Event(event) => story.sees(&event),
            Telling::Remark(words) => story.tell(Entry::Evidence(words)),
        })
    };
    let see = |watch: &mut Watch, event: Event| {
        let came = watch.roll.as_mut().and_then(|roll| roll.hears(&event));
        tell(watch.sees(event))?;
        tell(came.into_iter().map(Telling::Remark).collect())
    };
    while !stop.requested() {
        if let Ok(first) = happened.recv_timeout(TICK) {
            see(watch, first)?;
            happened.try_iter().take(WAITING).try_for_each(|event| see(watch, event))?;
            stop.pause(NAP);
        }
        tell(watch.waits(Instant::now()))?;
    }
    // What had happened by then is told; a flow that goes on and on does not hold up the end.
    happened.try_iter().take(WAITING).try_for_each(|event| see(watch, event))?;
    tell(watch.rest())
}

/// Starts a relay, which ends with the process: to end before, it would need somebody to hear its events. Returns what
/// its user should know.
fn start(server: &HostPort, listen: &HostPort, wire: Wire, recorder: Recorder) -> Result<Vec<Words>> {
    let servers = address::resolve(server)?;
    let mut labels = (1..).map(|number: u64| format!("#{number}"));
    let welcome = move |client: SocketAddr| {
        let recorder = recorder.labelled(&labels.next().unwrap_or_default());
        recorder.record(What::Came { client });
        recorder
    };
    let not_itself = |bound: SocketAddr| {
        let is_itself = servers.iter().any(|server| leads_to(*server, bound));
        let why = text!(
            "SERVER is where the tap itself would listen: --listen HOST:PORT moves the tap",
            "SERVER 就是 tap 自己要监听的地方：用 --listen HOST:PORT 让 tap 换个地方"
        );
        if is_itself { Err(args::usage(why)) } else { Ok(()) }
    };
    match wire {
        Wire::Tcp(mode, delay) => {
            let listener =
                TcpListener::bind(listen).map_err(|e| anyhow!(address::cannot_listen(listen, &e)))?;
            let bound = listener.local_addr()?;
            not_itself(bound)?;
            backlog::set(&listener, 4096).context("cannot set the backlog")?;
            mem::forget(tcp_relay::start(listener, server.clone(), mode, delay, welcome)?);
            Ok(hints(bound, server))
        }
        Wire::Udp(impairments, by_chance) => {
            let near = UdpSocket::bind(listen).map_err(|e| anyhow!(address::cannot_bind(listen, &e)))?;
            let bound = near.local_addr()?;
            not_itself(bound)?;
            let server = servers.iter().find(|server| server.is_ipv4() == bound.is_ipv4());
            let server = *server.unwrap_or(&servers[0]);
            let mut hints = hints(bound, &HostPort::Ip(server));
            let seed = impairments.seed;
            hints.extend(by_chance.then(|| {
                words!("the lots are those of --seed {seed}", "随机结果由种子决定，重现请用 --seed {seed}")
            }));
            mem::forget(udp_relay::start(near, server, impairments, welcome)?);
            Ok(hints)
        }
    }
}

/// Whether a client of `server` reaches a socket that is bound to `bound`: to that address, or to all of this machine's.
fn leads_to(server: SocketAddr, bound: SocketAddr) -> bool {
    let server = canonical(address::reachable(server));
    let is_all = bound.ip().is_unspecified() && server.ip().is_loopback();
    server.port() == bound.port() && (is_all || server == canonical(bound))
}

fn hints(bound: SocketAddr, server: &HostPort) -> Vec<Words> {
    let (at, place) = (address::reachable(bound), format!("listening on {bound}, passing on to {server}"));
    let others = address::reachable_by_others(bound);
    let hints = [
        words!("{place}", "{place}"),
        words!("{HINT}connect to {at} instead of {server}", "在另一个终端里：连接 {at}，而不是 {server}"),
    ];
    let far = others.map(|at| words!("on other machines: connect to {at}", "在别的机器上：连接 {at}"));
    hints.into_iter().chain(far).collect()
}

fn cover() -> Cover {
    let intro = Words::fixed(
        "One run of cargo xtask tap. What crossed the wire between somebody's programs was drawn as it was seen.",
        "一次运行 cargo xtask tap 的记录。线路上经过的内容，看到什么就画什么。",
    );
    Cover { title: Words::fixed("What crossed the wire", "线路实录"), intro, is_bare: true }
}
