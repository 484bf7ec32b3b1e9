//! Whether what a README shows is what is seen. Ports, times and sizes of reads vary from run to run; nothing
//! else may.

use std::collections::BTreeMap;

/// What a README leaves out.
pub const ELLIPSIS: &str = "...";

/// How a demo says that something is not available, in each language.
const NOT_HERE: [&str; 2] = ["not available here", "本系统不支持"];

/// The ports that a README shows, and the ones that stand for them in this run.
#[derive(Clone, Debug, Default)]
pub struct Ports(Vec<(String, String)>);

impl Ports {
    /// From now on, this port stands for the one that is shown.
    pub fn set(&mut self, shown: &str, real: &str) {
        self.0.retain(|(other, _)| other != shown);
        self.0.push((shown.into(), real.into()));
    }

    /// The port that stands for the one that is shown.
    pub fn real(&self, shown: &str) -> Option<&str> {
        self.0.iter().find(|pair| pair.0 == shown).map(|pair| &*pair.1)
    }

    /// A line that was seen, with the ports that a README shows.
    pub fn as_shown(&self, line: &str) -> String {
        let (texts, ports) = apart(line);
        let shown = |port: String| match self.0.iter().find(|pair| pair.1 == port) {
            Some((shown, _)) => shown.clone(),
            None => port,
        };
        let mut line = String::new();
        let mut ports = ports.into_iter();
        for text in texts {
            line += &text;
            line.extend(ports.next().map(shown));
        }
        line
    }

    /// Whether the two may stand for each other: always the same ones do.
    fn agree(&mut self, shown: &str, real: &str) -> bool {
        if let Some(pair) = self.0.iter().find(|pair| pair.0 == shown || pair.1 == real) {
            return pair.0 == shown && pair.1 == real;
        }
        self.set(shown, real);
        true
    }

    fn same_line(&mut self, shown: &str, seen: &str) -> bool {
        let ((shown, its_ports), (seen, real_ports)) = (apart(&sizes(shown)), apart(&sizes(seen)));
        shown == seen && its_ports.iter().zip(&real_ports).all(|(shown, real)| self.agree(shown, real))
    }

    /// Whether what was seen starts with these lines; if so, they are taken off.
    fn starts(&mut self, shown: &[String], seen: &mut &[String]) -> bool {
        let Some((start, rest)) = seen.split_at_checked(shown.len()) else { return false };
        let is_same = self.same(shown, start);
        *seen = rest;
        is_same
    }

    /// Whether these lines were seen somewhere; if so, everything up to their end is taken off.
    fn is_in(&mut self, shown: &[String], seen: &mut &[String]) -> bool {
        (0..seen.len()).any(|at| {
            let (mut trial, mut rest) = (self.clone(), &seen[at..]);
            let is_here = trial.starts(shown, &mut rest);
            if is_here {
                *self = trial;
                *seen = rest;
            }
            is_here
        })
    }

    /// Whether the lines that are shown are the lines that were seen.
    pub fn same(&mut self, shown: &[String], seen: &[String]) -> bool {
        let parts: Vec<_> = shown.split(|line| line == ELLIPSIS).collect();
        if let [first, middle @ .., last] = &parts[..] {
            // Where something is not available, less is checked than the sum at the end says.
            let is_all_here = !seen.iter().any(|line| NOT_HERE.iter().any(|words| line.contains(words)));
            let mut rest = seen;
            return self.starts(first, &mut rest)
                && middle.iter().all(|part| self.is_in(part, &mut rest))
                && rest.len() > last.len()
                && (!is_all_here || self.same(last, &rest[rest.len() - last.len()..]));
        }
        if shown.iter().any(|line| line.contains('│')) {
            return by_place(shown) == by_place(seen);
        }
        shown.len() == seen.len() && shown.iter().zip(seen).all(|(shown, seen)| self.same_line(shown, seen))
    }
}

/// A line's text, and the ports in it: numbers behind the colon that ends a host or stands alone.
fn apart(line: &str) -> (Vec<String>, Vec<String>) {
    let (mut texts, mut ports) = (vec![String::new()], Vec::new());
    for part in line.split_inclusive(':') {
        let last = texts.last().map_or("", |text| text);
        let is_port =
            last.strip_suffix(':').is_some_and(|host| host.ends_with(|c| "0123456789] ".contains(c)));
        let text = part.trim_start_matches(|c: char| c.is_ascii_digit());
        if is_port && text.len() < part.len() {
            ports.push(part[..part.len() - text.len()].to_owned());
            texts.push(text.to_owned());
        } else if let Some(last) = texts.last_mut() {
            last.push_str(part);
        }
    }
    (texts, ports)
}

/// How many reads something took is the network's affair.
fn sizes(line: &str) -> String {
    let Some((before, behind)) = line.split_once(" bytes in ") else { return line.into() };
    let counted = behind.split_once(' ').filter(|(count, _)| count.parse::<u32>().is_ok());
    let Some((count, unit_and_rest)) = counted else { return line.into() };
    let unit = if count == "1" { "read " } else { "reads " };
    match unit_and_rest.strip_prefix(unit) {
        Some(rest) => format!("{before} bytes in N reads {rest}"),
        None => line.into(),
    }
}

/// A ladder's lines by place: each connection's wire, each program's lane, and what stands outside. In one place
/// the order is certain; between two of them it is the scheduler's.
fn by_place(lines: &[String]) -> BTreeMap<String, Vec<String>> {
    let mut places = BTreeMap::<String, Vec<String>>::new();
    for line in lines {
        let text: Vec<char> = line.chars().collect();
        let connection = || text[8..10].iter().collect::<String>();
        let place = match text.get(11) {
            Some('│') if text.get(13..50).is_some_and(|lane| lane.iter().all(|c| *c == ' ')) => {
                "server".into()
            }
            Some('│' | '├') if text[12..].contains(&'─') => format!("wire {}", connection()),
            Some('│') => format!("client {}", connection()),
            _ => "outside".to_owned(),
        };
        places.entry(place).or_default().push(without_figures(line));
    }
    places
}

/// Without the time at its start, and without ports; what fills a line up to its lane gives way to their length.
fn without_figures(line: &str) -> String {
    let is_timed = line.get(..7).is_some_and(|time| time.trim_start().parse::<f64>().is_ok());
    let line = if is_timed { &line[7..] } else { line };
    let (texts, ports) = apart(line);
    let joined = texts.join("PORT");
    if ports.is_empty() { joined.trim_end().into() } else { joined.replace(['─', ' '], "") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    fn same(shown: &str, seen: &str) -> bool {
        let mut ports = Ports::default();
        ports.set("9999", "40123");
        ports.same(&lines(shown), &lines(seen))
    }

    #[test]
    fn ports_vary_but_always_the_same_one_stands_for_another() {
        let seen = "listening on 127.0.0.1:40123\naccepted [::1]:5001\nclosed [::1]:5001";
        assert!(same("listening on 127.0.0.1:9999\naccepted [::1]:4711\nclosed [::1]:4711", seen));
        assert!(!same("[::1]:7", "[::2]:7") && same("at :7", "at :8") && !same("a:7", "a:8"));
        assert!(!same("listening on 127.0.0.1:9998\naccepted [::1]:4711\nclosed [::1]:4711", seen));
        assert!(!same("listening on 127.0.0.1:9999\naccepted [::1]:4711\nclosed [::1]:4712", seen));
        assert!(!same("listening on 127.0.0.1:9999\naccepted [::1]:9999\nclosed [::1]:9999", seen));
        let mut ports = Ports::default();
        ports.set("9999", "40123");
        assert_eq!(
            ports.as_shown("at 127.0.0.1:40123, from [::1]:5001!"),
            "at 127.0.0.1:9999, from [::1]:5001!"
        );
    }

    #[test]
    fn one_character_more_or_less_is_seen() {
        let seen = "Welcome!\nHello, Ann!\nsaved 13 bytes in 2 reads to x";
        assert!(same("Welcome!\nHello, Ann!\nsaved 13 bytes in 1 read to x", seen));
        assert!(same("Welcome!\n...\nsaved 13 bytes in 1 read to x", seen));
        assert!(same("...\nHello, Ann!\n...", &format!("{seen}\nend")));
        assert!(!same("...\nHello, Bob!\n...", &format!("{seen}\nend")));
        assert!(!same("Welcome!\nHello, Ann!\n...\nsaved 13 bytes in 1 read to x", seen));
        for at in 0..seen.len() {
            for other in ["", "#", "##"] {
                let mut changed = seen.to_owned();
                changed.replace_range(at..=at, other);
                assert!(!same(&changed, seen), "{changed}");
            }
        }
    }

    #[test]
    fn a_ladder_may_differ_in_times_ports_and_the_order_between_places() {
        let ladder = "  0.004    │                                            │ listening on 127.0.0.1:32983\n  \
                      0.014 #1 ├─────────── connects from :55464 ──────────▶│\n  \
                      0.016 #1 │ Welcome!                                   │";
        let other = "  9.014 #1 ├─────────── connects from :4 ──────────────▶│\n  \
                     0.004    │                                            │ listening on 127.0.0.1:1\n  \
                     0.016 #1 │ Welcome!                                   │";
        assert!(same(ladder, other));
        assert!(!same(&ladder.replace("Welcome!", "Welcome?"), other));
        assert!(!same(&ladder.replace("connects", "connect"), other));
        assert!(!same(&ladder.replace("0.016 #1", "0.016 #2"), other));
    }
}
