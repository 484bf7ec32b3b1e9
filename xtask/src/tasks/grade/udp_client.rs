//! The stages of a UDP client: each name is a datagram, and its reply may be lost, late, doubled or a stranger's.

use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use common::datagram;
use common::greeting;

use super::client::{NAMES, broken, has_printed_greetings};
use super::tcp_client::failure_hint;
use super::trial::{Flaw, Halt, Hint, Played, Stage, Trial, ended_with, hint, shown};
use crate::peers::sockets::is_silence;
use crate::wire::event::{How as Crossing, Lane, What};
use crate::wire::kernel::{self, Protocol};
use crate::words::Words;

/// In the order in which a client is built.
pub static STAGES: [Stage; 8] = [
    Stage {
        name: "greets",
        promise: (
            "C12",
            Words::fixed(
                "sends Michael, Tracy and Sarah, prints each greeting, and ends with status 0",
                "依次发送 Michael、Tracy、Sarah，打印每个回复，以状态 0 结束",
            ),
        ),
        play: |trial| {
            let mut host = Host::start(trial)?;
            the_rest(trial, &mut host, 0, None)
        },
        hint: |_| None,
    },
    Stage {
        name: "lost",
        promise: ("M4", Words::fixed("asks again when a reply is lost", "回复丢失，就再问一次")),
        play: lost,
        hint: |_| None,
    },
    Stage {
        name: "late",
        promise: (
            "M5",
            Words::fixed(
                "does not take a late reply for the next name's",
                "不把迟到的回复当成下一个名字的回复",
            ),
        ),
        play: late,
        hint: |_| None,
    },
    Stage {
        name: "twice",
        promise: ("M5", Words::fixed("copes with replies that come twice", "回复来了两份，也不出错")),
        play: twice,
        hint: |_| None,
    },
    Stage {
        name: "stranger",
        promise: (
            "M6",
            Words::fixed(
                "does not believe another socket, whatever it says",
                "别的套接字发来的，说什么都不信",
            ),
        ),
        play: stranger,
        hint: |_| None,
    },
    Stage {
        name: "bytes",
        promise: (
            "M13",
            Words::fixed("survives a datagram that is not UTF-8", "收到不是 UTF-8 的数据报，也不崩溃"),
        ),
        play: bytes,
        hint: |_| None,
    },
    Stage {
        name: "silent",
        promise: (
            "M4",
            Words::fixed(
                "ends by itself within 30 s, with a message and a status that is not 0, when nobody answers",
                "没有人回答时，30 秒内自己结束，给出消息，状态不为 0",
            ),
        ),
        play: |trial| {
            let _host = Host::start(trial)?;
            trial.fails_and_says_so(blocked_hint(), failure_hint()).map(|_| ())
        },
        hint: |_| None,
    },
    Stage {
        name: "nobody",
        promise: (
            "M4",
            Words::fixed("does so when no socket has that port, too", "没有套接字使用那个端口时，也是如此"),
        ),
        play: |trial| {
            trial.nobody(false)?;
            trial.fails_and_says_so(blocked_hint(), failure_hint()).map(|_| ())
        },
        hint: |_| None,
    },
];

/// The socket that the client asks, and who asked last.
struct Host {
    socket: UdpSocket,
    client: Option<SocketAddr>,
}

impl Host {
    /// Bound, and the client started.
    fn start(trial: &mut Trial<'_>) -> Played<Self> {
        let socket = UdpSocket::bind(SocketAddr::new(trial.at.ip(), trial.terms.port.unwrap_or_default()))?;
        trial.at = socket.local_addr()?;
        trial.spawn(Lane::Client)?;
        Ok(Self { socket, client: None })
    }

    /// The next datagram; none when none comes within this time, or the client has ended.
    fn next(&mut self, trial: &Trial<'_>, limit: Duration) -> Played<Option<Vec<u8>>> {
        const GLANCE: Duration = Duration::from_millis(20);
        let (asked, mut buffer) = (Instant::now(), vec![0; datagram::BUFFER]);
        let mut has_ended = false;
        loop {
            self.socket.set_read_timeout(Some(GLANCE))?;
            match self.socket.recv_from(&mut buffer) {
                Ok((size, client)) => {
                    self.client = Some(client);
                    let bytes = buffer[..size].to_vec();
                    let recorder = trial.lab.record.recorder("");
                    recorder.record(What::Sent {
                        toward: Lane::Server,
                        bytes: bytes.as_slice().into(),
                        how: Crossing::Plain,
                    });
                    return Ok(Some(bytes));
                }
                Err(e) if is_silence(e.kind()) => {}
                Err(_) => std::thread::sleep(GLANCE), // it has left, and its system says so
            }
            if has_ended || asked.elapsed() > limit {
                return Ok(None);
            }
            has_ended = trial.program()?.ended()?.is_some(); // what it sent before is still there
        }
    }

    /// Waits for this name, which may be asked for again; the names before it are let pass.
    fn hears(&mut self, trial: &mut Trial<'_>, name: &[u8]) -> Played {
        self.hears_or(trial, name, &[], None)
    }

    /// As [`Host::hears`]; one that `others` has may come as well, as it was asked for before.
    fn hears_or(
        &mut self,
        trial: &mut Trial<'_>,
        name: &[u8],
        others: &[&[u8]],
        told: Option<Hint>,
    ) -> Played {
        let shown_name = shown(name);
        let expected = words!("a datagram with {shown_name}", "一个数据报：{shown_name}");
        loop {
            // At the start it may be compiled first.
            let patience = trial.terms.patience * if self.client.is_none() { 3 } else { 1 };
            match self.next(trial, patience)? {
                Some(bytes) if bytes == name => return Ok(()),
                Some(bytes) if others.contains(&bytes.as_slice()) => {}
                Some(bytes) => {
                    let came = shown(&bytes);
                    let told = told.or_else(|| {
                        hint(
                            "C7",
                            "A datagram is the name and nothing else: no line feed, no zero byte goes with it.",
                            "一个数据报就是名字，别的什么也没有：不带换行符，也不带零字节。",
                        )
                    });
                    return broken(expected, words!("{came}", "{came}"), told);
                }
                None => {
                    if let Some(status) = trial.program()?.ended()? {
                        if self.client.is_none() {
                            return trial.not_come(Some(status));
                        }
                        let last_words = trial.program()?.last_words();
                        let told = if last_words.join("").to_lowercase().contains("decode") {
                            not_text_hint()
                        } else {
                            told
                        };
                        return broken(expected, ended_with(&status.to_string(), &last_words), told);
                    }
                    if self.client.is_none() {
                        return trial.not_come(None);
                    }
                    let seconds = patience.as_secs_f64();
                    let came = words!("nothing, for {seconds} s", "{seconds} 秒内什么也没有");
                    let flaw = Flaw { expected, came, table: None, hint: told.or_else(blocked_hint) };
                    return Err(Halt::NotDecided(Box::new(flaw)));
                }
            }
        }
    }

    /// Sends a datagram to whoever asked last.
    fn replies(&self, trial: &Trial<'_>, bytes: &[u8]) {
        self.replies_from(&self.socket, trial, bytes);
    }

    /// As [`Host::replies`], from any socket.
    fn replies_from(&self, socket: &UdpSocket, trial: &Trial<'_>, bytes: &[u8]) {
        let recorder = trial.lab.record.recorder("");
        recorder.record(What::Sent { toward: Lane::Client, bytes: bytes.into(), how: Crossing::Plain });
        if let Some(client) = self.client {
            let _ = socket.send_to(bytes, client); // a client that is gone is found out by what then comes
        }
    }

    /// Waits until the client has taken what it was sent, as far as anybody can tell; then whether it has gone on
    /// with another name than this.
    fn goes_on(&mut self, trial: &mut Trial<'_>, name: &[u8]) -> Played<bool> {
        const MOMENT: Duration = Duration::from_millis(200);
        if let Some(client) = self.client {
            trial.wait_until(|_| {
                let rows = kernel::sockets(Protocol::Udp, client).unwrap_or_default();
                rows.iter().all(|row| row.to_read == 0)
            });
        }
        trial.settles()?;
        let asked = Instant::now();
        while let Some(bytes) = self.next(trial, MOMENT)? {
            if bytes != name {
                return Ok(true);
            }
            if asked.elapsed() > MOMENT {
                break;
            }
        }
        Ok(trial.program()?.ended()?.is_some())
    }
}

/// It ends well, and has printed each greeting once; `told` says why else.
fn printed(trial: &mut Trial<'_>, told: Option<&Hint>) -> Played {
    let outcome = trial.ends_well()?;
    match has_printed_greetings(&outcome) {
        Err(Halt::Broken(flaw)) => {
            let hint = told.cloned().or(flaw.hint);
            Err(Halt::Broken(Box::new(Flaw { hint, ..*flaw })))
        }
        printed => printed,
    }
}

/// Answers the names from this one on, as it should be.
fn the_rest(trial: &mut Trial<'_>, host: &mut Host, from: usize, told: Option<&Hint>) -> Played {
    for at in from..NAMES.len() {
        let before: Vec<_> = NAMES[..at].to_vec();
        host.hears_or(trial, NAMES[at], &before, told.cloned())?;
        host.replies(trial, &greeting::of(NAMES[at]));
    }
    printed(trial, told)
}

fn lost(trial: &mut Trial<'_>) -> Played {
    let mut host = Host::start(trial)?;
    host.hears(trial, NAMES[0])?;
    trial.lab.record.recorder("").record(What::Sent {
        toward: Lane::Client,
        bytes: greeting::of(NAMES[0]).as_slice().into(),
        how: Crossing::Lost,
    });
    host.hears_or(trial, NAMES[0], &[], blocked_hint())?;
    host.replies(trial, &greeting::of(NAMES[0]));
    the_rest(trial, &mut host, 1, None)
}

fn late(trial: &mut Trial<'_>) -> Played {
    let mut host = Host::start(trial)?;
    host.hears(trial, NAMES[0])?;
    host.replies(trial, &greeting::of(NAMES[0]));
    host.hears_or(trial, NAMES[1], &NAMES[..1], None)?;
    host.replies(trial, &greeting::of(NAMES[0])); // the copy that was under way for long
    if host.goes_on(trial, NAMES[1])? {
        let expected = Words::fixed("it waits for Tracy's own greeting", "它等待给 Tracy 的回复");
        let came = Words::fixed(
            "it went on at Michael's second greeting, with no answer for Tracy",
            "第二份给 Michael 的问候一到，它就继续了，而 Tracy 还没有回复",
        );
        return broken(expected, came, late_hint());
    }
    host.replies(trial, &greeting::of(NAMES[1]));
    the_rest(trial, &mut host, 2, late_hint().as_ref())
}

fn twice(trial: &mut Trial<'_>) -> Played {
    let mut host = Host::start(trial)?;
    for at in 0..NAMES.len() {
        host.hears_or(trial, NAMES[at], &NAMES[..at], late_hint())?;
        host.replies(trial, &greeting::of(NAMES[at]));
        host.replies(trial, &greeting::of(NAMES[at]));
    }
    printed(trial, late_hint().as_ref())
}

fn stranger(trial: &mut Trial<'_>) -> Played {
    let mut host = Host::start(trial)?;
    let stranger = UdpSocket::bind(SocketAddr::new(trial.at.ip(), 0))?;
    let told = hint(
        "M6",
        "Whoever sends to its port is believed: connect the UDP socket, or compare the sender's address.",
        "谁往它的端口发都信：应当 connect 这个 UDP 套接字，或者比较发送者的地址。",
    );
    host.hears(trial, NAMES[0])?;
    let port = stranger.local_addr()?.port();
    trial.lab.record.recorder("").said(Lane::Server, format!("a stranger, from :{port}"));
    host.replies_from(&stranger, trial, &greeting::of(NAMES[0]));
    if host.goes_on(trial, NAMES[0])? {
        let expected = Words::fixed("it waits for whom it has asked", "它等待它所问的那一方");
        let came = Words::fixed("it went on with what a stranger had said", "它听了陌生人的话就继续了");
        return broken(expected, came, told);
    }
    host.replies(trial, &greeting::of(NAMES[0]));
    the_rest(trial, &mut host, 1, told.as_ref())
}

fn bytes(trial: &mut Trial<'_>) -> Played {
    let mut host = Host::start(trial)?;
    host.hears(trial, NAMES[0])?;
    host.replies(trial, b"Hello, \xff\xfe!");
    if host.goes_on(trial, NAMES[0])? {
        let expected = Words::fixed("it waits for Michael's own greeting", "它等待给 Michael 的回复");
        if let Some(status) = trial.program()?.ended()? {
            let last_words = trial.program()?.last_words();
            return broken(expected, ended_with(&status.to_string(), &last_words), not_text_hint());
        }
        let came = Words::fixed("it took other bytes for it", "它把别的字节当成了回复");
        return broken(expected, came, late_hint());
    }
    host.replies(trial, &greeting::of(NAMES[0]));
    the_rest(trial, &mut host, 1, None)
}

fn blocked_hint() -> Option<Hint> {
    hint(
        "M4",
        "A datagram may be lost, and recv without a time-out then waits for ever: give it one, and ask again\n\
         when it is over, a few times; then say that nobody answers.",
        "数据报可能丢失，没有超时的 recv 会永远等下去：设一个超时，到时就再问，\n问几次仍没有回复，就说明没有人回答。",
    )
}

fn late_hint() -> Option<Hint> {
    hint(
        "M5",
        "Whatever came next was taken for the reply: take only the greeting for the name that was asked, and\n\
         wait on.",
        "下一个来的就被当成了回复：只接受所问名字的问候，其余的忽略，继续等。",
    )
}

fn not_text_hint() -> Option<Hint> {
    hint(
        "M13",
        "What comes need not be UTF-8: compare bytes, and print what is no text some other way.",
        "收到的不一定是 UTF-8：按字节比较，不是文本的换一种方式打印。",
    )
}
