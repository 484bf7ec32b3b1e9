//! One stage being played on one program: the program, its callers, and what is found.

use std::iter;
use std::net::{IpAddr, SocketAddr, TcpListener, UdpSocket};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use common::framing::Framing;
use common::greeting;
use common::narration::escape;
use common::random;

use super::candidate::{Candidate, CommandLine, Ready};
use super::tcp_server;
use crate::drawing::story::{Story, Told};
use crate::drawing::style::{Ink, Style};
use crate::lab::Lab;
use crate::lessons;
use crate::peers::asker::Asker;
use crate::peers::caller::{Caller, Found, How, framed};
use crate::wire::event::Lane;
use crate::wire::kernel::{self, Protocol, Row};
use crate::words::Words;

/// A step of what a program is judged by.
pub struct Stage {
    /// As it is called on the command line.
    pub name: &'static str,
    /// What it promises, with the claim or the mistake of the notes that it is about.
    pub promise: (&'static str, Words),
    /// Plays it.
    pub play: fn(&mut Trial<'_>) -> Played,
    /// What the likely mistake is, where what came tells.
    pub hint: fn(&Seen<'_>) -> Option<Hint>,
}

/// What came of playing a stage, or a part of it.
pub type Played<T = ()> = Result<T, Halt>;

/// Why a stage was not played to its end.
pub enum Halt {
    /// The promise is broken: by what came, or by the kernel's table.
    Broken(Box<Flaw>),
    /// Nothing came that would decide.
    NotDecided(Box<Flaw>),
    /// It cannot be judged here.
    NotAvailable(Words),
    /// The judge himself cannot go on.
    Failed(anyhow::Error),
}

impl From<anyhow::Error> for Halt {
    fn from(error: anyhow::Error) -> Self {
        Self::Failed(error)
    }
}

impl From<std::io::Error> for Halt {
    fn from(error: std::io::Error) -> Self {
        Self::Failed(error.into())
    }
}

/// What is wrong.
pub struct Flaw {
    /// What was expected.
    pub expected: Words,
    /// What came.
    pub came: Words,
    /// What the kernel's table says of it.
    pub table: Option<Words>,
    /// The likely mistake.
    pub hint: Option<Hint>,
}

/// A likely mistake, and where it is shown.
#[derive(Clone)]
pub struct Hint {
    /// The number of the claim or the mistake.
    pub about: &'static str,
    /// What to look for.
    pub words: Words,
}

/// A hint; it says itself where it only guesses.
#[expect(clippy::unnecessary_wraps, reason = "who hints may have no hint")]
pub fn hint(about: &'static str, en: &'static str, zh: &'static str) -> Option<Hint> {
    Some(Hint { about, words: Words::fixed(en, zh) })
}

/// What was seen where something else was expected: hints are chosen by it.
pub struct Seen<'a> {
    /// The message that was expected; none where the end was.
    pub expected: Option<&'a [u8]>,
    /// What the program had been told last, as it went over the wire.
    pub said: &'a [u8],
    /// How the wait ended.
    pub how: How,
    /// What came.
    pub bytes: &'a [u8],
    /// Where a message ends.
    pub framing: Framing,
    /// The program has ended.
    pub is_gone: bool,
    /// Its last lines, if it has.
    pub last_words: &'a str,
    /// Connections that wait to be accepted, where the kernel tells.
    pub unaccepted: u64,
    /// Bytes that have reached the program and that it has not read, where the kernel tells.
    pub unread: u64,
}

impl Seen<'_> {
    /// Whether these bytes are somewhere in what came.
    pub fn has(&self, bytes: &[u8]) -> bool {
        self.bytes.windows(bytes.len().max(1)).any(|window| window == bytes)
    }
}

/// What is judged, and how.
pub struct Terms {
    /// The command.
    pub command: CommandLine,
    /// The loopback address.
    pub ip: IpAddr,
    /// The port that the program has in its code.
    pub port: Option<u16>,
    /// Where a message ends.
    pub framing: Framing,
    /// How long a silence may be.
    pub patience: Duration,
    /// How to print.
    pub style: Style,
    /// What is told, of one stage after the other, for whoever watches.
    pub story: Story,
}

/// How long a welcome may take before its client speaks all the same.
const UNFINISHED: Duration = Duration::from_secs(2);
/// A program that is ending closes its connections a moment before it is gone.
const ENDING: Duration = Duration::from_millis(500);
/// How long what the next client sets off may take.
const NUDGED: Duration = Duration::from_secs(1);

fn is_silence(heard: &Result<(), Found>) -> bool {
    heard.as_ref().is_err_and(|found| found.how == How::Silent)
}

/// One stage on one program.
pub struct Trial<'a> {
    /// What is judged, and how.
    pub terms: &'a Terms,
    /// Where things happen.
    pub lab: Lab,
    /// So much had been told before.
    from: usize,
    /// The program, once it is started.
    pub candidate: Option<Candidate>,
    /// Where it is, or is to find its host.
    pub at: SocketAddr,
    /// The clients, in the order in which they came; none in place of one that left.
    pub callers: Vec<Option<Caller>>,
    /// As [`Trial::callers`], over UDP.
    askers: Vec<Option<Asker>>,
    hint: fn(&Seen<'_>) -> Option<Hint>,
}

impl<'a> Trial<'a> {
    /// Nothing has been started yet.
    ///
    /// # Errors
    /// As [`Lab::new`].
    pub fn new(terms: &'a Terms, hint: fn(&Seen<'_>) -> Option<Hint>) -> Result<Self> {
        terms.story.begin();
        let (watching, from) = (terms.story.clone(), terms.story.count());
        let lab = Lab::new(move |event| watching.sees(event))?;
        let at = SocketAddr::new(terms.ip, terms.port.unwrap_or_default());
        Ok(Self { terms, lab, from, candidate: None, at, callers: Vec::new(), askers: Vec::new(), hint })
    }

    /// Tells something behind what has happened meanwhile.
    ///
    /// # Errors
    /// What the lab reports.
    pub fn tell(&mut self, told: Told) -> Result<()> {
        self.lab.record.catch_up()?;
        self.terms.story.tell(told)
    }

    /// What has been told of it.
    pub fn told(&self) -> Vec<Told> {
        self.terms.story.since(self.from)
    }

    /// Starts the server on a port that is free, and waits until it is there.
    pub fn start_server(&mut self, protocol: Protocol) -> Played {
        const TRIES: usize = 5;
        for _ in 0..TRIES {
            self.at = self.free_port(protocol)?;
            check_free(self.at, protocol)?;
            self.spawn(Lane::Server)?;
            match self.wait_until_ready(protocol)? {
                Ready::Ended(_) if self.is_taken(protocol) => {} // somebody else was quicker; another port
                Ready::Ended(_) if self.terms.port.is_some() && self.is_kept_waiting() => {
                    self.wait_for_port()?;
                }
                ready => return self.expect_ready(protocol, ready),
            }
        }
        Err(anyhow::anyhow!("no port stays free").into())
    }

    /// It does not end at once, as one does that never comes to accept.
    pub fn stays(&self, protocol: Protocol) -> Played {
        match self.program()?.wait_for_end(ENDING)? {
            Some(status) => self.expect_ready(protocol, Ready::Ended(status)),
            None => Ok(()),
        }
    }

    /// Starts the command once more where it was.
    pub fn spawn(&mut self, lane: Lane) -> Result<()> {
        let (host, port) = (self.at.ip(), self.at.port());
        let out = self.out().to_string_lossy().into_owned();
        let places = [
            ("{host}", host.to_string()),
            ("{port}", port.to_string()),
            ("{url}", format!("http://{}/page", self.at)),
            ("{out}", out),
        ];
        self.candidate = None; // the one before is gone first
        let recorder = self.lab.record.recorder("");
        self.candidate = Some(Candidate::start(&self.terms.command, &places, lane, &recorder)?);
        Ok(())
    }

    /// Where the program is to save what it gets.
    pub fn out(&self) -> PathBuf {
        self.lab.directory().join("page")
    }

    /// The program.
    ///
    /// # Errors
    /// When it has not been started.
    pub fn program(&self) -> Result<&Candidate> {
        self.candidate.as_ref().context("no program has been started")
    }

    /// Waits until the program is where it was told to be.
    pub fn wait_until_ready(&self, protocol: Protocol) -> Result<Ready> {
        self.program()?.wait_until_ready(protocol, self.at, self.terms.patience)
    }

    /// A port for a program that is told one, or the one that it has in its code.
    pub fn free_port(&self, protocol: Protocol) -> Result<SocketAddr> {
        // Below those that systems give to clients (from 32768 on Linux, ip(7); elsewhere from 49152, RFC 6335): no
        // other program's connection has it, nor the past of one.
        const FIRST: u16 = 12_000;
        const COUNT: u64 = 20_000;
        if self.terms.port.is_some() {
            return Ok(self.at);
        }
        let above = || u16::try_from(random::number() % COUNT).unwrap_or_default();
        let is_free = |at: &SocketAddr| {
            let is_bound = match protocol {
                Protocol::Tcp => TcpListener::bind(at).is_ok(),
                Protocol::Udp => UdpSocket::bind(at).is_ok(),
            };
            is_bound && kernel::sockets(protocol, *at).is_none_or(|rows| rows.is_empty())
        };
        let mut tried = iter::repeat_with(|| SocketAddr::new(self.terms.ip, FIRST + above())).take(100);
        tried.find(is_free).context("no port is free")
    }

    /// Whether somebody else has the port that was free a moment ago.
    fn is_taken(&self, protocol: Protocol) -> bool {
        self.terms.port.is_none()
            && match protocol {
                Protocol::Tcp => TcpListener::bind(self.at).is_err(),
                Protocol::Udp => UdpSocket::bind(self.at).is_err(),
            }
    }

    /// Whether the port has connections that are over (`TIME_WAIT`), of the stage before.
    fn is_kept_waiting(&self) -> bool {
        kernel::sockets(Protocol::Tcp, self.at).is_some_and(|rows| !rows.is_empty())
    }

    /// Waits until it has none: so one mistake breaks one stage, which is `restart`.
    fn wait_for_port(&self) -> Result<()> {
        const LIMIT: Duration = Duration::from_secs(300);
        let port = self.at.port();
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
            anyhow::ensure!(asked.elapsed() < LIMIT, "port {port} does not get free");
            std::thread::sleep(Duration::from_millis(500));
        }
        Ok(())
    }

    /// It has to be there.
    pub fn expect_ready(&self, protocol: Protocol, ready: Ready) -> Played {
        let (at, name) = (self.at, if matches!(protocol, Protocol::Tcp) { "TCP" } else { "UDP" });
        let expected = match protocol {
            Protocol::Tcp => words!("a listening TCP socket at {at}", "在 {at} 监听的 TCP 套接字"),
            Protocol::Udp => words!("a UDP socket bound to {at}", "绑定到 {at} 的 UDP 套接字"),
        };
        let flaw = |came, hint| Box::new(Flaw { expected: expected.clone(), came, table: None, hint });
        match ready {
            Ready::Yes => Ok(()),
            Ready::Ended(status) => {
                let last_words = self.program()?.last_words();
                let came = ended_with(&status.to_string(), &last_words);
                Err(Halt::Broken(flaw(came, start_hint(&last_words.join("\n")))))
            }
            Ready::Elsewhere(found, rows) => {
                let is_tcp = matches!(found, Protocol::Tcp);
                let places: Vec<_> =
                    rows.iter().map(|row| SocketAddr::new(row.ip, row.port).to_string()).collect();
                let places = places.join(", ");
                let came = if is_tcp {
                    words!("it listens on TCP {places}", "它监听的是 TCP {places}")
                } else {
                    words!("it is bound to UDP {places}", "它绑定的是 UDP {places}")
                };
                let is_other = is_tcp != matches!(protocol, Protocol::Tcp);
                Err(Halt::Broken(flaw(came, place_hint(at, is_other, &rows))))
            }
            Ready::Nowhere => {
                let came = words!(
                    "it runs, and has no {name} socket that waits",
                    "程序在运行，但没有等待中的 {name} 套接字"
                );
                let hint = hint(
                    "C8",
                    "A guess: bind or listen is not reached - the program waits for something before it.",
                    "猜测：程序没有执行到 bind 或 listen，卡在了前面的某一步。",
                );
                Err(Halt::NotDecided(flaw(came, hint)))
            }
        }
    }

    /// Connects another client; returns its number.
    pub fn connects(&mut self) -> Played<usize> {
        let number = self.callers.len();
        let recorder = self.lab.record.recorder(&format!("#{}", number + 1));
        match Caller::connect(self.at, self.terms.framing, self.terms.patience, recorder) {
            Ok(caller) => {
                self.callers.push(Some(caller));
                Ok(number)
            }
            Err(e) => {
                let label = number + 1;
                let expected = words!("client #{label} is accepted", "接受客户端 #{label}");
                let found = Found { how: How::Reset, bytes: Vec::new() };
                Err(self.flaw(None, None, &found, Some((expected, words!("{e}", "{e}")))))
            }
        }
    }

    /// Connects another client and waits until it is welcomed; returns its number.
    pub fn enters(&mut self) -> Played<usize> {
        let number = self.connects()?;
        self.hears(number, greeting::WELCOME)?;
        Ok(number)
    }

    /// Without a mark, nobody can tell where one message ends and the next begins.
    pub fn needs_boundary(&self) -> Played {
        if self.terms.framing == Framing::Raw {
            return Err(Halt::NotAvailable(Words::fixed(
                "raw framing marks no end of a message: cargo xtask demo framing",
                "raw 不标明消息在哪里结束：cargo xtask demo framing",
            )));
        }
        Ok(())
    }

    /// A client, by its number.
    ///
    /// # Errors
    /// When it has left.
    pub fn caller(&mut self, number: usize) -> Result<&mut Caller> {
        self.callers.get_mut(number).and_then(Option::as_mut).context("this client has left")
    }

    /// Takes a client out, to be dropped in its own way.
    ///
    /// # Errors
    /// When it has left already.
    pub fn take(&mut self, number: usize) -> Result<Caller> {
        self.callers.get_mut(number).and_then(Option::take).context("this client has left")
    }

    /// A client sends messages, all of them with one write.
    pub fn says(&mut self, number: usize, messages: &[&[u8]]) -> Result<()> {
        let framing = self.terms.framing;
        let bytes: Vec<_> = messages.iter().flat_map(|message| framed(framing, message)).collect();
        self.caller(number)?.sends(&bytes);
        Ok(())
    }

    /// A client waits for a message. Silence decides nothing; so the client and another one do what makes a program
    /// show itself, and what then comes decides.
    pub fn hears(&mut self, number: usize, message: &[u8]) -> Played {
        let patience = self.terms.patience;
        let first = if message == greeting::WELCOME { patience.min(UNFINISHED) } else { patience };
        let mut heard = self.caller(number)?.hears_within(message, first);
        let has_begun = heard.as_ref().is_err_and(|found| !found.bytes.is_empty());
        if is_silence(&heard) && !has_begun {
            heard = self.caller(number)?.hears_within(message, patience.saturating_sub(first));
        }
        if is_silence(&heard) && self.unaccepted() == 0 {
            // A message without an end has one where the next begins; and who does not welcome may greet.
            if has_begun || message == greeting::WELCOME {
                self.says(number, &[b"Tracy"])?;
                heard = self.caller(number)?.hears(message);
                if heard.is_ok() && !has_begun {
                    return Self::welcomed_late(number);
                }
                if heard.is_ok() {
                    heard = self.caller(number)?.hears(&greeting::of(b"Tracy"));
                }
            }
            // A conversation whose thread has died may keep its socket until the next client comes.
            if is_silence(&heard) {
                let recorder = self.lab.record.recorder("");
                let next = Caller::connect(self.at, self.terms.framing, patience, recorder);
                heard = self.caller(number)?.hears_within(message, NUDGED.min(patience));
                drop(next);
            }
        }
        heard.map_err(|found| self.flaw(Some(number), Some(message), &found, None))
    }

    /// The welcome came, and not before the client had spoken.
    fn welcomed_late(number: usize) -> Played {
        let label = number + 1;
        Err(Halt::Broken(Box::new(Flaw {
            expected: words!("#{label} is welcomed, and then speaks", "#{label} 先收到欢迎，然后才说话"),
            came: words!("the welcome came once #{label} had spoken", "#{label} 说话之后，欢迎才来"),
            table: None,
            hint: hint(
                "C8",
                "The welcome waits: send it as soon as accept returns, before the first recv; and flush it, where\n\
                 what is printed goes through a buffer.",
                "欢迎被耽搁了：accept 一返回就发送，不要先 recv；输出经过缓冲区的，还要 flush。",
            ),
        })))
    }

    /// A client says a name, and waits for its greeting.
    pub fn greeted(&mut self, number: usize, name: &[u8]) -> Played {
        self.says(number, &[name])?;
        self.hears(number, &greeting::of(name))
    }

    /// A client waits for the end of its connection, with nothing before it.
    pub fn hears_the_end(&mut self, number: usize) -> Played {
        let heard = self.caller(number)?.hears_the_end();
        heard.map_err(|found| self.flaw(Some(number), None, &found, None))
    }

    /// One more client over UDP; returns its number.
    pub fn asks(&mut self) -> Result<usize> {
        let number = self.askers.len();
        let recorder = self.lab.record.recorder(&format!("#{}", number + 1));
        self.askers.push(Some(Asker::new(self.at, self.terms.patience, recorder)?));
        Ok(number)
    }

    /// A client over UDP, by its number.
    ///
    /// # Errors
    /// When it has left.
    pub fn asker(&mut self, number: usize) -> Result<&mut Asker> {
        self.askers.get_mut(number).and_then(Option::as_mut).context("this client has left")
    }

    /// A client over UDP leaves: its socket is closed.
    pub fn leaves(&mut self, number: usize) {
        if let Some(asker) = self.askers.get_mut(number) {
            *asker = None;
        }
    }

    /// A client says a name in a datagram, and waits for its greeting.
    pub fn answered(&mut self, number: usize, name: &[u8]) -> Played {
        self.asker(number)?.says(name);
        self.hears_back(number, &greeting::of(name))
    }

    /// A client waits for a datagram.
    pub fn hears_back(&mut self, number: usize, message: &[u8]) -> Played {
        let heard = self.asker(number)?.hears(message);
        self.judge(number, message, heard)
    }

    /// Judges what a client heard. That nothing came decides nothing; that the next name is answered does.
    pub fn judge(&mut self, number: usize, message: &[u8], heard: Result<(), Found>) -> Played {
        let Err(found) = heard else { return Ok(()) };
        let said = self.asker(number)?.said.clone();
        let (mut is_decided, mut behind) = (found.how != How::Silent, None);
        if !is_decided {
            self.asker(number)?.says(b"Nobody");
            is_decided = self.asker(number)?.hears(&greeting::of(b"Nobody")).is_ok();
            behind =
                is_decided.then(|| Words::fixed("the next datagram was answered", "下一个数据报得到了回答"));
        }
        let status = self.program()?.wait_for_end(ENDING)?;
        let last_words = match &status {
            Some(_) => self.program()?.last_words(),
            None => Vec::new(),
        };
        let rows = kernel::waiting(Protocol::Udp).unwrap_or_default();
        let unread: u64 = rows.iter().filter(|row| row.is_reached_at(self.at)).map(|row| row.to_read).sum();
        let seen = Seen {
            expected: Some(message),
            said: &said,
            how: found.how,
            bytes: &found.bytes,
            framing: self.terms.framing,
            is_gone: status.is_some(),
            last_words: &last_words.join("\n"),
            unaccepted: 0,
            unread,
        };
        let (label, shown) = (number + 1, shown(message));
        let came = match &status {
            Some(status) => ended_with(&status.to_string(), &last_words),
            None if found.how == How::Reset => {
                Words::fixed("no socket has that port", "没有套接字使用这个端口")
            }
            None => came(&found, self.terms.patience),
        };
        let table = (unread > 0).then(|| {
            words!(
                "the kernel's table: your program has not read what was sent ({unread} bytes wait, with overhead)",
                "内核的套接字表：发来的数据报你的程序还没有读取（连同开销 {unread} 字节在等待）"
            )
        });
        let flaw = Box::new(Flaw {
            expected: words!("#{label} hears {shown}", "#{label} 收到 {shown}"),
            came,
            table: table.or(behind),
            hint: (self.hint)(&seen),
        });
        Err(if is_decided || status.is_some() { Halt::Broken(flaw) } else { Halt::NotDecided(flaw) })
    }

    /// How many connections wait to be accepted, where the kernel tells.
    pub fn unaccepted(&self) -> u64 {
        let rows = kernel::waiting(Protocol::Tcp).unwrap_or_default();
        rows.iter().filter(|row| row.is_reached_at(self.at)).map(|row| row.to_read).sum()
    }

    /// The program's end of a client's connection, where the kernel tells.
    pub fn far_end(&mut self, number: usize) -> Option<Row> {
        let (near, far) = self.caller(number).ok()?.ends_of_it().ok()?;
        kernel::far_end(near, far)
    }

    /// What is wrong, from what came: nothing decides by itself that nothing came.
    pub fn flaw(
        &mut self,
        number: Option<usize>,
        message: Option<&[u8]>,
        found: &Found,
        said: Option<(Words, Words)>,
    ) -> Halt {
        match self.flaw_of(number, message, found, said) {
            Ok(halt) => halt,
            Err(e) => Halt::Failed(e),
        }
    }

    /// As [`Trial::flaw`], where it is neither a message nor the end that was expected.
    pub fn flaw_instead(&mut self, number: usize, found: &Found, expected: Words) -> Halt {
        let came = came(found, self.terms.patience);
        self.flaw(Some(number), None, found, Some((expected, came)))
    }

    fn flaw_of(
        &mut self,
        number: Option<usize>,
        message: Option<&[u8]>,
        found: &Found,
        said: Option<(Words, Words)>,
    ) -> Result<Halt> {
        let is_end = matches!(found.how, How::Ended | How::Reset);
        let program = self.program()?;
        let status = program.wait_for_end(if is_end { ENDING } else { Duration::ZERO })?;
        let last_words = status.map(|_| program.last_words()).unwrap_or_default();
        let far_end = number.and_then(|number| self.far_end(number));
        let unaccepted = self.unaccepted();
        let is_accepted = far_end.as_ref().is_some_and(|row| row.inode != 0);
        let unread = far_end.as_ref().filter(|_| is_accepted).map_or(0, |row| row.to_read);
        let is_left_open = far_end.as_ref().is_some_and(|row| row.state == "CLOSE_WAIT") && is_accepted;
        let is_host = self.callers.iter().flatten().any(Caller::is_host);
        let (label, label_zh) = match number {
            Some(_) if is_host => ("the server".into(), "服务器".into()),
            Some(number) => (format!("#{}", number + 1), format!("#{}", number + 1)),
            None => (String::new(), String::new()),
        };
        let framing = self.terms.framing;
        let expected_bytes = message.map(|message| framed(framing, message));
        let (expected, came) = said.unwrap_or_else(|| {
            let expected = match &expected_bytes {
                Some(bytes) => {
                    let shown = shown(bytes);
                    words!("{label} hears {shown}", "{label_zh} 收到 {shown}")
                }
                None => words!("the end of {label}'s connection", "{label_zh} 的连接结束"),
            };
            (expected, came(found, self.terms.patience))
        });
        let came = match &status {
            Some(status) => {
                let (en, zh) = (&came.en, &came.zh);
                let Words { en: end, zh: end_zh } = ended_with(&status.to_string(), &last_words);
                words!("{en}; {end}", "{zh}；{end_zh}")
            }
            None => came,
        };
        let is_silent = found.how == How::Silent;
        let table = match (unaccepted, unread) {
            (1.., _) if is_silent => {
                let connected = self.callers.iter().flatten().count() as u64;
                let accepted = connected.saturating_sub(unaccepted);
                Some(words!(
                    "the kernel's table: {connected} connected, {accepted} accepted",
                    "内核的套接字表：已连接 {connected} 个，其中 accept 了 {accepted} 个"
                ))
            }
            _ if is_silent && is_left_open => Some(words!(
                "the kernel's table: {label} has left, and your end is still open (CLOSE_WAIT)",
                "内核的套接字表：{label_zh} 已经离开，你这一端还没有关闭（CLOSE_WAIT）"
            )),
            (_, 1..) if is_silent => Some(words!(
                "the kernel's table: your program has not read what {label} sent ({unread} bytes wait)",
                "内核的套接字表：{label_zh} 发送的数据你的程序还没有读取（{unread} 字节在等待）"
            )),
            _ => None,
        };
        let (said, framing) = match number {
            Some(number) => (self.caller(number)?.said.clone(), framing),
            None => (Vec::new(), framing),
        };
        let seen = Seen {
            expected: message,
            said: &said,
            how: found.how,
            bytes: &found.bytes,
            framing,
            is_gone: status.is_some(),
            last_words: &last_words.join("\n"),
            unaccepted,
            unread,
        };
        let is_opening = number == Some(0) && message == Some(greeting::WELCOME);
        let hint = if is_opening { tcp_server::welcome_hint(&seen) } else { (self.hint)(&seen) };
        let decides = !is_silent || unaccepted > 0 || is_left_open;
        let flaw = Box::new(Flaw { expected, came, table, hint });
        Ok(if decides { Halt::Broken(flaw) } else { Halt::NotDecided(flaw) })
    }

    /// What has happened so far; for the eye, what is under way still belongs to it.
    pub fn ladder(&mut self) -> Result<Vec<Told>> {
        const MOMENT: Duration = Duration::from_millis(20);
        self.lab.record.wait_for_lull(MOMENT)?;
        Ok(self.told().into_iter().filter(|told| told.rung().is_some()).collect())
    }

    /// Ends everything: the clients first, so that the port is not kept waiting for them.
    pub fn clear(&mut self) -> Result<()> {
        self.callers.clear();
        self.askers.clear();
        self.candidate = None;
        self.lab.clear()
    }

    /// Waits until the program has done what it does about all that has come: it sleeps, and not by chance, or it has
    /// ended. One that never sleeps is not waited for for long. Where the kernel does not tell, this is a moment.
    ///
    /// # Errors
    /// When no program has been started.
    pub fn settles(&self) -> Result<()> {
        const MOMENT: Duration = Duration::from_millis(20);
        const LIMIT: Duration = Duration::from_secs(2);
        const LOOKS: u32 = 3;
        let (asked, group) = (Instant::now(), self.program()?.program.pid);
        let mut idle = 0;
        while idle < LOOKS && asked.elapsed() < LIMIT {
            match kernel::is_idle(group) {
                Some(is_idle) => idle = if is_idle { idle + 1 } else { 0 },
                None => break,
            }
            std::thread::sleep(MOMENT / LOOKS);
        }
        std::thread::sleep(if idle == 0 { MOMENT } else { Duration::ZERO });
        Ok(())
    }

    /// Sends bytes one by one, each once the one before was read, as far as anybody can tell. The last one goes when
    /// the program has settled; returns whether it had said anything by then.
    pub fn says_in_bytes(&mut self, number: usize, bytes: &[u8]) -> Result<bool> {
        const MOMENT: Duration = Duration::from_millis(20);
        let (mut is_early, mut is_read) = (false, true);
        for (at, byte) in bytes.iter().enumerate() {
            if at + 1 == bytes.len() {
                self.settles()?;
                is_early = !self.caller(number)?.came_within(MOMENT).is_empty();
            }
            self.caller(number)?.sends(&[*byte]);
            if self.far_end(number).is_none() {
                std::thread::sleep(MOMENT);
            }
            // One that does not read is found out by what then does not come.
            is_read =
                is_read && self.wait_until(|trial| trial.far_end(number).is_none_or(|row| row.to_read == 0));
        }
        Ok(is_early)
    }

    /// Waits until something is so, by the kernel's table or elsewhere; false once the patience is over.
    pub fn wait_until(&mut self, mut is_so: impl FnMut(&mut Self) -> bool) -> bool {
        let asked = Instant::now();
        loop {
            if is_so(self) {
                return true;
            }
            if asked.elapsed() > self.terms.patience {
                return false;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

/// Bytes as they are shown: what is long, by its beginning.
pub fn shown(bytes: &[u8]) -> String {
    const ROOM: usize = 60;
    let text = escape(&bytes[..bytes.len().min(ROOM)]);
    match bytes.len() {
        0..=ROOM => format!("'{text}'"),
        n => format!("'{text}...' ({n} bytes)"),
    }
}

pub fn came(found: &Found, patience: Duration) -> Words {
    let (shown, seconds) = (shown(&found.bytes), patience.as_secs_f64());
    let is_empty = found.bytes.is_empty();
    match found.how {
        How::Other => words!("{shown}", "{shown}"),
        How::Ended if is_empty => Words::fixed("the end of the connection", "连接结束了"),
        How::Ended => words!("{shown}, then the end of the connection", "{shown}，然后连接结束了"),
        How::Reset if is_empty => Words::fixed("a reset of the connection", "连接被复位（RST）"),
        How::Reset => words!("{shown}, then a reset", "{shown}，然后连接被复位（RST）"),
        How::Silent if is_empty => words!("nothing, for {seconds} s", "{seconds} 秒内什么也没有"),
        How::Silent => {
            words!("{shown}, and nothing more for {seconds} s", "{shown}，此后 {seconds} 秒内再没有")
        }
    }
}

pub fn ended_with(status: &str, last_words: &[String]) -> Words {
    let last = last_words.join("\n              ");
    if last.is_empty() {
        words!("your program has ended ({status})", "你的程序已经结束（{status}）")
    } else {
        words!(
            "your program has ended ({status}); its last words:\n              {last}",
            "你的程序已经结束（{status}），最后输出：\n              {last}"
        )
    }
}

/// Why a program may have ended before it was there.
fn start_hint(last_words: &str) -> Option<Hint> {
    let text = last_words.to_lowercase();
    if text.contains("in use") || text.contains("eaddrinuse") || text.contains("10048") {
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
    if text.is_empty() {
        return hint(
            "C8",
            "It came to the end of its code. It is given {host} and {port} on its command line: it is to bind,\n\
             listen, and accept in a loop.",
            "程序运行到代码末尾就结束了。命令行给出了 {host} 和 {port}：它应当 bind、listen，然后循环 accept。",
        );
    }
    hint(
        "C8",
        "Its last words say why. It is given {host} and {port} on its command line; it is to bind, listen, accept.",
        "原因在它最后的输出里。命令行给出了 {host} 和 {port}：它应当 bind、listen、accept。",
    )
}

/// Why a program may be somewhere else.
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
        "Not the port that it was given: take {port} from the command line, or say '--port N' to the judge.",
        "不是给它的端口：应使用命令行上的 {port}，或用 --port N 告诉评判程序它固定的端口。",
    )
}

/// What the hint says, and where it is shown.
pub fn hint_words(hint: &Hint) -> Words {
    let (en, zh) = (&hint.words.en, &hint.words.zh);
    match lessons::about(hint.about) {
        Some(lesson) => {
            let name = lesson.name;
            words!("{en}\nsee it: cargo xtask demo {name}", "{zh}\n看演示：cargo xtask demo {name}")
        }
        None => words!("{en}", "{zh}"),
    }
}

/// Refuses a port that somebody else has.
///
/// # Errors
/// When it is taken.
pub fn check_free(at: SocketAddr, protocol: Protocol) -> Result<()> {
    let is_taken = match kernel::waiting(protocol) {
        Some(rows) => rows.iter().any(|row| row.is_reached_at(at)),
        None => false,
    };
    if is_taken {
        bail!("somebody is at {at} already - end that program, and grade again");
    }
    Ok(())
}
