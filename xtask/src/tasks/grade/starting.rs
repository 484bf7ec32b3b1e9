//! How a stage begins: a server is started and found where it was told to be, a client is started and finds its host.

use std::io::{self, ErrorKind, IsTerminal};
use std::iter;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::process::ExitStatus;
use std::thread;
use std::time::{Duration, Instant};

use crate::random;
use anyhow::{Context, Result, bail, ensure};
use common::narration::say;
use common::text;

use super::candidate::Ready;
use super::finding::ended_with;
use super::stage::{Halt, Hint, Played, hint};
use super::trial::Trial;
use crate::drawing::style::Ink;
use crate::peers::player::Peer;
use crate::peers::tcp_peer::TcpPeer;
use crate::peers::udp_peer::UdpPeer;
use crate::wire::kernel::{self, Protocol, Row};

/// A program that ends at once ends within this time; one that is ending closes its connections so long before.
pub const ENDING: Duration = Duration::from_millis(500);

/// Starts the server on a port that is free, and waits until it is there.
///
/// # Errors
/// When it does not come there.
pub fn starts(trial: &mut Trial<'_>) -> Played {
    const TRIES: usize = 5;
    for _ in 1..TRIES {
        let ready = trial.starts_once()?;
        let is_drawn = trial.terms.port.is_none();
        match ready {
            Ready::Ended(_) if is_drawn && trial.is_port_taken()? => {} // by somebody else, meanwhile
            Ready::Ended(_) | Ready::Elsewhere(..) if !is_drawn && trial.is_kept_waiting() => {
                trial.wait_for_port()?;
            }
            ready => return trial.expect_ready(ready),
        }
    }
    let ready = trial.starts_once()?;
    trial.expect_ready(ready)
}

/// It does not end at once, as one does that never comes to accept.
///
/// # Errors
/// When it does.
pub fn stays(trial: &mut Trial<'_>) -> Played {
    match trial.program()?.wait_for_end(ENDING)? {
        Some(status) => trial.expect_ready(Ready::Ended(status)),
        None => Ok(()),
    }
}

/// Starts the client, and takes its connection as #1.
///
/// # Errors
/// When it does not come.
pub fn hosts(trial: &mut Trial<'_>) -> Played {
    const GLANCE: Duration = Duration::from_millis(1);
    let listener = TcpListener::bind(trial.cast.at)?;
    trial.cast.at = listener.local_addr()?;
    trial.spawn()?;
    listener.set_nonblocking(true)?;
    let (asked, mut ended) = (Instant::now(), None);
    loop {
        match listener.accept() {
            Ok((stream, _)) => {
                stream.set_nonblocking(false)?;
                let server = TcpPeer::accepted(stream, trial.cast.talk.clone())?;
                trial.cast.joins(1, Peer::Tcp(server));
                return Ok(());
            }
            Err(e) if e.kind() == ErrorKind::WouldBlock => {}
            Err(e) => return Err(e.into()),
        }
        // It may connect and be gone before it is accepted: so once more after it has ended.
        if let Some(status) = ended.take() {
            return Err(not_come(trial, Some(status))?);
        }
        ended = trial.program()?.ended()?;
        if asked.elapsed() > trial.terms.patience.to_start() {
            return Err(not_come(trial, None)?);
        }
        if ended.is_none() {
            thread::sleep(GLANCE);
        }
    }
}

/// Starts the client, and has its host wait as #1 for what it asks.
///
/// # Errors
/// When that cannot be done.
pub fn hosts_datagrams(trial: &mut Trial<'_>) -> Played {
    let server = UdpPeer::server(trial.cast.at, trial.cast.talk.clone())?;
    trial.cast.at = server.address()?;
    trial.cast.joins(1, Peer::Udp(server));
    trial.spawn()?;
    Ok(())
}

/// Starts the client, with nobody where it is sent to.
///
/// # Errors
/// When that cannot be done.
pub fn sends_to_nobody(trial: &mut Trial<'_>) -> Played {
    trial.cast.at = trial.free_port()?;
    trial.spawn()?;
    Ok(())
}

/// It did not come to its host.
///
/// # Errors
/// When no program has been started.
pub fn not_come(trial: &Trial<'_>, status: Option<ExitStatus>) -> Result<Halt> {
    let at = trial.cast.at;
    let expected = words!("it comes to {at}", "它来到 {at}");
    let Some(status) = status else {
        let came = words!("it runs, and does not come", "程序在运行，却没有来");
        let told = hint(
            "C1",
            "A guess: it waits for something first, or goes to another port.",
            "猜测：它先在等别的什么，或者去了别的端口。",
        );
        return Ok(Halt::not_decided(expected, came, told));
    };
    let last_words = trial.program()?.last_words();
    let told = if last_words.is_empty() && !status.success() {
        hint(
            "C1",
            "It has failed without a word: look at what connect returns (and, in C, whether the port went through \
             htons).",
            "它失败了，却什么也没说：检查 connect 的返回值（用 C 的话，还要看端口有没有经过 htons）。",
        )
    } else if last_words.is_empty() {
        hint(
            "C1",
            "It came to the end of its code. Its command line says where its server is: it is to connect and speak (over \
             UDP: to send).",
            "程序运行到代码末尾就结束了。命令行给出了服务器在哪里：它应当连接并说话（UDP 是直接发送）。",
        )
    } else {
        let says_why = || {
            hint(
                "C1",
                "Its last words say why. Its command line says where its server is.",
                "原因在它最后的输出里。命令行给出了服务器在哪里。",
            )
        };
        start_error_hint(&last_words.text()).or_else(says_why)
    };
    Ok(Halt::broken(expected, ended_with(status, &last_words), told))
}

impl Trial<'_> {
    /// Waits until the program is where it was told to be.
    ///
    /// # Errors
    /// What the system reports.
    pub fn wait_until_ready(&self) -> Result<Ready> {
        self.program()?.wait_until_ready(self.kind.speaks, self.cast.at, self.terms.patience)
    }

    /// Starts it where it can be, and waits until it is there.
    fn starts_once(&mut self) -> Result<Ready> {
        self.cast.at = self.free_port()?;
        let at = self.cast.at;
        if self.terms.port.is_some() && self.is_anybody_there() == Some(true) {
            bail!(text!(
                "somebody is at {at} already - end that program, and grade again",
                "{at} 已经有程序占着：请先结束它，再来评判"
            ));
        }
        self.spawn()?;
        self.wait_until_ready()
    }

    /// Whether somebody has its port, or had it for the moment in which the program wanted it.
    fn is_port_taken(&self) -> Result<bool> {
        let is_said = is_about_a_port_in_use(&self.program()?.last_words().text());
        Ok(is_said || !is_free(self.kind.speaks, self.cast.at))
    }

    /// A port for a program that is told one, or the one that it has in its code.
    fn free_port(&self) -> Result<SocketAddr> {
        // Below those that systems give to clients (from 32768 on Linux, ip(7); elsewhere from 49152, RFC 6335): no
        // other program's connection has it, nor the past of one.
        const FIRST: u16 = 12_000;
        const COUNT: u64 = 20_000;
        if self.terms.port.is_some() {
            return Ok(self.cast.at);
        }
        let protocol = self.kind.speaks;
        let above = || u16::try_from(random::number() % COUNT).unwrap_or_default();
        let mut tried = iter::repeat_with(|| SocketAddr::new(self.terms.ip, FIRST + above())).take(100);
        let has_no_past = |at| kernel::sockets(protocol, at).is_none_or(|rows| rows.is_empty());
        tried
            .find(|at| has_no_past(*at) && is_free(protocol, *at))
            .with_context(|| text!("no port is free", "没有空闲的端口"))
    }

    /// Whether a TCP server's port has connections that are over (`TIME_WAIT`), of the stage before.
    fn is_kept_waiting(&self) -> bool {
        matches!(self.kind.speaks, Protocol::Tcp)
            && kernel::sockets(Protocol::Tcp, self.cast.at).is_some_and(|rows| !rows.is_empty())
    }

    /// Waits until it has none: so one mistake breaks one stage, which is `restart`.
    fn wait_for_port(&self) -> Result<()> {
        const LIMIT: Duration = Duration::from_secs(300);
        let port = self.cast.at.port();
        if io::stdout().is_terminal() {
            say("")?; // behind the stage that is being played
        }
        self.terms.style.say(
            Ink::Faint,
            &words!(
                "  port {port} is in TIME_WAIT, and this program cannot have it yet ('restart' counts that once): \
                 waiting until it is free, a minute or so",
                "  端口 {port} 处于 TIME_WAIT，这个程序暂时用不了（只在 restart 一项里计一次）：等它空出来，大约一分钟"
            ),
        )?;
        let asked = Instant::now();
        while self.is_kept_waiting() {
            let is_late = asked.elapsed() >= LIMIT;
            ensure!(!is_late, text!("port {port} does not get free", "端口 {port} 一直没有空出来"));
            thread::sleep(Duration::from_millis(500));
        }
        Ok(())
    }

    /// It has to be there.
    ///
    /// # Errors
    /// Where it is instead.
    pub fn expect_ready(&self, ready: Ready) -> Played {
        let (at, protocol) = (self.cast.at, self.kind.speaks);
        let expected = match protocol {
            Protocol::Tcp => words!("a listening TCP socket at {at}", "在 {at} 监听的 TCP 套接字"),
            Protocol::Udp => words!("a UDP socket bound to {at}", "绑定到 {at} 的 UDP 套接字"),
        };
        match ready {
            Ready::Yes => Ok(()),
            Ready::Ended(status) => {
                let last_words = self.program()?.last_words();
                let text = last_words.text();
                let is_nobodys = is_about_a_port_in_use(&text) && is_free(protocol, at);
                let hint = if is_nobodys && !self.is_kept_waiting() {
                    bound_twice_hint()
                } else {
                    start_hint(&text, protocol)
                };
                Err(Halt::broken(expected, ended_with(status, &last_words), hint))
            }
            Ready::Elsewhere(found, rows) => {
                let is_tcp = matches!(found, Protocol::Tcp);
                let places = rows.iter().map(|row| SocketAddr::new(row.ip, row.port).to_string());
                let places = places.collect::<Vec<_>>().join(", ");
                let came = if is_tcp {
                    words!("it listens on TCP {places}", "它监听的是 TCP {places}")
                } else {
                    words!("it is bound to UDP {places}", "它绑定的是 UDP {places}")
                };
                let is_other = is_tcp != matches!(protocol, Protocol::Tcp);
                let is_moved = is_tcp && rows.iter().all(|row| row.port != at.port());
                let hint = if is_moved && self.is_kept_waiting() {
                    unbound_hint()
                } else {
                    place_hint(at, is_other, &rows)
                };
                Err(Halt::broken(expected, came, hint))
            }
            Ready::Nowhere => {
                let name = if matches!(protocol, Protocol::Tcp) { "TCP" } else { "UDP" };
                let came = words!(
                    "it runs, and has no {name} socket that waits",
                    "程序在运行，但没有等待中的 {name} 套接字"
                );
                let hint = if self.is_kept_waiting() { unbound_hint() } else { nowhere_hint(protocol) };
                Err(Halt::not_decided(expected, came, hint))
            }
        }
    }
}

/// Whether a port can be had.
fn is_free(protocol: Protocol, at: SocketAddr) -> bool {
    match protocol {
        Protocol::Tcp => TcpListener::bind(at).is_ok(),
        Protocol::Udp => UdpSocket::bind(at).is_ok(),
    }
}

/// A program that never came to run: its file is not there, or is no program in its language.
fn start_error_hint(last_words: &str) -> Option<Hint> {
    let signs = [
        "can't open file",
        "No such file or directory",
        "Cannot find module",
        "Could not find or load main class",
        "SyntaxError",
        "IndentationError",
        "error: cannot find symbol",
        "compilation failed",
        "could not compile",
        "cannot find package",
        "ModuleNotFoundError",
    ];
    if !signs.iter().any(|sign| last_words.contains(sign)) {
        return None;
    }
    hint("", "It did not start: mend that first.", "程序没能启动：先解决这个问题。")
}

/// Whether a program's last words say that somebody else has its port.
fn is_about_a_port_in_use(last_words: &str) -> bool {
    let text = last_words.to_lowercase();
    ["in use", "eaddrinuse", "10048"].iter().any(|sign| text.contains(sign))
}

/// Why a server may have ended before it was there.
fn start_hint(last_words: &str, protocol: Protocol) -> Option<Hint> {
    let text = last_words.to_lowercase();
    let is_tcp = matches!(protocol, Protocol::Tcp);
    if let Some(told) = start_error_hint(last_words) {
        return Some(told);
    }
    if is_about_a_port_in_use(last_words) {
        return hint(
            "-",
            "The port is still in use: SO_REUSEADDR, set before bind, lets a server have it again at once.",
            "端口还被占用：在 bind 之前设置 SO_REUSEADDR，服务器就能立刻再用它。",
        );
    }
    if text.contains("address family") || text.contains("getaddrinfo") || text.contains("gaierror") {
        return hint(
            "C15",
            "The host that it was given does not fit its socket: an IPv6 address needs an AF_INET6 socket.",
            "给出的主机与套接字不符：IPv6 地址要用 AF_INET6 套接字。",
        );
    }
    if text.contains("not connected") && !is_tcp {
        return hint(
            "C16",
            "This is a TCP socket, connected to nobody: SOCK_DGRAM makes one for UDP.",
            "这是一个 TCP 套接字，没有连接任何人：UDP 要用 SOCK_DGRAM。",
        );
    }
    if text.is_empty() && is_tcp {
        return hint(
            "C8",
            "It came to the end of its code. It is given {host} and {port} on its command line: it is to bind, \
             listen, and accept in a loop.",
            "程序运行到代码末尾就结束了。命令行给出了 {host} 和 {port}：它应当 bind、listen，然后循环 accept。",
        );
    }
    if text.is_empty() {
        return hint(
            "C12",
            "It came to the end of its code. It is given {host} and {port} on its command line: it is to bind, and \
             to call recvfrom in a loop.",
            "程序运行到代码末尾就结束了。命令行给出了 {host} 和 {port}：它应当 bind，然后循环 recvfrom。",
        );
    }
    if is_tcp {
        return hint(
            "C8",
            "Its last words say why. It is given {host} and {port} on its command line; it is to bind, listen, accept.",
            "原因在它最后的输出里。命令行给出了 {host} 和 {port}：它应当 bind、listen、accept。",
        );
    }
    hint(
        "C12",
        "Its last words say why. It is given {host} and {port} on its command line; it is to bind, and recvfrom.",
        "原因在它最后的输出里。命令行给出了 {host} 和 {port}：它应当 bind、recvfrom。",
    )
}

/// It runs and is not where it should be, and connections of the past have that port: it tries again, or it takes
/// another one, or it has not looked, and what listens without being bound is given a port by the system.
fn unbound_hint() -> Option<Hint> {
    hint(
        "-",
        "bind fails: connections of the past have the port (TIME_WAIT). SO_REUSEADDR, set before bind, lets a \
         server have it again at once. (And look at what bind returns.)",
        "bind 失败了：端口被以前的连接占着（TIME_WAIT）。在 bind 之前设置 SO_REUSEADDR，服务器就能立刻再用它。（并检查 bind 的返回值。）",
    )
}

/// What it wants is in use, and this is not the port that it was given.
fn bound_twice_hint() -> Option<Hint> {
    hint(
        "C8",
        "Nobody has the port that it was given: it binds twice, or something else than {host} and {port}.",
        "给它的端口没有人占用：它绑定了两次，或者绑定的不是 {host} 和 {port}。",
    )
}

/// Why a server may be somewhere else.
fn place_hint(at: SocketAddr, is_other_protocol: bool, rows: &[Row]) -> Option<Hint> {
    if is_other_protocol {
        return hint(
            "C16",
            "This is the other protocol: SOCK_STREAM is TCP, SOCK_DGRAM is UDP.",
            "协议用反了：SOCK_STREAM 是 TCP，SOCK_DGRAM 是 UDP。",
        );
    }
    if rows.iter().any(|row| row.port == at.port().swap_bytes()) {
        return hint(
            "C8",
            "Your port with its two bytes swapped: htons is missing where the port goes into the address.",
            "你的端口的两个字节颠倒了：把端口写进地址结构时漏了 htons。",
        );
    }
    if rows.iter().any(|row| row.port == at.port()) {
        return hint(
            "C15",
            "The port is right, the address is another one: bind the one that {host} gives.",
            "端口对，地址不对：应绑定 {host} 给出的地址。",
        );
    }
    hint(
        "C8",
        "Not the port that it was given: take {port} from the command line, or say '--port N' to the judge. (Or bind \
         failed, and nobody looked at what it returned.)",
        "不是给它的端口：应使用命令行上的 {port}，或用 --port N 告诉评判程序它固定的端口。（也可能是 bind 失败了，却没有检查返回值。）",
    )
}

/// Why a server may be nowhere.
fn nowhere_hint(protocol: Protocol) -> Option<Hint> {
    match protocol {
        Protocol::Tcp => hint(
            "C8",
            "A guess: it does not come to listen (bind alone lets nobody in): it waits for something before it, or \
             starts slowly (--patience gives it more time).",
            "猜测：程序没有执行到 listen（只有 bind 还不能接受连接）：卡在了前面的某一步，或者启动很慢（可用 --patience 多给时间）。",
        ),
        Protocol::Udp => hint(
            "C12",
            "A guess: bind is not reached: the program waits for something before it, or starts slowly (--patience gives \
             it more time).",
            "猜测：程序没有执行到 bind：卡在了前面的某一步，或者启动很慢（可用 --patience 多给时间）。",
        ),
    }
}
