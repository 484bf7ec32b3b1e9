//! What a browser may ask for: anybody who reaches the page may watch and vote, a page on this machine may go on.

use std::net::IpAddr;

use super::{Response, Seen, Show};
use crate::drawing::votes::NoVote;
use crate::wire::request::{Refused, Request};

const NOT_OURS: Refused =
    Refused("403 Forbidden", "only this page itself reads its stream, votes and goes on");

/// Whether it is for a path that is only posted to.
pub fn is_post(request: &Request) -> bool {
    matches!(split(request).0, "/next" | "/vote")
}

fn split(request: &Request) -> (&str, &str) {
    request.path.split_once('?').unwrap_or((&request.path, ""))
}

/// A value of a query.
fn value<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
}

/// A number of a query: digits only.
fn number(query: &str, name: &str) -> Option<u64> {
    let digits = value(query, name)?;
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
}

impl Show {
    pub(super) fn answer(&self, request: &Request, peer: IpAddr) -> Result<Response, Refused> {
        let is_here = is_loopback(request.host()?);
        // A page of anybody's may have its own name point to this machine: DNS rebinding.
        if self.is_private && !is_here {
            return Err(Refused("421 Misdirected Request", "this page is at a loopback address"));
        }
        let (path, query) = split(request);
        // A page of anybody's may ask its reader's browser for this one's stream, which says where it comes from.
        let site = request.field("sec-fetch-site")?;
        if path != "/" && matches!(site, Some("cross-site" | "same-site")) {
            return Err(NOT_OURS);
        }
        // Elsewhere in the network, or under another name, the page only watches and votes.
        let is_here = is_here && peer.is_loopback();
        match (&*request.method, path) {
            ("GET" | "HEAD", "/") => Ok(Response::Page { is_presenter: is_here }),
            ("GET" | "HEAD", "/events") => {
                // A page that connects again says in the query what it had.
                let last = value(query, "last").unwrap_or_default();
                let entries = if last.is_empty() { Some(0) } else { self.number(last) };
                let is_presenter =
                    is_here && self.go_on.is_some() && value(query, "token") == Some(&self.token);
                let seen = |entries| Seen { entries, state: 0, votes: is_presenter.then_some(0) };
                Ok(Response::Stream(entries.map(seen)))
            }
            ("POST", "/next" | "/vote") if !is_same_origin(request)? => Err(NOT_OURS),
            ("POST", "/next") => self.go_on(request, query, is_here),
            ("POST", "/vote") => self.vote(request, query),
            (_, "/" | "/events") => Err(Refused("405 Method Not Allowed", "there is only something to get")),
            (_, "/next" | "/vote") => {
                Err(Refused("405 Method Not Allowed", "there is only something to post"))
            }
            _ => Err(Refused("404 Not Found", "there are /, /events, /next and /vote, and nothing else")),
        }
    }

    /// Only the person at this machine goes on, with a page of this run: a class may watch, and not click.
    fn go_on(&self, request: &Request, query: &str, is_here: bool) -> Result<Response, Refused> {
        let is_ours = is_here && request.field("x-token")? == Some(&self.token);
        let Some(go_on) = self.go_on.filter(|_| is_ours) else {
            return Err(Refused("403 Forbidden", "only a page of this run goes on, on this machine"));
        };
        // Without a number, the wait that there is.
        let wait = match value(query, "wait") {
            None => self.story.last_wait(),
            Some(_) => number(query, "wait").ok_or(NO_NUMBER)?,
        };
        // Of an answer, nothing but digits is passed on.
        let answer = if value(query, "answer").is_some() {
            let answer = number(query, "answer").ok_or(NO_NUMBER)?;
            self.story.check_answer(wait, answer).map_err(refused)?;
            answer.to_string()
        } else {
            String::new()
        };
        if go_on(wait, &answer) {
            Ok(Response::Done)
        } else {
            Err(Refused("409 Conflict", "nobody waits for that"))
        }
    }

    /// Everybody votes, with a number that the page has picked: it can be told apart from others, and names nobody.
    fn vote(&self, request: &Request, query: &str) -> Result<Response, Refused> {
        let voter = request.field("x-voter")?.filter(|id| id.len() == 32);
        let voter = voter.filter(|id| id.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let voter = voter.and_then(|id| u128::from_str_radix(id, 16).ok());
        let voter =
            voter.ok_or(Refused("400 Bad Request", "a vote has an X-Voter of 32 hexadecimal digits"))?;
        let question = number(query, "question").ok_or(NO_NUMBER)?;
        let choice = number(query, "choice").ok_or(NO_NUMBER)?;
        self.story.vote(question, voter, choice).map(|()| Response::Done).map_err(refused)
    }

    /// The number in a piece's id, if it is one of this run.
    fn number(&self, id: &str) -> Option<usize> {
        id.strip_prefix(&self.run)?.strip_prefix('-')?.parse().ok()
    }
}

fn refused(why: NoVote) -> Refused {
    match why {
        NoVote::Closed => Refused("409 Conflict", "this question is not open"),
        NoVote::NoChoice => Refused("400 Bad Request", "that is no choice of this question"),
        NoVote::Full => Refused("429 Too Many Requests", "as many as can vote have voted"),
    }
}

const NO_NUMBER: Refused = Refused("400 Bad Request", "a number is missing");

/// Whether a post comes from the page that it is for, as far as the browser says where it comes from.
fn is_same_origin(request: &Request) -> Result<bool, Refused> {
    let host = request.field("host")?;
    let is_own = |origin: &str| origin.split_once("://").is_some_and(|(_, own)| Some(own) == host);
    Ok(request.field("origin")?.is_none_or(is_own))
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
    use super::super::GoOn;
    use super::*;
    use crate::drawing::page::Cover;
    use crate::drawing::style::Style;
    use crate::drawing::transcript::Transcript;
    use crate::drawing::votes::Wait;
    use crate::words::{Lang, Words};
    use std::sync::Arc;

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
    fn only_a_page_of_this_run_on_this_machine_is_the_presenters_and_goes_on_where_somebody_waits() {
        const YES: Option<GoOn> = Some(|_, _| true);
        const NO: Option<GoOn> = Some(|_, _| false);
        for (is_private, go_on, host, token, peer, is_page_presenters, has_stream_votes, refusal_of_next) in [
            (true, YES, "localhost", "token", "127.0.0.1", true, true, None),
            (false, YES, "127.0.0.1:8080", "token", "::1", true, true, None),
            (false, YES, "[::1]:8080", "token", "::1", true, true, None),
            (true, NO, "localhost", "token", "127.0.0.1", true, true, Some("409")),
            (true, None, "localhost", "token", "127.0.0.1", true, false, Some("403")),
            (true, YES, "localhost", "other", "127.0.0.1", true, false, Some("403")),
            (true, YES, "localhost", "", "127.0.0.1", true, false, Some("403")),
            (true, YES, "evil.example", "token", "127.0.0.1", false, false, Some("421")),
            (false, YES, "evil.example", "token", "127.0.0.1", false, false, Some("403")),
            (false, YES, "10.0.0.1:8080", "token", "127.0.0.1", false, false, Some("403")),
            (false, YES, "127.0.0.1", "token", "10.0.0.9", false, false, Some("403")),
        ] {
            let show = show(is_private, go_on);
            let get = |path: &str| {
                let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n");
                show.answer(&Request::parse(request.as_bytes()).unwrap(), peer.parse().unwrap())
            };
            let is_presenter = matches!(get("/"), Ok(Response::Page { is_presenter: true }));
            let stream = get(&format!("/events?last=run-0&token={token}"));
            let has_votes = matches!(stream, Ok(Response::Stream(Some(Seen { votes: Some(_), .. }))));
            let next = format!("POST /next?wait=1 HTTP/1.1\r\nHost: {host}\r\nX-Token: {token}");
            assert_eq!(
                (is_presenter, has_votes, refusal(&show, &next, peer)),
                (is_page_presenters, has_stream_votes, refusal_of_next),
                "{host} {token} {peer}"
            );
        }
        for (site, expected) in [("same-origin", None), ("none", None), ("cross-site", Some("403"))] {
            let events = format!("GET /events HTTP/1.1\r\nHost: localhost\r\nSec-Fetch-Site: {site}");
            assert_eq!(refusal(&show(true, None), &events, "127.0.0.1"), expected, "{site}");
        }
        let none = "POST /next?wait=1 HTTP/1.1\r\nHost: localhost";
        assert_eq!(refusal(&show(true, Some(|_, _| true)), none, "127.0.0.1"), Some("403"));
    }

    #[test]
    fn what_goes_on_is_a_wait_by_its_number_and_an_answer_is_one_of_its_question() {
        let next = |query: &str| format!("POST /next{query} HTTP/1.1\r\nHost: localhost\r\nX-Token: token");
        let show = show(true, Some(|wait, line| wait == 1 && (line.is_empty() || line == "3")));
        assert_eq!(show.story.wait(Wait::Prediction(3)), 1);
        for (query, expected) in [
            ("?wait=1", None),
            ("?wait=1&answer=3", None),
            ("?answer=03&wait=1", None),
            ("?wait=2", Some("409")),
            ("?wait=2&answer=3", Some("409")),
            ("?wait=1&answer=0", Some("400")),
            ("?wait=1&answer=9", Some("400")),
            ("?wait=1&answer=q", Some("400")),
            ("?wait=1&answer=", Some("400")),
            ("?wait=1&answer=-1", Some("400")),
            ("?wait=1&answer=99999999999999999999", Some("400")),
            ("?wait=", Some("400")),
            ("", None),
        ] {
            assert_eq!(refusal(&show, &next(query), "127.0.0.1"), expected, "{query}");
        }
        show.story.wait(Wait::GoOn);
        assert_eq!(
            refusal(&show, &next("?wait=2&answer=3"), "127.0.0.1"),
            Some("409"),
            "no question is open"
        );
        for request in ["GET /next?wait=7", "PUT /", "POST /events"] {
            let request = format!("{request} HTTP/1.1\r\nHost: localhost");
            assert_eq!(refusal(&show, &request, "127.0.0.1"), Some("405"), "{request}");
        }
    }

    #[test]
    fn a_vote_comes_from_its_own_page_names_an_open_question_and_a_choice_and_does_nothing_else() {
        let show = show(false, Some(|_, _| panic!("a vote goes on")));
        let question = show.story.wait(Wait::Prediction(3));
        let voter = format!("X-Voter: {:032x}", 7);
        let vote = |method: &str, query: &str, fields: &str| {
            let request = format!("{method} /vote{query} HTTP/1.1\r\nHost: 10.0.0.1:8080\r\n{fields}");
            refusal(&show, &request, "10.0.0.9")
        };
        let good = format!("?question={question}&choice=2");
        assert_eq!(vote("POST", &good, &voter), None);
        assert_eq!(vote("POST", &good, &format!("{voter}\r\nOrigin: http://10.0.0.1:8080")), None);
        for (method, query, fields, status) in [
            ("GET", &*good, "", "405"),
            ("PUT", &good, "", "405"),
            ("POST", &good, "Origin: http://evil.example", "403"),
            ("POST", &good, "Origin: null", "403"),
            ("POST", &good, "Sec-Fetch-Site: cross-site", "403"),
            ("POST", &good, "Sec-Fetch-Site: same-site", "403"),
            ("POST", &good, &voter, "400"), // twice
            ("POST", &format!("?question={}&choice=2", question + 1), "", "409"),
            ("POST", &format!("?question={question}&choice=4"), "", "400"),
            ("POST", &format!("?question={question}&choice=0"), "", "400"),
            ("POST", &format!("?question={question}&choice=+1"), "", "400"),
            ("POST", &format!("?question={question}"), "", "400"),
            ("POST", "", "", "400"),
        ] {
            let fields = format!("{voter}\r\n{fields}");
            assert_eq!(vote(method, query, fields.trim_end()), Some(status), "{method} {query} {fields}");
        }
        for id in ["", "7", &"7".repeat(31), &"7".repeat(33), &"x".repeat(32), &"é".repeat(16)] {
            assert_eq!(vote("POST", &good, &format!("X-Voter: {id}")), Some("400"), "{id}");
        }
        let seen = Seen { votes: Some(0), ..Seen::default() };
        let counts = || show.story.beyond(seen, std::time::Duration::ZERO).counts.answers;
        assert_eq!(counts(), [(1, 0), (2, 1), (3, 0)], "what was refused changed nothing");
        show.story.wait(Wait::Nothing);
        assert_eq!(vote("POST", &good, &voter), Some("409"), "it is closed");
    }
}
