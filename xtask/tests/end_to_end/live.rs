//! The page that a browser follows: what it is sent, what it may ask for, and what becomes of one that misbehaves.

use std::env;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};

use xtask::lessons::{self, Lesson};
use xtask::page::{self, Cover};
use xtask::{Audience, Entry, Lang, Live, Play, Runner, Scratch, Side, Style, Transcript, Wait, Words};

use crate::process::{command, eventually};

const PLAIN: Style = Style::plain(Lang::En);
const HOSTILE: &str =
    "<script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\">&amp;";

/// Serves a story on a free port; where it is.
fn live(story: &Transcript) -> (Live, String) {
    live_at("127.0.0.1:0", story).unwrap()
}

fn live_at(at: &str, story: &Transcript) -> anyhow::Result<(Live, String)> {
    let words = || Words::fixed("a title", "标题");
    let cover = Cover { title: words(), intro: words(), is_bare: false };
    let live = Live::start(&at.parse().unwrap(), story, cover, Lang::En, false)?;
    let at = live.url().trim_start_matches("http://").trim_end_matches('/').to_owned();
    Ok((live, at))
}

/// Everything that is answered to these bytes.
pub fn answer(at: &str, request: impl AsRef<[u8]>) -> String {
    let mut stream = TcpStream::connect(at).unwrap();
    stream.write_all(request.as_ref()).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// What a browser says to ask for something.
pub fn request(at: &str, first: &str, fields: &str) -> String {
    format!("{first} HTTP/1.1\r\nHost: {at}\r\n{fields}\r\n")
}

pub fn get(at: &str, path: &str) -> String {
    answer(at, request(at, &format!("GET {path}"), ""))
}

/// A stream, behind its head.
pub struct Events(BufReader<TcpStream>);

#[derive(Debug, Default, PartialEq, Eq)]
pub struct StreamEvent {
    pub id: String,
    pub kind: String,
    pub data: String,
}

impl Events {
    pub fn of(at: &str, last: &str) -> Self {
        Self::asked(at, &format!("?last={last}"))
    }

    pub fn asked(at: &str, query: &str) -> Self {
        let mut stream = TcpStream::connect(at).unwrap();
        stream.write_all(request(at, &format!("GET /events{query}"), "").as_bytes()).unwrap();
        let mut events = Self(BufReader::new(stream));
        assert_eq!(events.line(), Some("HTTP/1.1 200 OK".into()));
        assert_eq!(events.line(), Some("Content-Type: text/event-stream".into()));
        assert_eq!(events.line(), Some("X-Accel-Buffering: no".into()), "nginx is asked not to keep it back");
        while events.line().unwrap() != "" {}
        events
    }

    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        (self.0.read_line(&mut line).unwrap() > 0).then(|| line.trim_end().to_owned())
    }

    /// The next one with data; none where the stream ends.
    fn next(&mut self) -> Option<StreamEvent> {
        let mut event = StreamEvent::default();
        loop {
            let line = self.line()?;
            let (field, value) = line.split_once(": ").unwrap_or_default();
            match field {
                "id" => event.id = value.into(),
                "event" => event.kind = value.into(),
                "data" => event.data += value,
                _ if line.is_empty() && !event.data.is_empty() => return Some(event),
                _ => {}
            }
        }
    }

    pub fn wait_for(&mut self, data: &str) -> StreamEvent {
        loop {
            let event = self.next().unwrap_or_else(|| panic!("no '{data}' before the end"));
            if event.data.contains(data) {
                return event;
            }
        }
    }

    pub fn rest(mut self) -> Vec<StreamEvent> {
        std::iter::from_fn(|| self.next()).collect()
    }
}

fn tell(story: &Transcript, text: &str) {
    story.tell(Entry::Evidence(Words { en: text.to_owned().into(), zh: text.to_owned().into() })).unwrap();
}

#[test]
fn a_browser_that_reconnects_gets_what_it_missed_and_a_late_one_all() {
    let story = Transcript::new(PLAIN);
    let (live, at) = live(&story);
    tell(&story, "one");
    let mut early = Events::of(&at, "");
    let one = early.wait_for("one");
    tell(&story, "two"); // as it happens
    let two = early.next().unwrap();
    assert_eq!(two.data, "<p class=\"evidence\">two</p>");
    drop(early);
    tell(&story, "three");
    let mut again = Events::of(&at, &two.id);
    let three = again.next().unwrap();
    assert!(three.data.contains("three"), "and nothing twice: {three:?}");
    drop(live);
    let rest = again.rest();
    assert_eq!((rest.len(), &*rest[0].kind), (1, "end"), "{rest:?}");

    let (live, at) = self::live(&story); // of a story that is over
    let late = Events::of(&at, "").rest();
    let data = |event: &StreamEvent| event.data.clone();
    let seen = late.iter().map(data).collect::<Vec<_>>();
    assert_eq!(seen[..3], [&one, &two, &three].map(data), "a late viewer sees what an early one saw");
    assert_eq!((late.len(), &*late[3].kind), (4, "end"));
    for other in [&*two.id, "rubbish", "7", "-"] {
        let events = Events::of(&at, other).rest();
        assert_eq!((events.len(), &*events[0].kind), (1, "reload"), "pieces of another run: {other}");
    }
    drop(live);
}

#[test]
fn a_page_that_waits_at_an_address_is_told_to_load_the_next_commands_page() {
    let story = Transcript::new(PLAIN);
    tell(&story, "one");
    let (first, at) = live(&story);
    let run =
        |at: &str| get(at, "/").split("data-run=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let old = run(&at);
    let mut events = Events::of(&at, &format!("{old}-0"));
    events.wait_for("one");
    drop(first);
    assert_eq!(events.rest().last().unwrap().kind, "end");
    // Another test may have the port for a moment, for a client of its own.
    let again = || live_at(&at, &Transcript::new(PLAIN)).ok();
    let (second, _) = eventually("the first page's port is free", again);
    for had in [format!("{old}-0"), format!("{old}-1")] {
        assert_eq!(Events::of(&at, &had).rest()[0].kind, "reload", "{had}");
    }
    assert_ne!(run(&at), old);
    drop(second);
}

#[test]
fn every_viewer_is_told_everything_and_one_that_does_not_read_holds_up_nobody() {
    let story = Transcript::new(PLAIN);
    let (live, at) = live(&story);
    let stalled = Events::of(&at, "");
    let reading: Vec<_> = (0..2)
        .map(|_| Events::of(&at, ""))
        .map(|events| std::thread::spawn(|| events.rest().len()))
        .collect();
    let (pieces, text) = (400, "x".repeat(40_000)); // more than any socket's buffers hold
    for _ in 0..pieces {
        let sentence = Words { en: text.clone().into(), zh: "".into() }; // a sum's is not wrapped, which costs time
        story.tell(Entry::Sum { sentence, is_kept: false }).unwrap();
    }
    story.end();
    for reading in reading {
        assert_eq!(reading.join().unwrap(), pieces + 1, "the last one is the end");
    }
    drop(live);
    drop(stalled);
}

#[test]
fn when_all_places_are_taken_the_oldest_browser_gives_way_to_one_more() {
    #[cfg(unix)]
    if !crate::process::has_descriptors(600) {
        return;
    }
    let story = Transcript::new(PLAIN);
    let (live, at) = live(&story);
    let mut viewers: Vec<_> = (0..200).map(|_| Events::of(&at, "")).collect();
    let mut one_more = Events::of(&at, "");
    assert_eq!(viewers.remove(0).rest(), [], "it is disconnected, and not told an end");
    tell(&story, "one");
    one_more.wait_for("one");
    drop(live);
    for viewer in viewers {
        assert_eq!(viewer.rest().len(), 2, "each is told that, and the end");
    }
}

#[test]
fn the_page_fetches_nothing_but_its_stream_and_runs_nothing_but_its_script() {
    let (_live, at) = live(&Transcript::new(PLAIN));
    let page = get(&at, "/");
    let (head, body) = page.split_once("\r\n\r\n").unwrap();
    let nonce = head.split("'nonce-").nth(1).unwrap().split('\'').next().unwrap();
    for field in [
        "Content-Type: text/html; charset=utf-8".to_owned(),
        "Cache-Control: no-store".into(),
        "X-Content-Type-Options: nosniff".into(),
        format!("Content-Length: {}", body.len()),
        format!(
            "Content-Security-Policy: default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; \
             connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        ),
    ] {
        assert!(head.lines().any(|line| line == field), "{field} is not in {head}");
    }
    let tags = |tag: &str| body.matches(&format!("<{tag} nonce=\"{nonce}\"")).count();
    assert_eq!((tags("script"), tags("style")), (1, 2));
    assert_eq!((body.matches("<script").count(), body.matches("<style").count()), (1, 2));
    for fetched in ["http:", "https:", "src=", "href=", "url(", "@import", "<link"] {
        assert!(!body.contains(fetched), "{fetched}");
    }
    assert_eq!((body.matches("<main>").count(), body.matches("<h1>").count()), (1, 1));
    assert!(body.contains("<html lang=\"en\">") && body.contains("data-token=\"\""));
    assert!(!body.contains("id=\"next\""));
    assert!(!get(&at, "/").contains(nonce), "a nonce is used once");
}

#[test]
fn any_rubbish_as_a_request_is_refused_with_a_reason() {
    let (live, at) = live(&Transcript::new(PLAIN));
    for (request, status) in [
        (request(&at, "GET /nope", ""), "404 Not Found"),
        (request(&at, "POST /next", "Content-Length: 9\r\n"), "413 Content Too Large"),
        ("GET / HTTP/1.1\r\n\r\n".into(), "400 Bad Request"),
        ("\x16\x03\x01\x02\0\x01".into(), "400 Bad Request"),
    ] {
        let refused = answer(&at, &request);
        assert!(refused.starts_with(&format!("HTTP/1.1 {status}\r\n")), "{request:.40}: {refused}");
        let reason = refused.split_once("\r\n\r\n").unwrap().1;
        assert!(reason.ends_with('\n') && reason.len() > 10, "{reason}");
    }
    assert_eq!(answer(&at, ""), "", "whoever says nothing is told nothing");
    drop(live);
}

/// A lesson in which all that a peer sends and all that is said is hostile.
fn hostile_course() -> Runner {
    fn speaks(play: &mut Play) -> anyhow::Result<()> {
        play.act(&Words::fixed(HOSTILE, HOSTILE))?;
        play.sent(Side::Server, HOSTILE.as_bytes());
        play.sent(Side::Client, b"\r\n\r\nevent: end\r\ndata: x\r\n\r\n");
        play.called(Side::Server, HOSTILE);
        play.checks.equal(Words::fixed("a & b", "a & b"), &HOSTILE, &"");
        Ok(())
    }
    static CLAIMS: [(&str, Words); 1] = [("C", Words::fixed(HOSTILE, HOSTILE))];
    let lesson = Lesson { name: "x", subject_zh: "", claims: &CLAIMS, lanes: lessons::TCP, play: speaks };
    let mut course = Runner::new(PLAIN, Audience { step: false, quiz: false });
    course.play(&lesson, "127.0.0.1".parse().unwrap()).unwrap();
    assert_eq!(course.sum_up(false, "").unwrap_err().to_string(), "1 of 1 checks failed");
    course
}

fn hostile_story() -> Transcript {
    let course = hostile_course();
    let question = Words::fixed(HOSTILE, HOSTILE);
    course.story.tell(Entry::Question { question: question.clone(), choices: vec![question] }).unwrap();
    course.story.wait(Wait::Prediction(1));
    course.story.end();
    course.story.clone()
}

#[test]
fn what_a_peer_sends_is_text_on_a_saved_page_and_a_failed_check_stands_out() {
    let words = || Words::fixed(HOSTILE, HOSTILE);
    let cover = Cover { title: words(), intro: words(), is_bare: false };
    let page = page::html(&cover, &hostile_course().chapters, Lang::En);
    let markup = ["<script", "<img"].map(|tag| page.contains(tag));
    assert!(crate::demo::is_balanced(&page) && markup == [false; 2], "{page}");
    assert!(page.contains("<p class=\"check failed\">✗ a &amp; b"));
    assert!(page.contains("<section class=\"sum failed\""));
    assert!(page.contains("<a href=\"#x-IPv4\">IPv4</a> <span class=\"failed\">✗ "));
}

#[test]
fn what_a_peer_sends_is_text_in_every_piece() {
    let story = hostile_story();
    let (live, at) = live(&story);
    let events = Events::of(&at, "").rest();
    let data: String = events.iter().map(|event| event.data.as_str()).collect();
    let places = "claim, act, bytes, line, check, question, choice";
    assert_eq!(data.matches("&lt;script&gt;").count(), 7, "{places}: {data}");
    assert!(!data.contains("<script") && !data.contains("<img") && !data.contains("&amp;amp;amp;"), "{data}");
    assert_eq!(events.iter().filter(|event| event.kind == "end").count(), 1, "no payload is an event");
    assert!(data.contains("\\r\\n\\r\\nevent: end") && data.contains("1 of 1 checks failed"));
    drop(live);
}

/// The document as a Chromium has it when the stream is over: that of `CHROME`, or one in the path.
fn dump_dom(url: &str) -> Option<String> {
    let profile = Scratch::new().unwrap();
    let names = ["chromium", "chromium-browser", "google-chrome", "chrome"].map(str::to_owned);
    let dom = env::var("CHROME").into_iter().chain(names).find_map(|name| {
        let mut command = command(name);
        command.args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]);
        command.args(["--disable-background-networking", "--disable-component-update", "--disable-sync"]);
        command.arg(format!("--user-data-dir={}", profile.path().display()));
        // Time is virtual, and stands still while the stream goes on.
        let output = command.args(["--virtual-time-budget=60000", "--dump-dom", url]).output().ok()?;
        let dom = String::from_utf8_lossy(&output.stdout).into_owned();
        dom.contains("<html").then_some(dom)
    });
    if dom.is_none() {
        println!("not available here: a Chromium that can start");
    }
    dom
}

#[test]
fn a_browser_shows_every_piece_and_obeys_none() {
    let story = hostile_story();
    let (live, _) = live(&story);
    let Some(dom) = dump_dom(&live.url()) else { return };
    assert!(dom.contains("<title>a title</title>") && !dom.contains("<img"), "{dom}");
    let story = dom.split("<div id=\"story\"").nth(1).unwrap().split("</main>").next().unwrap();
    assert_eq!(story.matches("&lt;script&gt;").count(), 7, "{story}");
    assert_eq!(story.matches("<li><button type=\"button\" disabled=\"\">").count(), 1, "a choice: {story}");
    assert!(!story.contains("<script"), "{story}");
    let [rungs, ladders] =
        ["<li class=\"rung\">", "<ol class=\"ladder\""].map(|tag| story.matches(tag).count());
    assert_eq!((rungs, ladders), (3, 1));
    assert!(story.contains("<section aria-labelledby=\"x\"><h2 id=\"x\">x</h2>"), "{story}");
    assert!(dom.contains("ended; waiting for the next command</span>"), "{dom}");
}
