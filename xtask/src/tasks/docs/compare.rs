//! Whether what a README shows is what is seen. Ports, times and sizes of reads vary from run to run; nothing
//! else may.

use std::collections::BTreeMap;
use std::str::FromStr;

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
        if [shown, real].contains(&"0") {
            return shown == real; // no port, but a wish for one
        }
        if let Some(pair) = self.0.iter().find(|pair| pair.0 == shown || pair.1 == real) {
            return pair.0 == shown && pair.1 == real;
        }
        self.set(shown, real);
        true
    }

    fn same_line(&mut self, shown: &str, seen: &str) -> bool {
        let ((shown, its_ports), (seen, real_ports)) = (aligned(&sizes(shown)), aligned(&sizes(seen)));
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
        let [shown_runs, seen_runs] =
            [shown, seen].map(|lines| lines.chunk_by(|a, b| is_rung(a) == is_rung(b)));
        let mut same_run = |(shown, seen): (&[String], &[String])| {
            shown.len() == seen.len()
                && match shown {
                    [first, ..] if is_rung(first) => is_rung(&seen[0]) && same_ladder(shown, seen),
                    _ => shown.iter().zip(seen).all(|(shown, seen)| self.same_line(shown, seen)),
                }
        };
        shown.len() == seen.len()
            && shown_runs.zip(seen_runs).all(&mut same_run)
            && times_each_port(shown) == times_each_port(seen)
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
        let digits = &part[..part.len() - text.len()];
        if is_port && is_plain::<u16>(digits) {
            ports.push(digits.to_owned());
            texts.push(text.to_owned());
        } else if let Some(last) = texts.last_mut() {
            last.push_str(part);
        }
    }
    (texts, ports)
}

/// Whether this is a number as it is printed, without a sign or zeros before it.
fn is_plain<T: FromStr + ToString>(text: &str) -> bool {
    text.parse::<T>().is_ok_and(|number| number.to_string() == text)
}

/// As [`apart`], without the blanks that fill a port up to five digits, as in a table.
fn aligned(line: &str) -> (Vec<String>, Vec<String>) {
    let (mut texts, ports) = apart(line);
    for (port, text) in ports.iter().zip(&mut texts[1..]) {
        for _ in port.len()..5 {
            if text.starts_with("  ") {
                text.remove(0);
            }
        }
    }
    (texts, ports)
}

/// How many reads something took is the network's affair.
fn sizes(line: &str) -> String {
    let Some((before, behind)) = line.split_once(" bytes in ") else { return line.into() };
    let counted = behind.split_once(' ').filter(|(count, _)| is_plain::<u32>(count));
    let Some((count, unit_and_rest)) = counted else { return line.into() };
    let unit = if count == "1" { "read " } else { "reads " };
    match unit_and_rest.strip_prefix(unit) {
        Some(rest) => format!("{before} bytes in N reads {rest}"),
        None => line.into(),
    }
}

/// Whether a line is a rung of a ladder: behind its margin stands the client's lane.
fn is_rung(line: &str) -> bool {
    line.chars().nth(11).is_some_and(|c| matches!(c, '│' | '├'))
}

/// Whether the rungs are the same, place by place: in one place the order is certain; between two of them it is
/// the scheduler's.
fn same_ladder(shown: &[String], seen: &[String]) -> bool {
    let (shown, seen) = (by_place(shown), by_place(seen));
    shown.keys().eq(seen.keys())
        && shown.values().zip(seen.values()).all(|(shown, seen)| {
            shown.len() == seen.len() && shown.iter().zip(seen).all(|(shown, seen)| same_rung(shown, seen))
        })
}

/// A ladder's rungs by place: each connection's wire, each client's lane, the server's, and the keyboard.
fn by_place(rungs: &[String]) -> BTreeMap<String, Vec<&str>> {
    let mut places = BTreeMap::<String, Vec<&str>>::new();
    for rung in rungs {
        let text: Vec<char> = rung.chars().collect();
        let connection = || text[8..10].iter().collect::<String>();
        let is_server = text.get(13..50).is_some_and(|lane| lane.iter().all(|c| *c == ' '));
        let place = match text[12..].contains(&'─') {
            true => format!("wire {}", connection()),
            false if rung.ends_with("│ ^C") => "keyboard".into(),
            false if is_server => "server".into(),
            false => format!("client {}", connection()),
        };
        places.entry(place).or_default().push(rung);
    }
    places
}

fn same_rung(shown: &str, seen: &str) -> bool {
    let ((shown, its_ports), (seen, real_ports)) = (aligned(untimed(shown)), aligned(untimed(seen)));
    let without_shaft = |texts: &[String]| texts.join(":").replace('─', "");
    // An arrow's shaft gives way to a port of more digits.
    let is_as_long = its_ports.iter().map(String::len).eq(real_ports.iter().map(String::len));
    shown == seen || (!is_as_long && without_shaft(&shown) == without_shaft(&seen))
}

/// A rung without the time at its start.
fn untimed(rung: &str) -> &str {
    let is_printed = |time: &f64| time.is_finite() && time.is_sign_positive();
    let is_time = |start: &str| {
        let time = start.trim_start().parse().ok().filter(is_printed);
        time.is_some_and(|time| format!("{time:7.3}") == start)
    };
    rung.split_at_checked(7).filter(|(start, _)| is_time(start)).map_or(rung, |(_, rest)| rest)
}

/// How many times each port stands there, fewest first. Where ladders leave open which port stands for which, this
/// has to agree.
fn times_each_port(lines: &[String]) -> Vec<usize> {
    let mut times = BTreeMap::<String, usize>::new();
    for port in lines.iter().flat_map(|line| apart(line).1) {
        *times.entry(port).or_default() += 1;
    }
    let mut times: Vec<_> = times.into_values().collect();
    times.sort_unstable();
    times
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
        assert!(same("[::1]:0", "[::1]:0") && !same("[::1]:7", "[::1]:0") && !same("[::1]:0", "[::1]:7"));
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
        let ladder = "> Two connect.\n  \
                      0.004    │                                            │ listening on 127.0.0.1:32983\n  \
                      0.014 #1 ├─────────── connects from :55464 ──────────▶│\n  \
                      0.016 #1 │ Welcome!                                   │\n    \
                      the kernel's table:\n      local :32983 peer :55464 to send";
        let other = "> Two connect.\n \
                     19.014 #1 ├─────────── connects from :55160 ──────────▶│\n  \
                     0.004    │                                            │ listening on 127.0.0.1:40002\n  \
                     0.016 #1 │ Welcome!                                   │\n    \
                     the kernel's table:\n      local :40002 peer :55160 to send";
        assert!(same(ladder, other));
        for (right, wrong) in [
            ("Welcome!", "Welcome?"),
            ("connects", "connect"),
            ("from", " from"),
            ("─ connects", " connects"),
            ("│ listening", "│  listening"),
            ("0.016 #1", "0.016 #2"),
            ("0.016 #1", "0.16  #1"),
            ("to send", "to  send"),
            ("to send", "to send "),
            ("│\n", "│ \n"),
            ("  0.004", " -0.004"),
            ("  0.004", "    NaN"),
            (":55464", ":99999"),
            (" :55464", " :55465"),
            (":32983\n", ":32984\n"),
            ("peer :55464", "peer :32983"),
        ] {
            let changed = ladder.replacen(right, wrong, 1);
            assert!(changed != ladder && !same(&changed, other), "{changed}");
        }
        let narrow =
            |text: &str| text.replace(" :55464 ───", " :1024 ────").replace(":55464 to", ":1024  to");
        let in_columns = |text: &str| text.replace("to send", " to send");
        assert!(same(&in_columns(&narrow(ladder)), &in_columns(other)));
        assert!(!same(&narrow(ladder).replace("connects", "connect s"), other));
        assert!(!same("...\n           │ x\n...", "a\n\n\nb"), "a blank line is no rung");
        let mut lines: Vec<_> = ladder.lines().collect();
        for at in [0, 3] {
            lines.swap(at, at + 1);
            assert!(!same(&lines.join("\n"), other), "an act is not a rung");
            lines.swap(at, at + 1);
        }
    }
}
