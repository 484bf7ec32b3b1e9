//! The roll of a class: who has said their name, and who is missing.

use std::collections::HashMap;
use std::fs;

use anyhow::{Context, Result};
use common::args;
use common::narration::escape;
use common::text;

use crate::wire::event::{Event, Side, What};
use crate::words::Words;

/// The names, and what each client has said since the last control character, or the server's last answer.
pub struct Attendance {
    is_udp: bool,
    missing: Vec<String>,
    here: usize,
    saying: HashMap<String, Vec<u8>>,
}

impl Attendance {
    /// Reads the names, a line each; blanks around them, empty lines and a byte order mark are left out.
    pub fn read(file: &str, is_udp: bool) -> Result<Self> {
        let file_name = escape(file.as_bytes());
        let cannot = || {
            text!(
                "cannot read the roll '{file_name}': is it a file with a name on each line, in UTF-8?",
                "无法读取名单“{file_name}”：它是不是一行一个名字、UTF-8 编码的文件？"
            )
        };
        let text = fs::read_to_string(file).with_context(cannot)?;
        let mut missing = Vec::new();
        for name in text.trim_start_matches('\u{feff}').lines().map(str::trim).filter(|name| !name.is_empty())
        {
            if missing.iter().any(|other| other == name) {
                let twice = escape(name.as_bytes());
                return Err(args::usage(text!(
                    "--roll '{file_name}': '{twice}' is there twice: write them so that they differ",
                    "--roll“{file_name}”：“{twice}”出现了两次：请写得能够区分"
                )));
            }
            missing.push(name.to_owned());
        }
        Ok(Self { is_udp, missing, here: 0, saying: HashMap::new() })
    }

    /// Says who has come. A name is a datagram, what stands before a control character (a line feed, a byte of a length),
    /// and what a client had said when the server answered or the client ended.
    pub fn hears(&mut self, Event { label, what, .. }: &Event) -> Option<Words> {
        let said = match what {
            What::Sent { toward: Side::Server, bytes, .. } => {
                let mut saying = self.saying.remove(label).unwrap_or_default();
                saying.extend(&bytes.bytes);
                let mut said: Vec<_> = saying.split(u8::is_ascii_control).map(<[u8]>::to_vec).collect();
                if !self.is_udp {
                    let mut rest = said.pop().unwrap_or_default();
                    rest.truncate(super::KEPT);
                    self.saying.insert(label.clone(), rest);
                }
                said
            }
            What::Sent { .. } | What::Ended { toward: Side::Server } | What::Broke { .. } => {
                self.saying.remove(label).into_iter().collect()
            }
            _ => return None,
        };
        let came: Vec<_> = said.iter().filter_map(|bytes| self.check_in(bytes)).collect();
        if came.is_empty() {
            return None;
        }
        let (Words { en, zh }, came) = (self.count(), came.join(", "));
        Some(words!("roll: {came} is here ({label}); {en}", "点名：{came} 到了（{label}）；{zh}"))
    }

    fn check_in(&mut self, bytes: &[u8]) -> Option<String> {
        let said = String::from_utf8_lossy(bytes);
        let at = self.missing.iter().position(|name| name == said.trim())?;
        self.here += 1;
        Some(escape(self.missing.remove(at).as_bytes()))
    }

    pub fn count(&self) -> Words {
        let (here, all) = (self.here, self.here + self.missing.len());
        let missing: Vec<_> = self.missing.iter().map(|name| escape(name.as_bytes())).collect();
        if missing.is_empty() {
            return words!(
                "{here} of {all} are here, nobody is missing",
                "应到 {all}，实到 {here}，无人缺席"
            );
        }
        let (en, zh) = (missing.join(", "), missing.join("、"));
        words!("{here} of {all} are here; missing: {en}", "应到 {all}，实到 {here}；未到：{zh}")
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::wire::event::Crossing;

    fn class(is_udp: bool) -> Attendance {
        let missing = ["Ann", "Bob", "张三"].map(str::to_owned).to_vec();
        Attendance { is_udp, missing, here: 0, saying: HashMap::new() }
    }

    fn hears(roll: &mut Attendance, what: What) -> Option<String> {
        let heard = roll.hears(&Event { at: Instant::now(), label: "#1".into(), what });
        heard.map(|words| words.en.into_owned())
    }

    fn said(roll: &mut Attendance, bytes: &[u8]) -> Option<String> {
        hears(roll, What::Sent { toward: Side::Server, bytes: bytes.into(), how: Crossing::Plain })
    }

    #[test]
    fn a_name_is_a_line_of_a_stream_however_it_was_cut() {
        let mut roll = class(false);
        assert_eq!(said(&mut roll, b"Annab"), None);
        assert_eq!(said(&mut roll, b"el\nAn"), None);
        let heard = said(&mut roll, b"n\r\n");
        assert_eq!(heard.as_deref(), Some("roll: Ann is here (#1); 1 of 3 are here; missing: Bob, 张三"));
        assert_eq!(said(&mut roll, b"Ann\n"), None); // she is here already
    }

    #[test]
    fn a_length_before_a_name_is_none_of_it_and_an_end_ends_one() {
        let mut roll = class(false);
        said(&mut roll, "\0\0\0\x03Ann\0\0\0\x06张三".as_bytes());
        hears(&mut roll, What::Ended { toward: Side::Server });
        assert_eq!(roll.count().en, "2 of 3 are here; missing: Bob");
    }

    #[test]
    fn a_datagram_is_a_name() {
        let mut roll = class(true);
        assert!(said(&mut roll, b"Bob").is_some());
        assert!(said(&mut roll, b"Annabel").is_none());
    }
}
