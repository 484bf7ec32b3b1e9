//! What a browser may ask for: anybody who reaches the page may watch and vote, a page on this machine may go on.

use std::net::IpAddr;

use super::document::Viewer;
use super::{Response, Seen, Show};
use crate::wire::request::{Refused, Request};

fn value<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
}

fn number(query: &str, name: &str) -> Result<u64, Refused> {
    let number = value(query, name).and_then(|number| number.parse().ok());
    number.ok_or(Refused("400 Bad Request", "a number is missing"))
}

impl Show {
    pub(super) fn answer(&self, request: &Request, peer: IpAddr) -> Result<Response, Refused> {
        let is_here = is_loopback(request.host()?);
        // A page of anybody's may have its own name point to this machine: DNS rebinding.
        if self.is_private && !is_here {
            return Err(Refused("421 Misdirected Request", "this page is at a loopback address"));
        }
        let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
        // A page of anybody's may ask its reader's browser for this one's stream, which says where it comes from. It
        // cannot post: for the field of ours that each post needs, a browser asks first (OPTIONS), and is refused.
        let site = request.field("sec-fetch-site")?;
        if path != "/" && matches!(site, Some("cross-site" | "same-site")) {
            return Err(Refused("403 Forbidden", "only this page itself may ask for that"));
        }
        match (&*request.method, path) {
            // Elsewhere in the network, or under another name, the page gets no token: it only watches and votes.
            ("GET", "/") => Ok(Response::Page(match self.is_led {
                true if is_here && peer.is_loopback() => Viewer::Presenter,
                true => Viewer::Voter,
                false => Viewer::Watcher,
            })),
            ("GET", "/events") => {
                // A page that connects again says the id of the last piece that it had, maybe of another run.
                let entries = match value(query, "last").unwrap_or_default() {
                    "" => Some(0),
                    id => id.strip_prefix(&self.run).and_then(|id| id.strip_prefix('-')?.parse().ok()),
                };
                let sees_votes = self.is_presenter(value(query, "token"));
                let seen = |entries| Seen { entries, changes: 0, sees_votes };
                Ok(Response::Stream(entries.map(seen)))
            }
            ("POST", "/next") if !self.is_presenter(request.field("x-token")?) => {
                Err(Refused("403 Forbidden", "only a page of this run goes on, on this machine"))
            }
            ("POST", "/next") => {
                // Without a number, the wait that there is.
                let [answer, wait] =
                    ["answer", "wait"].map(|name| value(query, name).map(|_| number(query, name)));
                let (answer, wait) = (answer.transpose()?, wait.transpose()?);
                self.story.asking(|asking| asking.hear(wait, answer)).map(|()| Response::Done)
            }
            ("POST", "/vote") => {
                let (question, choice) = (number(query, "question")?, number(query, "choice")?);
                // The page has picked it: it can be told apart from others, and names nobody.
                let voter = request.field("x-voter")?.and_then(|id| u128::from_str_radix(id, 16).ok());
                let why = "a vote's X-Voter is a number of at most 32 hexadecimal digits";
                let voter = voter.ok_or(Refused("400 Bad Request", why))?;
                self.story.asking(|asking| asking.vote(question, voter, choice)).map(|()| Response::Done)
            }
            _ => Err(Refused("404 Not Found", "there is no such page")),
        }
    }

    /// Only a page that was given the token goes on, and sees the votes before they are told.
    fn is_presenter(&self, token: Option<&str>) -> bool {
        self.is_led && token == Some(&self.token)
    }
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
    use crate::drawing::page::Cover;
    use crate::drawing::style::Style;
    use crate::drawing::transcript::Transcript;
    use crate::drawing::votes::Wait;
    use crate::words::{Lang, Words};
    use std::sync::Arc;

    /// A run that waits for a prediction, as its first wait: one of three choices.
    fn show(is_private: bool, is_led: bool) -> Show {
        let story = Transcript::kept(Style::plain(Lang::En));
        story.wait(Wait::Prediction(3));
        let cover = Cover { title: Words::fixed("", ""), intro: Words::fixed("", ""), is_bare: false };
        let (run, token, viewers) = ("run".into(), "token".into(), Arc::default());
        Show { story, cover, lang: Lang::En, run, token, is_led, is_private, viewers }
    }

    fn asked(show: &Show, request: &str, peer: &str) -> Result<Response, Refused> {
        let request = Request::parse(format!("{request}\r\n\r\n").as_bytes()).unwrap();
        show.answer(&request, peer.parse().unwrap())
    }

    /// The status of a refusal; none where there is an answer.
    fn refusal(show: &Show, request: &str, peer: &str) -> Option<&'static str> {
        asked(show, request, peer).err().map(|Refused(status, _)| &status[..3])
    }

    #[test]
    fn only_under_a_name_of_this_machine_is_a_private_page_shown_and_another_one_the_presenters() {
        let page = |host| format!("GET / HTTP/1.1\r\nHost: {host}");
        let is_presenters = |host, peer| {
            let answer = asked(&show(false, true), &page(host), peer);
            matches!(answer, Ok(Response::Page(Viewer::Presenter)))
        };
        let own = "localhost LOCALHOST:9 127.0.0.1 127.9.9.9:8080 [::1]:8080 localhost. a.LocalHost:1";
        for host in own.split(' ') {
            assert_eq!(refusal(&show(true, false), &page(host), "127.0.0.1"), None, "{host}");
            assert!(is_presenters(host, "::1") && !is_presenters(host, "10.0.0.9"), "{host}");
        }
        let others =
            "evil.example 127.0.0.1.evil.example localhost.evil.example evil.example. 10.0.0.1 [::2]";
        for host in others.split(' ').chain([""]) {
            assert_eq!(refusal(&show(true, false), &page(host), "127.0.0.1"), Some("421"), "{host}");
            assert!(!is_presenters(host, "127.0.0.1"), "{host}");
        }
    }

    #[test]
    fn only_a_page_with_the_token_goes_on_and_sees_votes_and_a_vote_names_an_open_question_and_a_choice() {
        let voter = format!("X-Voter: {:032x}", 7);
        let token = "X-Token: token";
        for (line, field, expected) in [
            ("POST /next?wait=1", token, None),
            ("POST /next?answer=03&wait=1", token, None),
            ("POST /next?wait=1", "X-Token: other", Some("403")),
            ("POST /next?wait=1", "X-Token: ", Some("403")),
            ("POST /next?wait=2", token, Some("409")),
            ("POST /next?wait=1&answer=0", token, Some("400")),
            ("POST /next?wait=1&answer=q", token, Some("400")),
            ("POST /next", token, None),
            ("POST /vote?question=1&choice=2", &voter, None),
            ("POST /vote?question=2&choice=2", &voter, Some("409")),
            ("POST /vote?question=1&choice=4", &voter, Some("400")),
            ("POST /vote?question=1&choice=0", &voter, Some("400")),
            ("POST /vote?question=1&choice=2", &voter.replace('7', "x"), Some("400")),
            ("GET /next?wait=1", token, Some("404")),
            ("GET /events", "Sec-Fetch-Site: same-origin", None),
            ("GET /events", "Sec-Fetch-Site: cross-site", Some("403")),
        ] {
            let request = format!("{line} HTTP/1.1\r\nHost: localhost\r\n{field}");
            assert_eq!(refusal(&show(false, true), &request, "127.0.0.1"), expected, "{line} {field}");
        }
        for (query, is_led, expected) in
            [("?token=token", true, true), ("?token=token", false, false), ("", true, false)]
        {
            let request = format!("GET /events{query} HTTP/1.1\r\nHost: localhost");
            let answer = asked(&show(false, is_led), &request, "::1");
            let Ok(Response::Stream(Some(seen))) = answer else { panic!("{query}") };
            assert_eq!(seen.sees_votes, expected, "{query}");
        }
    }
}
