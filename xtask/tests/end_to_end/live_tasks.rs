//! The live page of a task: who goes on, and what a class sees.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::process::{Child, ChildStdout, Stdio};
use std::thread;

use crate::grade::path;
use crate::live::{Events, answer, get, request};

/// A demo that steps, its standard output, and where its page is.
pub struct Stepping {
    demo: Child,
    out: BufReader<ChildStdout>,
    pub at: String,
}

impl Stepping {
    pub fn start(args: &[&str]) -> Self {
        Self::start_task("demo", args)
    }

    fn start_task(task: &str, args: &[&str]) -> Self {
        let mut command = crate::program("xtask");
        command.args([task, "--lang=en", "--live=127.0.0.1:0"]).args(args);
        let mut demo = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut out = BufReader::new(demo.stdout.take().unwrap());
        let mut first = String::new();
        out.read_line(&mut first).unwrap();
        let at = first.trim_end().strip_prefix("live at http://").and_then(|rest| rest.strip_suffix('/'));
        let at = at.unwrap_or_else(|| panic!("{first}")).to_owned();
        Self { demo, out, at }
    }

    /// Types a line, and waits for the end; what was printed.
    pub fn end(mut self, line: &[u8]) -> String {
        self.demo.stdin.take().unwrap().write_all(line).unwrap();
        let mut out = String::new();
        self.out.read_to_string(&mut out).unwrap();
        assert!(self.demo.wait().unwrap().success(), "{out}");
        out
    }
}

pub fn token(at: &str) -> String {
    let page = get(at, "/");
    let token = page.split("data-token=\"").nth(1).unwrap().split('"').next().unwrap();
    assert!(token.len() >= 32 && page.contains("id=\"next\"") && page.contains("id=\"score\""));
    token.to_owned()
}

/// Waits until the run waits for this; the number of the wait.
fn number_of_wait(events: &mut Events, wait: &str) -> u64 {
    let state = events.wait_for(&format!("\"wait\":\"{wait}\""));
    assert_eq!(state.kind, "state");
    state.data.split("\"number\":").nth(1).unwrap().split(',').next().unwrap().parse().unwrap()
}

pub fn post(at: &str, path: &str, fields: &str) -> String {
    let answer = answer(at, request(at, &format!("POST {path}"), &format!("{fields}Content-Length: 0\r\n")));
    answer.split(' ').nth(1).unwrap().to_owned()
}

#[test]
fn the_page_goes_on_in_a_demo_that_steps_and_nobody_else_does() {
    let stepping = Stepping::start(&["duplex", "--step"]);
    let at = stepping.at.clone();
    let mut events = Events::of(&at, "");
    events.wait_for("<h4 class=\"act\">");
    let number = number_of_wait(&mut events, "step");
    let token = token(&at);
    let (path, ours) = (format!("/next?wait={number}"), format!("X-Token: {token}\r\n"));
    assert_eq!(post(&at, &path, ""), "403");
    let done = answer(&at, request(&at, &format!("POST {path}"), &ours));
    assert!(done.starts_with("HTTP/1.1 204 ") && !done.contains("Content-Length"), "{done}"); // RFC 9110 8.6
    events.wait_for("check passed");
    events.wait_for("<h4 class=\"act\">");
    assert_eq!(number_of_wait(&mut events, "step"), number + 1, "the next act is waited for");
    assert_eq!(post(&at, &path, &ours), "409", "a click that comes late goes on once");
    let out = stepping.end(b"q\n\n");
    assert_eq!(out.matches("[Enter: go on, q: leave]").count(), 2, "{out}");
    assert_eq!(out.matches("\n  ✓ ").count(), 1, "{out}");
    assert!(events.wait_for("Left before the end.").data.contains("class=\"sum passed\""));
}

#[test]
fn a_class_votes_the_presenter_answers_on_the_page_and_the_verdict_shows_the_votes() {
    let demo = Stepping::start(&["duplex", "--quiz"]);
    let at = demo.at.clone();
    let token = token(&at);
    let mut events = Events::of(&at, "");
    let mut presenters = Events::asked(&at, &format!("?token={token}"));
    assert!(events.wait_for("class=\"question\"").data.contains("<li>"));
    let number = number_of_wait(&mut events, "prediction");
    let vote = |voter: u128, choice: u64| {
        let path = format!("/vote?question={number}&choice={choice}");
        post(&at, &path, &format!("X-Voter: {voter:032x}\r\n"))
    };
    assert_eq!([vote(1, 1), vote(2, 3), vote(1, 3), vote(3, 2)], ["204"; 4]);
    presenters.wait_for("\"votes\":[0, 1, 2]");
    let ours = format!("X-Token: {token}\r\n");
    assert_eq!(post(&at, &format!("/next?wait={number}&answer=9"), &ours), "400");
    assert_eq!(post(&at, &format!("/next?wait={number}&answer=3"), &ours), "204");
    let (mut told, mut early) = (Vec::new(), Vec::new());
    while told.is_empty() {
        let event = events.wait_for("");
        if event.data.contains("the class, ") { &mut told } else { &mut early }.push(event.data);
    }
    assert!(told[0].contains("the class, 3 votes: 0 for 1, 1 for 2, 2 for 3"), "{told:?}");
    assert!(early.iter().any(|data| data.contains("= 3 is right")), "{early:?}");
    let has_votes = |data: &String| data.contains("votes") && !data.contains("\"votes\":[]}");
    assert!(!early.iter().any(has_votes), "no votes before: {early:?}");
    assert_eq!(vote(6, 1), "409", "the question is closed");
    let out = demo.end("\n".repeat(9).as_bytes());
    assert!(out.contains("\n= 3 is right: "), "{out}");
    assert!(out.contains("\n    the class, 3 votes: 0 for 1, 1 for 2, 2 for 3\n"), "{out}");
    assert_eq!(out.matches("the class, ").count(), 1, "once: {out}");
}

#[test]
fn the_page_stays_behind_the_demo_until_enter_and_shows_what_the_terminal_showed() {
    let demo = Stepping::start(&["framing", "--ip=4"]);
    let early = Events::of(&demo.at, "");
    let early = thread::spawn(|| early.rest()); // one that reads nothing meanwhile is let go where buffers are small
    let all = Events::of(&demo.at, "").wait_for("All ");
    let behind: usize = all.id.rsplit('-').next().unwrap().parse().unwrap();
    let out = demo.end(b"\n");
    assert!(out.ends_with(" checks passed.\n[the page stays live until Enter]\n"), "{out}");
    let early = early.join().unwrap();
    let pieces: Vec<_> = early.iter().filter(|event| event.kind.is_empty()).collect();
    assert_eq!(pieces.len(), behind, "the sum is the last piece");
    let count = |start: &str| pieces.iter().filter(|event| event.data.starts_with(start)).count();
    assert_eq!(count("<p class=\"check passed\">"), out.matches("\n  ✓ ").count());
    let acts = out.matches("\n> ").count() - out.matches("\n> says what").count();
    assert_eq!(count("<h4 class=\"act\">"), acts);
    assert_eq!(count("<li class=\"rung\">"), crate::demo::rungs(&out));
}

#[test]
fn a_class_sees_each_stage_of_the_judge_and_what_came_of_it() {
    let server = path("tcp-server");
    let command = ["tcp-server", "--seed=0", "--stage=greets", "--", &server, "{host}:{port}", "--delay=0"];
    let judge = Stepping::start_task("grade", &command);
    let mut events = Events::of(&judge.at, "");
    events.wait_for("greets over IPv4");
    events.wait_for("Hello, Michael!\\n");
    events.wait_for("check passed");
    events.wait_for("1 of 1 passed.");
    let out = judge.end(b"\n");
    assert!(out.ends_with("\n1 of 1 passed.\n[the page stays live until Enter]\n"), "{out}");
}

#[test]
#[cfg(unix)]
fn a_class_sees_what_happens_while_the_judge_waits_for_a_silent_program() {
    let server = path("tcp-server");
    let silent = ["--", &server, "{host}:{port}", "--delay=3600"];
    let command = [&["tcp-server", "--stage=greets", "--patience=3600"], &silent[..]].concat();
    let mut judge = Stepping::start_task("grade", &command);
    Events::of(&judge.at, "").wait_for("connects from");
    crate::process::signal(judge.demo.id(), "INT");
    assert!(!judge.demo.wait().unwrap().success(), "it waited for an hour, and was interrupted");
}

#[test]
fn a_page_that_cannot_be_served_is_an_error_before_anything_is_played() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = taken.local_addr().unwrap().to_string();
    let refused = crate::run("xtask", &["demo", "--lang=en", "--live", &at]);
    assert_eq!((refused.status, refused.said.len()), (Some(1), 0));
    let complaint = &refused.complained[0];
    assert!(complaint.starts_with(&format!("cargo xtask: cannot listen on {at}: ")), "{complaint}");
    assert!(complaint.ends_with("take another port (127.0.0.1:0 picks one)"), "{complaint}");
}
