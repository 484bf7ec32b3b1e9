//! Whether what a README shows is what is seen: what varies from run to run is taken out of both, and the rest has
//! to be equal. Times, ports of five digits and the number of reads vary, and which of two places of a ladder comes first.

use crate::drawing::text::ladder;

/// What a README leaves out: a line or more.
pub const ELLIPSIS: &str = "...";

pub fn same(shown: &[String], seen: &[String]) -> bool {
    let edge = ["\n".to_owned()]; // no line is like it
    let [shown, seen] = [shown, seen].map(|lines| [&edge, lines, &edge].concat());
    let mut parts: Vec<_> = shown.split(|line| line == ELLIPSIS).collect();
    let is_not_here =
        |line: &String| ["not available here", "此处无法演示"].iter().any(|it| line.contains(it));
    if parts.len() > 1 && seen.iter().any(is_not_here) {
        parts.pop(); // less is checked here than the sum at the end says
    }
    let mut rest = &seen[..];
    parts.iter().enumerate().all(|(number, part)| {
        let is_here = |at: &usize| {
            let here = rest.get(*at..at + part.len());
            here.is_some_and(|here| take_out(here) == take_out(part))
        };
        let found = (number.min(1)..rest.len()).find(is_here);
        rest = &rest[found.map_or(0, |at| at + part.len())..];
        found.is_some()
    })
}

fn take_out(lines: &[String]) -> Vec<String> {
    ladder::by_place(lines).into_iter().map(|line| plain(ladder::untimed(line))).collect()
}

/// A line with an `N` for each figure that may vary. The ports that Linux picks have five digits; those that the READMEs
/// name have four.
fn plain(line: &str) -> String {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let pieces = line.split(':').map(|piece| match digits(piece) {
        5 => format!("N{}", &piece[5..]),
        _ => piece.to_owned(),
    });
    let line = pieces.collect::<Vec<_>>().join(":");
    // The number of reads is the network's affair.
    let Some((before, count)) = line.split_once(" bytes in ") else { return line };
    let after = count.strip_prefix("1 read ").map(|rest| format!(" reads {rest}"));
    format!("{before} bytes in N{}", after.as_deref().unwrap_or(&count[digits(count)..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LADDER: &str = "\
> Two connect.
  0.004                    │                              │ listening on 127.0.0.1:32983
  0.014 #1                 ├──── connects from :55464 ───▶│
  0.016 #1 Welcome!        │                              │
           It goes on      │                              │
  0.017 #1                 │◀──── 9 bytes  Welcome!\\n ────┤
    the kernel's table:
      local :32983 peer :55464  to send";

    fn is_same(shown: &str, seen: &str) -> bool {
        let [shown, seen] = [shown, seen].map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>());
        same(&shown, &seen)
    }

    #[test]
    fn one_character_more_or_less_is_seen_but_for_figures_of_passing_ports() {
        for seen in ["Welcome!\nHello, 张三!\nat [::1]:9999\nsaved 13 bytes in 2 reads to x", LADDER] {
            assert!(is_same(seen, seen));
            for (at, c) in seen.char_indices() {
                let (before, behind) = (&seen[..at], &seen[at + c.len_utf8()..]);
                for other in ["", "#", &format!("{c}#")] {
                    let changed = format!("{before}{other}{behind}");
                    // The number of reads may have a digit less.
                    let may_pass = changed == seen || (c.is_ascii_digit() && other.is_empty());
                    assert!(may_pass || !is_same(&changed, seen), "{changed}");
                }
            }
        }
    }

    #[test]
    fn times_passing_ports_and_the_number_of_reads_vary() {
        assert!(is_same(&LADDER.replace("0.01", "7.89").replace("32983", "32984"), LADDER));
        assert!(is_same("1 bytes in 1 read x", "1 bytes in 12 reads x"));
        let untimed = [("0.016 #1", "0.16  #1"), ("  0.004", " 0.0040")];
        let untimed = untimed.map(|(time, other)| (LADDER.replace(time, other), LADDER.to_owned()));
        let ports = [("[::1]:9999", "[::1]:9998"), ("[::1]:7", "[::2]:7")];
        for (shown, seen) in ports.map(|(a, b)| (a.to_owned(), b.to_owned())).into_iter().chain(untimed) {
            assert!(!is_same(&shown, &seen) && !is_same(&seen, &shown), "{shown}");
        }
    }

    #[test]
    fn rungs_of_different_places_may_change_places_and_nothing_else() {
        let is_continued = |line: &&str| line.starts_with("           It");
        let lines: Vec<_> = LADDER.lines().collect();
        let mut rungs: Vec<_> = lines.chunk_by(|_, line| is_continued(line)).collect();
        for (at, is_free) in [false, true, true, true, false, false].into_iter().enumerate() {
            rungs.swap(at, at + 1);
            assert_eq!(is_same(&rungs.concat().join("\n"), LADDER), is_free, "{at}");
            rungs.swap(at, at + 1);
        }
    }

    #[test]
    fn what_is_left_out_is_a_line_or_more() {
        let seen = "a\nb\nc\nd";
        for same in ["a\n...\nd", "...\nb\n...", "a\n...\nc\nd", "..."] {
            assert!(is_same(same, seen), "{same}");
        }
        for other in ["a\nb\n...\nc\nd", "...\nx\n...", "b\n...", "...\nc", "a\n...\nd\nd"] {
            assert!(!is_same(other, seen), "{other}");
        }
        assert!(is_same("a\n...\nAll 2 passed", "a\nb: not available here: c\nAll 1 passed"));
    }
}
