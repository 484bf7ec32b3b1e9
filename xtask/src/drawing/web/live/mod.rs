//! What is told, in browsers as it is told: one page, and one stream of its pieces (server-sent events, WHATWG HTML
//! 9.2). Whoever comes late, or again, gets what was told before; nothing that is told waits for a browser.

mod document;

use std::fmt::Write as _;
use std::io::{self, Write};
use std::net::{IpAddr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use common::address::{self, HostPort};
use common::timed_stream::TimedStream;

use super::markup::{joined, text};
use super::page::Cover;
use super::pieces::piece;
use crate::drawing::entry::Entry;
use crate::drawing::transcript::Transcript;
use crate::wire::listening::Listening;
use crate::wire::request::{self, PATIENCE, Refused, Request, read_out};
use crate::words::{Lang, Words};

/// Where the page is unless told otherwise.
pub const DEFAULT: &str = "127.0.0.1:8080";

/// How many browsers' connections there may be; when one more comes, one gives way, and its page comes again.
const CONNECTIONS: usize = 128;

/// How long a stream says nothing before it says that it is there.
const QUIET: Duration = Duration::from_secs(15);

/// How long after a write the next one comes at the earliest: what is told meanwhile goes with it.
const BREATH: Duration = Duration::from_millis(50);

/// How long a browser may leave what it is sent unread.
const UNREAD: Duration = Duration::from_secs(10);

/// How long the last words wait for browsers.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// What a page's own click or key does to whoever waits; false where nobody does.
pub type GoOn = fn() -> bool;

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
    /// This run, in the numbers of its pieces: a browser may still have those of another.
    run: String,
    /// What a page shows that it is one of ours, and what it may do with that.
    token: String,
    go_on: Option<GoOn>,
    /// Only this machine can reach it.
    is_private: bool,
    /// Each browser that follows has a clone.
    viewers: Arc<()>,
}

impl Live {
    /// Serves the story from now on. With `go_on`, a page on this machine can do that.
    pub fn start(
        at: &HostPort,
        story: &Transcript,
        cover: Cover,
        lang: Lang,
        go_on: Option<GoOn>,
    ) -> Result<Self> {
        let cannot = |e: io::Error| anyhow!(address::cannot_listen(at, &e));
        let listener = TcpListener::bind(at).map_err(cannot)?;
        let bound = listener.local_addr().map_err(cannot)?;
        let show = Arc::new(Show {
            story: story.clone(),
            cover,
            lang,
            run: random(),
            token: random() + &random(),
            go_on,
            is_private: bound.ip().is_loopback(),
            viewers: Arc::default(),
        });
        let shown = Arc::clone(&show);
        let listening = Listening::serving(listener, CONNECTIONS, move |client, from| {
            let shown = Arc::clone(&shown);
            // A browser that leaves is its own affair.
            (move || drop(shown.serve(&client, from.ip())), |_| {})
        })?;
        Ok(Self { show, listening })
    }

    /// Where it is, for a browser on this machine.
    pub fn url(&self) -> String {
        format!("http://{}/", address::reachable(self.listening.address))
    }

    /// Where it is, and who can watch.
    pub fn words(&self) -> Vec<Words> {
        let url = self.url();
        let here = words!("live at {url}", "实时页面：{url}");
        std::iter::once(here).chain(publicity(self.listening.address)).collect()
    }
}

/// What is to be said where others than this machine can watch.
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

/// What a request gets.
enum Response {
    Page(String),
    /// The stream, from a piece on; none where the browser has pieces of another run.
    Stream(Option<usize>),
    /// What was asked for is done.
    Done,
    Refused(Refused),
}

impl Show {
    /// Serves a browser to its end. Nobody waits for that: a write that waits for a browser must not hold up the end.
    fn serve(&self, client: &TcpStream, peer: IpAddr) -> io::Result<()> {
        let request = match request::head(TimedStream::new(client, PATIENCE, PATIENCE)) {
            Ok(head) if head.is_empty() => return Ok(()),
            head => head.and_then(|head| Request::parse(&head)),
        };
        let is_head = request.as_ref().is_ok_and(|request| request.method == "HEAD");
        let answer = request.and_then(|request| self.answer(&request, peer));
        let mut to = TimedStream::new(client, UNREAD, UNREAD);
        let mut send = |status, kind, fields: &str, body: &str| {
            let length = body.len();
            let head =
                format!("HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n{fields}");
            to.write_all((head + FIELDS + if is_head { "" } else { body }).as_bytes())
        };
        match answer.unwrap_or_else(Response::Refused) {
            Response::Page(nonce) => {
                // A page that is seen elsewhere in the network is to be watched only.
                let token = if self.go_on.is_some() && peer.is_loopback() { &*self.token } else { "" };
                let page = document::html(&self.cover, &nonce, token, self.lang);
                send("200 OK", "text/html; charset=utf-8", &document::policy(&nonce), &page)?;
            }
            Response::Stream(from) => {
                let _viewer = Arc::clone(&self.viewers);
                to.write_all(format!("HTTP/1.1 200 OK\r\n{STREAM}{FIELDS}").as_bytes())?;
                if !is_head {
                    self.stream(&mut to, from)?;
                }
            }
            // A 204 has no length (RFC 9110 8.6).
            Response::Done => to.write_all(format!("HTTP/1.1 204 No Content\r\n{FIELDS}").as_bytes())?,
            Response::Refused(Refused(status, why)) => {
                let allow = if status.starts_with("405") { "Allow: GET, HEAD\r\n" } else { "" };
                send(status, PLAIN, allow, &format!("{why}\n"))?;
            }
        }
        client.shutdown(Shutdown::Write)?;
        read_out(TimedStream::new(client, PATIENCE, PATIENCE));
        Ok(())
    }

    fn answer(&self, request: &Request, peer: IpAddr) -> Result<Response, Refused> {
        let is_here = is_loopback(request.host()?);
        // A page of anybody's may have its own name point to this machine: DNS rebinding.
        if self.is_private && !is_here {
            return Err(Refused("421 Misdirected Request", "this page is at a loopback address"));
        }
        let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
        // A page of anybody's may ask its reader's browser for this one's stream, which says where it comes from.
        let site = request.field("sec-fetch-site")?;
        if path != "/" && matches!(site, Some("cross-site" | "same-site")) {
            return Err(Refused("403 Forbidden", "only this page itself reads its stream and goes on"));
        }
        match (&*request.method, path) {
            ("GET" | "HEAD", "/") => Ok(Response::Page(random())),
            ("GET" | "HEAD", "/events") => {
                // A browser that gives up is started again by the page, and says in the query what it had.
                let last = request.field("last-event-id")?.or(query.strip_prefix("last="));
                Ok(Response::Stream(match last.unwrap_or_default() {
                    "" => Some(0),
                    last => self.number(last),
                }))
            }
            ("POST", "/next") => self.go_on(request, is_here && peer.is_loopback()),
            (_, "/" | "/events") => Err(Refused("405 Method Not Allowed", "there is only something to get")),
            _ => Err(Refused("404 Not Found", "there are / and /events, and nothing else")),
        }
    }

    /// Only whoever sits at this machine goes on, with its own page: a class may watch, and not click.
    fn go_on(&self, request: &Request, is_here: bool) -> Result<Response, Refused> {
        let is_ours = is_here && request.field("x-token")? == Some(&self.token);
        match self.go_on.filter(|_| is_ours) {
            None => {
                Err(Refused("403 Forbidden", "only a page of this run goes on, on this machine, with --step"))
            }
            Some(go_on) if go_on() => Ok(Response::Done),
            Some(_) => Err(Refused("409 Conflict", "nobody waits for that")),
        }
    }

    /// The number in a piece's id, if it is one of this run.
    fn number(&self, id: &str) -> Option<usize> {
        id.strip_prefix(&self.run)?.strip_prefix('-')?.parse().ok()
    }

    /// Sends what is told, until the end of the story or of the browser's patience.
    fn stream(&self, to: &mut TimedStream<'_>, from: Option<usize>) -> io::Result<()> {
        let Some(mut number) = from else {
            return to.write_all(b"event: reload\ndata: another run\n\n");
        };
        to.write_all(b"retry: 1000\n\n")?;
        let (mut is_waiting, lang) = (false, self.lang);
        loop {
            let news = self.story.beyond(number, is_waiting, QUIET);
            let mut sent = String::new();
            if news.missing > 0 {
                let missing = news.missing;
                let words =
                    words!("{missing} earlier lines were dropped.", "更早的 {missing} 条已不再保留。");
                sent += &event("", &format!("<p class=\"evidence\">{}</p>", text(words.to(lang))));
            }
            let lanes = news.lanes.map(Entry::Lanes);
            sent.extend(lanes.iter().map(|lanes| event("", &piece(lanes, lang))));
            let first = news.number - news.told.len();
            for (number, told) in (first + 1..).zip(&news.told) {
                let _ = writeln!(sent, "id: {}-{number}", self.run);
                sent += told.drawn.get_or_init(|| event("", &piece(&told.entry, lang)));
            }
            number = news.number;
            if news.is_waiting != is_waiting {
                is_waiting = news.is_waiting;
                sent += &event("event: wait\n", if is_waiting { "yes" } else { "no" });
            }
            if sent.is_empty() && !news.is_over {
                sent += ": still here\n\n";
            }
            if news.is_over {
                sent += &event("event: end\n", "the story is over");
            }
            to.write_all(sent.as_bytes())?;
            if news.is_over {
                return Ok(());
            }
            thread::sleep(BREATH);
        }
    }
}

const PLAIN: &str = "text/plain; charset=utf-8";

/// Of a stream, its first fields; the second one asks nginx not to keep it back until its buffers are full.
const STREAM: &str = "Content-Type: text/event-stream\r\nX-Accel-Buffering: no\r\n";

/// Of every answer, its last fields.
const FIELDS: &str = "Connection: close\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n\
                      Referrer-Policy: no-referrer\r\nCross-Origin-Resource-Policy: same-origin\r\n\r\n";

/// An event of the stream, after its fields. A carriage return ends a line there as a line feed does.
fn event(fields: &str, data: &str) -> String {
    let lines = data.trim_end().split(['\n', '\r']);
    fields.to_owned() + &joined(lines.map(|line| format!("data: {line}\n"))) + "\n"
}

/// Whether a host is this machine, in a notation that no name server has a say in.
fn is_loopback(host: &str) -> bool {
    let ip = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    let name = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    name == "localhost"
        || name.ends_with(".localhost")
        || ip.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drawing::style::Style;

    fn show(is_private: bool, go_on: Option<GoOn>) -> Show {
        let words = || Words::fixed("", "");
        Show {
            story: Transcript::new(Style::plain(Lang::En)),
            cover: Cover { title: words(), intro: words(), is_bare: false },
            lang: Lang::En,
            run: "run".into(),
            token: "token".into(),
            go_on,
            is_private,
            viewers: Arc::default(),
        }
    }

    /// The status of a refusal; none where there is an answer.
    fn refusal(show: &Show, request: &str, peer: &str) -> Option<&'static str> {
        let request = Request::parse(format!("{request}\r\n\r\n").as_bytes()).unwrap();
        show.answer(&request, peer.parse().unwrap()).err().map(|Refused(status, _)| &status[..3])
    }

    #[test]
    fn a_page_at_the_loopback_is_not_shown_under_anybody_elses_name() {
        let page = |host| format!("GET / HTTP/1.1\r\nHost: {host}");
        let own = "localhost LOCALHOST:9 127.0.0.1 127.9.9.9:8080 [::1]:8080 localhost. a.LocalHost:1";
        for host in own.split(' ') {
            assert_eq!(refusal(&show(true, None), &page(host), "127.0.0.1"), None, "{host}");
        }
        let others =
            "evil.example 127.0.0.1.evil.example localhost.evil.example evil.example. 10.0.0.1 [::2]";
        for host in others.split(' ').chain([""]) {
            assert_eq!(refusal(&show(true, None), &page(host), "127.0.0.1"), Some("421"), "{host}");
            let in_a_class = refusal(&show(false, None), &page(host), "10.0.0.9");
            assert_eq!(in_a_class, None, "it has names of its own: {host}");
        }
    }

    #[test]
    fn only_a_page_of_this_run_on_this_machine_goes_on_and_only_where_somebody_waits() {
        let next = |host, token| format!("POST /next HTTP/1.1\r\nHost: {host}\r\nX-Token: {token}");
        for (is_private, go_on, host, token, peer, expected) in [
            (true, Some((|| true) as GoOn), "localhost", "token", "127.0.0.1", None),
            (false, Some(|| true), "127.0.0.1:8080", "token", "::1", None),
            (true, Some(|| false), "localhost", "token", "127.0.0.1", Some("409")),
            (true, None, "localhost", "token", "127.0.0.1", Some("403")),
            (true, Some(|| true), "localhost", "other", "127.0.0.1", Some("403")),
            (true, Some(|| true), "localhost", "", "127.0.0.1", Some("403")),
            (true, Some(|| true), "evil.example", "token", "127.0.0.1", Some("421")),
            (false, Some(|| true), "evil.example", "token", "127.0.0.1", Some("403")),
            (false, Some(|| true), "127.0.0.1", "token", "10.0.0.9", Some("403")),
        ] {
            let show = show(is_private, go_on);
            assert_eq!(refusal(&show, &next(host, token), peer), expected, "{host} {token} {peer}");
        }
        for (site, expected) in [("same-origin", None), ("none", None), ("cross-site", Some("403"))] {
            let events = format!("GET /events HTTP/1.1\r\nHost: localhost\r\nSec-Fetch-Site: {site}");
            assert_eq!(refusal(&show(true, None), &events, "127.0.0.1"), expected, "{site}");
        }
        let none = "POST /next HTTP/1.1\r\nHost: localhost";
        assert_eq!(refusal(&show(true, Some(|| true)), none, "127.0.0.1"), Some("403"));
    }

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
