//! What is told, in browsers as it is told: one page, and a stream of its pieces (server-sent events, WHATWG HTML 9.2).
//! A browser that comes late, or again, gets what was told before; nothing that is told waits for a browser.

mod document;
mod rights;

use std::io::{self, BufWriter, Write};
use std::net::{IpAddr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use common::address::{self, HostPort};
use common::timed_stream::TimedStream;

use document::Viewer;

use super::page::Cover;
use super::pieces::{joined, piece};
use crate::drawing::entry::Entry;
use crate::drawing::transcript::{News, Seen, Transcript};
use crate::drawing::votes::{State, Wait};
use crate::wire::event::Recorder;
use crate::wire::listening::Listening;
use crate::wire::request::{self, PATIENCE, Refused, Request, read_out};
use crate::words::{Lang, Words};

pub const DEFAULT: &str = "127.0.0.1:8080";

/// How many connections there may be: a class of a hundred votes at the same moment. When one more comes, one gives way,
/// and its page comes again. macOS gives a process 256 descriptors.
const CONNECTIONS: usize = 200;
/// How long a stream says nothing before it says that it is there.
const QUIET: Duration = Duration::from_secs(15);
/// The pause after a write: what is told meanwhile goes with the next one.
const BREATH: Duration = Duration::from_millis(50);
/// How long a browser may leave what it is sent unread.
const UNREAD: Duration = Duration::from_secs(10);
/// How long the last words wait for browsers.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// A story that can be watched until this is dropped; what browsers show stays there.
pub struct Live {
    show: Arc<Show>,
    /// Dropped after the last words have been said.
    listening: Listening,
}

struct Show {
    story: Transcript,
    cover: Cover,
    lang: Lang,
    /// In the numbers of its pieces: a browser may still have those of another run.
    run: String,
    /// With it, a page goes on and answers questions.
    token: String,
    /// A page on this machine gets the token.
    is_led: bool,
    /// Only this machine can reach it.
    is_private: bool,
    /// Each browser that follows has a clone.
    viewers: Arc<()>,
}

impl Live {
    pub fn start(at: &HostPort, story: &Transcript, cover: Cover, lang: Lang, is_led: bool) -> Result<Self> {
        let cannot = |e: io::Error| anyhow!(address::cannot_listen(at, &e));
        let listener = TcpListener::bind(at).map_err(cannot)?;
        let bound = listener.local_addr().map_err(cannot)?;
        let show = Arc::new(Show {
            story: story.clone(),
            cover,
            lang,
            run: random(),
            token: random() + &random(),
            is_led,
            is_private: bound.ip().is_loopback(),
            viewers: Arc::default(),
        });
        let shown = Arc::clone(&show);
        let listening = Listening::serving(listener, CONNECTIONS, move |client, from| {
            let shown = Arc::clone(&shown);
            // A browser that leaves is its own affair.
            (move || drop(shown.serve(&client, from.ip())), Recorder::discarding())
        })?;
        Ok(Self { show, listening })
    }

    pub fn story(&self) -> &Transcript {
        &self.show.story
    }

    /// For a browser on this machine.
    pub fn url(&self) -> String {
        format!("http://{}/", address::reachable(self.listening.address))
    }

    pub fn words(&self) -> Vec<Words> {
        let url = self.url();
        let words = words!("live at {url}", "实时页面：{url}");
        [words].into_iter().chain(publicity(self.listening.address)).collect()
    }
}

/// Where others than this machine can watch, if they can.
fn publicity(bound: SocketAddr) -> Option<Words> {
    let (ip, port) = (bound.ip(), bound.port());
    let reached = if ip.is_unspecified() { address::reachable_by_others(bound) } else { Some(bound) };
    let (en, zh) = match reached {
        _ if ip.is_loopback() => return None,
        Some(at) => (format!("at http://{at}/"), format!("地址是 http://{at}/")),
        None => (format!("at this machine's address, port {port}"), format!("地址是本机的地址，端口 {port}")),
    };
    Some(words!("everybody in the network can watch, {en}", "网络里的任何人都能观看，{zh}"))
}

impl Drop for Live {
    /// Says the end to every browser; one that does not read is not waited for.
    fn drop(&mut self) {
        self.show.story.end();
        let end = Instant::now() + LAST_WORDS;
        while Arc::strong_count(&self.show.viewers) > 1 && Instant::now() < end {
            thread::sleep(Duration::from_millis(1));
        }
    }
}

/// A token that nobody can guess.
fn random() -> String {
    format!("{:016x}", crate::random::number())
}

enum Response {
    Page(Viewer),
    /// The stream, beyond what was seen; none where the browser has pieces of another run.
    Stream(Option<Seen>),
    Done,
}

impl Show {
    /// Serves a browser to its end. Nobody waits for that: a write that waits for a browser must not hold up the end.
    fn serve(&self, client: &TcpStream, peer: IpAddr) -> io::Result<()> {
        let request = match request::head(TimedStream::new(client, PATIENCE, PATIENCE)) {
            Ok(head) if head.is_empty() => return Ok(()),
            head => head.and_then(|head| Request::parse(&head)),
        };
        let answer = request.and_then(|request| self.answer(&request, peer));
        let mut to = TimedStream::new(client, UNREAD, UNREAD);
        let mut send = |status, kind, fields: &str, body: &str| {
            let head = format!("HTTP/1.1 {status}\r\nContent-Type: text/{kind}; charset=utf-8\r\n{fields}");
            to.write_all(format!("{head}Content-Length: {}\r\n{FIELDS}{body}", body.len()).as_bytes())
        };
        match answer {
            Ok(Response::Page(viewer)) => {
                let nonce = random();
                let page = document::html(self, &nonce, viewer);
                send("200 OK", "html", &document::policy(&nonce), &page)?;
            }
            Ok(Response::Stream(seen)) => {
                let _viewer = Arc::clone(&self.viewers);
                // The second field asks nginx not to keep it back until its buffers are full.
                let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nX-Accel-Buffering: no\r\n";
                to.write_all((head.to_owned() + FIELDS).as_bytes())?;
                self.stream(&mut to, seen)?;
            }
            // A 204 has no length (RFC 9110 8.6).
            Ok(Response::Done) => to.write_all(format!("HTTP/1.1 204 No Content\r\n{FIELDS}").as_bytes())?,
            Err(Refused(status, why)) => send(status, "plain", "", &format!("{why}\n"))?,
        }
        client.shutdown(Shutdown::Write)?;
        read_out(TimedStream::new(client, PATIENCE, PATIENCE));
        Ok(())
    }

    fn stream(&self, to: &mut TimedStream<'_>, from: Option<Seen>) -> io::Result<()> {
        let Some(mut seen) = from else {
            return to.write_all(b"event: reload\ndata: another run\n\n");
        };
        let lang = self.lang;
        let mut to = BufWriter::new(to);
        loop {
            let news = self.story.beyond(seen, QUIET);
            if news.missing > 0 {
                let missing = news.missing;
                let words =
                    words!("{missing} earlier lines were dropped.", "更早的 {missing} 条已不再保留。");
                to.write_all(event("", &piece(&Entry::Evidence(words), lang)).as_bytes())?;
            }
            let first = news.seen.entries - news.told.len();
            for (number, told) in (first + 1..).zip(&news.told) {
                let drawn = told.1.get_or_init(|| event("", &piece(&told.0, lang)));
                write!(to, "id: {}-{number}\n{drawn}", self.run)?;
            }
            to.write_all(state(&news).as_bytes())?;
            if news.is_over {
                to.write_all(event("event: end\n", "the story is over").as_bytes())?;
                return to.flush();
            }
            if news.told.is_empty() && news.state.is_none() {
                to.write_all(b": still here\n\n")?;
            }
            to.flush()?;
            seen = news.seen;
            thread::sleep(BREATH);
        }
    }
}

/// How the run is now, if that has changed; with the votes where they may be seen.
fn state(news: &News) -> String {
    let Some(State { wait, number, score: (right, asked) }) = news.state else { return String::new() };
    let (wait, choices) = match wait {
        Wait::Nothing => ("nothing", 0),
        Wait::GoOn => ("step", 0),
        Wait::Prediction(choices) => ("prediction", choices),
    };
    let votes = &news.votes;
    let state = format!(
        "{{\"wait\":\"{wait}\",\"number\":{number},\"choices\":{choices},\"right\":{right},\"asked\":{asked},\
         \"votes\":{votes:?}}}"
    );
    event("event: state\n", &state)
}

/// Every answer's last fields.
const FIELDS: &str = "Connection: close\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n\
                      Referrer-Policy: no-referrer\r\nCross-Origin-Resource-Policy: same-origin\r\n\r\n";

/// An event of the stream, after its fields. A carriage return ends a line there as a line feed does.
fn event(fields: &str, data: &str) -> String {
    let lines = data.trim_end().split(['\n', '\r']);
    fields.to_owned() + &joined(lines.map(|line| format!("data: {line}\n"))) + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_can_watch_is_said_where_it_is_not_this_machine_alone() {
        let said = |bound: &str| publicity(bound.parse().unwrap()).map(|words| words.en.into_owned());
        assert_eq!(said("127.0.0.1:8080"), None);
        assert_eq!(said("[::1]:8080"), None);
        let expected = "everybody in the network can watch, at http://10.0.0.1:8080/";
        assert_eq!(said("10.0.0.1:8080").as_deref(), Some(expected));
    }

    #[test]
    fn nothing_in_a_piece_ends_its_event() {
        let sent = event("id: x-1\n", "one\ntwo\r\nevent: end\rdata: no\n");
        assert_eq!(sent, "id: x-1\ndata: one\ndata: two\ndata: \ndata: event: end\ndata: data: no\n\n");
    }
}
