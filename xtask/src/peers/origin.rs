//! A loopback HTTP origin: it serves pages, or plays a script.

use std::io::{self, Write};
use std::net::{IpAddr, TcpListener, TcpStream};
use std::time::Duration;

use common::narration::escape;
use common::timed_stream::TimedStream;

use super::replies::{self, PAGES};
use super::scripted_server::speaking;
use crate::wire::event::{Recorder, Side};
use crate::wire::listening::Listening;
use crate::wire::request::{self, Refused, Request};

/// Limits for a client whose request does not end.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many clients there may be at once; browsers connect ahead of what they ask.
const CLIENTS: usize = 64;

/// Starts an origin that runs until it is dropped; what it is asked for appears in the server's lane.
pub fn start(listener: TcpListener, recorder: Recorder) -> io::Result<Listening> {
    Listening::serving(listener, CLIENTS, move |client, _| {
        let recorder = recorder.clone();
        // A client that leaves early is its own affair; its wire shows it.
        (move || drop(answer(&client, &recorder)), Recorder::discarding())
    })
}

/// An origin that has one reply, whatever it is asked for: what the script sends.
pub fn replying(
    ip: IpAddr,
    mut script: impl FnMut(&mut TcpStream) -> io::Result<()> + Send + 'static,
) -> io::Result<Listening> {
    speaking(ip, move |stream| {
        head(stream).map_err(|Refused(_, why)| io::Error::other(why))?;
        script(stream)
    })
}

fn head(stream: &TcpStream) -> Result<Vec<u8>, Refused> {
    request::head(TimedStream::new(stream, PATIENCE, PATIENCE))
}

fn answer(mut stream: &TcpStream, recorder: &Recorder) -> io::Result<()> {
    let head = head(stream);
    if matches!(&head, Ok(head) if head.is_empty()) {
        return Ok(()); // a browser that connected ahead, and asks nothing
    }
    let request = head.and_then(|head| {
        let first = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
        recorder.said(Side::Server, escape(first.trim_ascii_end()));
        Request::parse(&head)
    });
    let reply = match &request {
        Err(Refused(status, _)) => format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n"),
        Ok(request) if request.path == "/" => replies::index(),
        Ok(request) => {
            let page = PAGES.iter().find(|page| page.path == request.path);
            page.map_or(replies::NOT_FOUND, |page| page.reply).to_owned()
        }
    };
    // The reply to HEAD ends with its header (RFC 9110 9.3.2).
    let head = request.is_ok_and(|request| request.method == "HEAD").then(|| reply.find("\r\n\r\n"));
    let end = head.flatten().map_or(reply.len(), |end| end + 4);
    stream.write_all(&reply.as_bytes()[..end])
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::net::Ipv4Addr;

    #[test]
    fn a_client_that_asks_nothing_holds_up_nobody_and_the_reply_to_head_has_no_body() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let origin = start(listener, Recorder::discarding()).unwrap();
        let silent = TcpStream::connect(origin.address).unwrap();
        let ask = |method: &str| {
            let mut client = TcpStream::connect(origin.address).unwrap();
            write!(client, "{method} /length HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
            let mut reply = String::new();
            client.read_to_string(&mut reply).unwrap();
            reply
        };
        assert_eq!(ask("GET"), replies::LENGTH);
        assert_eq!(ask("HEAD") + replies::BODY, replies::LENGTH);
        drop(silent);
    }
}
