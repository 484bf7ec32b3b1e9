//! How a program starts: a server at a port where it is waited for, a client at the judge's server.

use std::io::{self, ErrorKind, IsTerminal};
use std::iter;
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use common::text;

use super::trial::{Trial, missed};
use crate::drawing::style::Ink;
use crate::exercises::Location;
use crate::peers::player::Peer;
use crate::peers::script::{Expected, How, NotAvailable, Step};
use crate::peers::tcp_peer::TcpPeer;
use crate::peers::udp_peer::UdpPeer;
use crate::programs::figures;
use crate::random;
use crate::wire::event::Side;
use crate::wire::kernel::{self, Call, Protocol, SocketRow};
use crate::words::Words;

/// A program that ends at once does so within this time; one that is ending closes its connections this long before.
pub const ENDING: Duration = Duration::from_millis(500);
/// How often to look whether a server waits where it should, and whether a client has come.
const GLANCE: Duration = Duration::from_millis(3);
/// How often to look where else a server may be, which takes longer.
const LOOK: Duration = Duration::from_millis(200);
/// A server may first listen elsewhere. Once that has not changed for this long, and all its threads wait for clients, it is
/// where it listens.
const SETTLED: Duration = Duration::from_secs(2);

/// What came instead of a server that is ready, and where it waits instead, by which protocol.
type Unready = (How, Protocol, Vec<SocketRow>);

impl Trial<'_> {
    pub fn starts(&mut self) -> Result<()> {
        let is_drawn = !self.config.has_port();
        for _ in 1..5 {
            match self.starts_once()? {
                Some((How::Ended, ..)) if is_drawn && self.is_port_taken()? => {} // by another program, meanwhile
                Some((How::Ended | How::Other, ..)) if !is_drawn && self.is_port_held() => {
                    self.wait_for_port()?;
                }
                unready => return self.expect_ready(unready),
            }
        }
        let unready = self.starts_once()?;
        self.expect_ready(unready)
    }

    pub fn stays(&mut self) -> Result<()> {
        let ended = self.program()?.wait_for_end(ENDING)?;
        self.expect_ready(ended.map(|_| (How::Ended, self.exercise.transport, Vec::new())))
    }

    /// What stands for a step of the program where it runs already: that it listens is seen by connecting.
    pub fn runs_already(&mut self, step: Step) -> Result<()> {
        match step {
            Step::Starts => Ok(()),
            Step::Stays if self.is_tcp() => self.plays_step(Step::Comes(1)),
            _ => bail!(NotAvailable(Words::fixed(
                "this stage needs the program itself, and with --at only its address is known",
                "这一项需要程序本身，而 --at 只知道它的地址",
            ))),
        }
    }

    pub fn restarts(&mut self) -> Result<()> {
        self.remarks(Side::Server, &Words::fixed("(killed, and started again)", "（强行终止，再次启动）"));
        self.candidate = None;
        // The side that closes first keeps the connection in TIME_WAIT: here, the server's.
        let _ = self.peers.tcp(1)?.hears_the_end();
        self.plays_step(Step::Leaves(1))?;
        self.spawn()?;
        let unready = self.wait_until_ready()?;
        self.expect_ready(unready)
    }

    pub fn hosts(&mut self) -> Result<()> {
        let talk = self.peers.talk.clone();
        if !self.is_tcp() {
            let server = UdpPeer::server(self.peers.at, talk)?;
            self.peers.at = server.address()?;
            self.peers.joins(1, Peer::Udp(server));
            return self.spawn();
        }
        self.listener = None; // its port is used again
        let listener = TcpListener::bind(self.peers.at)?;
        self.peers.at = listener.local_addr()?;
        listener.set_nonblocking(true)?;
        self.spawn()?;
        self.listener = Some(listener.try_clone()?);
        let (asked, mut has_ended) = (Instant::now(), false);
        loop {
            let is_late = asked.elapsed() > self.patience() * 3; // the last look is after the time
            match listener.accept() {
                Ok((stream, _)) => {
                    stream.set_nonblocking(false)?;
                    self.peers.joins(1, Peer::Tcp(TcpPeer::accepted(stream, talk)?));
                    return Ok(());
                }
                Err(e) if e.kind() == ErrorKind::WouldBlock => {}
                Err(e) => return Err(e.into()),
            }
            // It may connect and end before it is accepted: so accept once more after its end.
            if has_ended {
                return Err(missed(Expected::Visit, How::Ended));
            }
            has_ended = self.program()?.ended()?.is_some();
            if is_late {
                return Err(missed(Expected::Visit, How::Silent));
            }
            thread::sleep(if has_ended { Duration::ZERO } else { GLANCE });
        }
    }

    pub fn sends_to_nobody(&mut self) -> Result<()> {
        self.peers.at = self.free_port()?;
        self.spawn()
    }

    fn starts_once(&mut self) -> Result<Option<Unready>> {
        self.peers.at = self.free_port()?;
        let at = self.peers.at;
        if self.config.has_port() && self.is_anybody_there() == Some(true) {
            bail!(text!(
                "somebody is at {at} already - end that program, and grade again",
                "{at} 已经有程序占着：请先结束它，再来评判"
            ));
        }
        self.spawn()?;
        self.wait_until_ready()
    }

    fn expect_ready(&mut self, unready: Option<Unready>) -> Result<()> {
        let Some((how, protocol, rows)) = unready else { return Ok(()) };
        self.location = Location {
            is_other_protocol: matches!(protocol, Protocol::Tcp) != self.is_tcp(),
            found: rows.iter().map(|row| (row.ip, row.port).into()).collect(),
            is_port_held: self.is_port_held(),
            is_port_free: is_free(self.exercise.transport, self.peers.at),
            ..Location::default()
        };
        self.finds_owner()?;
        Err(missed(Expected::Ready, how))
    }

    /// Waits until the server waits at its address, by the kernel's table if there is one: that takes no connection.
    fn wait_until_ready(&self) -> Result<Option<Unready>> {
        let (program, transport, at) = (self.program()?, self.exercise.transport, self.peers.at);
        let asked = Instant::now();
        let (mut elsewhere, mut since, mut looked): (Vec<SocketRow>, _, _) = (Vec::new(), asked, asked);
        let (mut of, mut ended): (_, Option<Instant>) = (transport, None);
        loop {
            let is_late = asked.elapsed() > self.patience() * 3;
            let is_there = self.is_anybody_there().unwrap_or_else(|| match transport {
                Protocol::Tcp => TcpStream::connect(at).is_ok(),
                Protocol::Udp => !is_free(transport, at),
            });
            // Another program may have been quicker; but one that hands its socket to others is there, too.
            let own = || kernel::waiting_of_group(transport, program.program.pid);
            if is_there && own().is_none_or(|rows| rows.iter().any(|row| row.is_reached_at(at))) {
                return Ok(None);
            }
            let is_runaway = is_there && program.runaway(transport, at).is_some();
            if program.ended()?.is_some() {
                let ended = ended.get_or_insert_with(Instant::now);
                if is_runaway || program.processes().is_empty() || ended.elapsed() > SETTLED {
                    return Ok(Some((How::Ended, transport, Vec::new())));
                }
            }
            // Where it waits elsewhere itself, it is another judge's program that has the port.
            if is_runaway || (is_there && elsewhere.is_empty() && asked.elapsed() > SETTLED) {
                return Ok(None);
            }
            if looked.elapsed() > LOOK {
                let (protocol, rows) = places(program.program.pid, transport);
                if rows != elsewhere {
                    (elsewhere, of, since) = (rows, protocol, Instant::now());
                }
                // In this order: what only serves does not begin to listen any more.
                let is_settled = since.elapsed() > SETTLED && only_serves(&program.processes());
                let is_still = is_settled && places(program.program.pid, transport).1 == elsewhere;
                if !elsewhere.is_empty() && is_still && self.is_anybody_there() != Some(true) {
                    return Ok(Some((How::Other, of, elsewhere)));
                }
                looked = Instant::now();
            }
            if is_late {
                let is_nowhere = elsewhere.is_empty();
                let (how, of) = if is_nowhere { (How::Silent, transport) } else { (How::Other, of) };
                return Ok(Some((how, of, elsewhere)));
            }
            thread::sleep(GLANCE);
        }
    }

    /// Whether a process that has left the program's group is there, and whether the one that is there ignores Ctrl-C.
    pub fn finds_owner(&mut self) -> Result<()> {
        let (program, transport, at) = (self.program()?, self.exercise.transport, self.peers.at);
        let runaway = program.runaway(transport, at);
        if let Some(pid) = kernel::owner(transport, at, &program.processes()) {
            self.location.owner = format!("{} ({pid})", figures::name(pid));
            self.location.has_left = runaway == Some(pid);
            self.location.is_deaf = figures::ignores_interrupt(pid);
        }
        Ok(())
    }

    /// Whether another program has its port, or had it for the moment in which the server wanted it.
    fn is_port_taken(&self) -> Result<bool> {
        if self.program()?.runaway(self.exercise.transport, self.peers.at).is_some() {
            return Ok(false); // by its own
        }
        let text = self.program()?.last_words().text.to_lowercase();
        let is_said = crate::exercises::IN_USE.iter().any(|sign| text.contains(sign));
        Ok(is_said || !is_free(self.exercise.transport, self.peers.at))
    }

    /// A port for a program that is told one, or the one that is hard-coded in it.
    fn free_port(&self) -> Result<SocketAddr> {
        // Below those that systems give to clients (from 32768 on Linux, ip(7); elsewhere from 49152, RFC 6335): no
        // connection of another program has it, or had it a moment ago.
        const FIRST: u16 = 12_000;
        const COUNT: u64 = 20_000;
        /// Programs that are judged at the same time never get the same one.
        static NEXT: LazyLock<AtomicU64> = LazyLock::new(|| AtomicU64::new(random::number() % COUNT));
        if self.config.has_port() {
            return Ok(self.peers.at);
        }
        let transport = self.exercise.transport;
        let above = || u16::try_from(NEXT.fetch_add(1, Ordering::Relaxed) % COUNT).unwrap_or_default();
        let mut tried = iter::repeat_with(|| SocketAddr::new(self.config.at.ip(), FIRST + above())).take(100);
        let is_unused = |at| kernel::sockets(transport, at).is_none_or(|rows| rows.is_empty());
        let found = tried.find(|at| is_unused(*at) && is_free(transport, *at));
        found.with_context(|| text!("no port is free", "没有空闲的端口"))
    }

    /// Whether earlier connections, which are over (`TIME_WAIT`), still have a TCP server's port.
    fn is_port_held(&self) -> bool {
        self.is_tcp() && kernel::sockets(Protocol::Tcp, self.peers.at).is_some_and(|rows| !rows.is_empty())
    }

    /// Waits until they are gone: so one mistake fails one stage, which is `restart`.
    fn wait_for_port(&self) -> Result<()> {
        let port = self.peers.at.port();
        let line = if io::stdout().is_terminal() { "\n" } else { "" }; // where the stage is named already
        let waiting = words!(
            "{line}  port {port} is in TIME_WAIT, and this program cannot use it yet (only 'restart' counts that): \
             waiting until it is free, about a minute",
            "{line}  端口 {port} 处于 TIME_WAIT，这个程序暂时用不了（只在 restart 一项里计一次）：等它空出来，大约一分钟"
        );
        if self.config.command.directory.is_none() {
            self.config.style.say(Ink::Faint, &waiting)?; // it is not one of many
        }
        let asked = Instant::now();
        while self.is_port_held() {
            if asked.elapsed() > Duration::from_secs(300) {
                bail!(text!("port {port} does not get free", "端口 {port} 一直没有空出来"));
            }
            thread::sleep(Duration::from_millis(500));
        }
        Ok(())
    }
}

/// Whether every thread waits for clients, so that nothing more can be expected.
fn only_serves(pids: &[u32]) -> bool {
    let is_it = |wait: &kernel::WaitingThread| {
        matches!(wait.call, Call::Accept | Call::Receive) && wait.inode.is_some()
    };
    kernel::waits(pids).is_some_and(|threads| threads.iter().all(is_it))
}

fn is_free(protocol: Protocol, at: SocketAddr) -> bool {
    match protocol {
        Protocol::Tcp => TcpListener::bind(at).is_ok(),
        Protocol::Udp => UdpSocket::bind(at).is_ok(),
    }
}

/// Where the program waits: by this protocol, or else by the other.
fn places(group: u32, protocol: Protocol) -> (Protocol, Vec<SocketRow>) {
    let other = if matches!(protocol, Protocol::Tcp) { Protocol::Udp } else { Protocol::Tcp };
    let of = |protocol| kernel::waiting_of_group(protocol, group).unwrap_or_default();
    match of(protocol) {
        rows if rows.is_empty() => (other, of(other)),
        rows => (protocol, rows),
    }
}
