//! A loopback HTTP origin: it serves pages, or plays a script.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{IpAddr, TcpListener, TcpStream};
use std::time::Duration;

use common::narration::escape;
use common::timed_stream::TimedStream;

use super::replies::{self, PAGES};
use super::scripted_server::ScriptedServer;
use crate::wire::event::{Recorder, Side};
use crate::wire::listening::Listening;

/// Limits for a client whose request does not end.
const PATIENCE: Duration = Duration::from_secs(10);
const REQUEST_LIMIT: u64 = 8 * 1024;

/// Starts an origin that runs until it is dropped; what it is asked for appears in the server's lane.
pub fn start(ip: IpAddr, recorder: Recorder) -> io::Result<Listening> {
    on(TcpListener::bind((ip, 0))?, recorder)
}

/// Starts an origin that serves this listener, as [`start`].
pub fn on(listener: TcpListener, recorder: Recorder) -> io::Result<Listening> {
    Listening::start(listener, move |clients| {
        for stream in clients {
            let _ = answer(&stream, &recorder); // a client may leave early; its wire shows it
        }
    })
}

/// An origin that has one reply, whatever it is asked for: what the script sends. It hears requests.
pub fn replying(
    ip: IpAddr,
    mut script: impl FnMut(&mut TcpStream) -> io::Result<()> + Send + 'static,
) -> io::Result<ScriptedServer> {
    ScriptedServer::serving(ip, move |stream| {
        let request = head(&mut request(stream))?;
        script(stream)?;
        Ok(request)
    })
}

/// The next client waits for this one, so a request is limited in time and in bytes.
fn request(stream: &TcpStream) -> impl BufRead {
    BufReader::new(TimedStream::new(stream, PATIENCE, PATIENCE).take(REQUEST_LIMIT))
}

fn line(from: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    from.read_until(b'\n', &mut line)?;
    Ok(line)
}

/// The lines up to an empty one, or to the end.
fn head(from: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    loop {
        let line = line(from)?;
        head.extend(&line);
        if line.trim_ascii_end().is_empty() {
            return Ok(head);
        }
    }
}

fn answer(mut stream: &TcpStream, recorder: &Recorder) -> io::Result<()> {
    let mut from = request(stream);
    let first = escape(line(&mut from)?.trim_ascii_end());
    recorder.said(Side::Server, first.as_str());
    head(&mut from)?;
    let path = first.split(' ').nth(1);
    if path == Some("/") {
        return stream.write_all(replies::index().as_bytes());
    }
    let page = PAGES.iter().find(|page| Some(page.path) == path);
    stream.write_all(page.map_or(replies::NOT_FOUND, |page| page.reply).as_bytes())
}
