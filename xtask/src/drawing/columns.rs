//! How many columns a text takes, and how it is fitted into fewer.

use std::mem;

/// The text in lines of at most `limit` columns: in four of them, or as many as hold a long error.
pub fn wrap(text: &str, limit: usize) -> Vec<String> {
    let most = (160 / limit).max(4);
    let mut lines = broken(text, limit);
    if lines.len() > most {
        lines.truncate(most);
        lines[most - 1] = fit(&format!("{}…", lines[most - 1]), limit);
    }
    lines
}

/// What no line begins with, and what none ends with (JIS X 4051's kinsoku, GB/T 15834).
const CLOSING: &str = "，。？！：；、）”’》】」』…,.?!:;)]";
const OPENING: &str = "（“‘《【「『([";

/// The text in lines of at most `limit` columns, without the blanks at their ends: broken at a blank or beside a wide
/// character, or where there is none in the last two thirds, anywhere.
pub fn broken(text: &str, limit: usize) -> Vec<String> {
    let (mut lines, mut line) = (Vec::new(), String::new());
    for c in text.chars() {
        if c != ' ' && width(&line) + columns(c) > limit {
            let first = line.len() / 3;
            let is_good = |at, a, b| at > first && (a == ' ' || columns(a) == 2 || columns(b) == 2);
            let at = break_in(&line, c, is_good).or_else(|| break_in(&line, c, |_, _, _| true));
            let begun = line.split_off(at.unwrap_or(line.len()));
            lines.push(mem::replace(&mut line, begun));
        }
        line.push(c);
    }
    lines.push(line);
    lines.into_iter().map(|line| line.trim_end_matches(' ').to_owned()).collect()
}

/// The last place in a line where it may be broken and `is_good`, between two characters; `next` would follow the line.
fn break_in(line: &str, next: char, is_good: impl Fn(usize, char, char) -> bool) -> Option<usize> {
    let ends = line.char_indices().skip(1).chain([(line.len(), next)]);
    let places = line.chars().zip(ends).filter(|(a, (at, b))| {
        let may_end = !OPENING.contains(*a) && !CLOSING.contains(*b) && columns(*b) > 0 && *b != ' ';
        may_end && is_good(*at, *a, *b)
    });
    places.last().map(|(_, (at, _))| at)
}

/// The text in at most `limit` columns, with at most four characters each on the average: hundreds of marks on one
/// character are no text.
pub fn fit(text: &str, limit: usize) -> String {
    let (most, mut taken) = (4 * limit, 0);
    if width(text) <= limit && text.chars().count() <= most {
        return text.into();
    }
    let fits = |c: &char| {
        taken += columns(*c);
        taken < limit
    };
    text.chars().take(most.saturating_sub(1)).take_while(fits).collect::<String>() + "…"
}

pub fn width(text: &str) -> usize {
    text.chars().map(columns).sum()
}

/// Marks that stand on the character before them take no column (the general categories Mn and Me, and the jamo that
/// complete a Hangul syllable), East Asian wide characters and emoji take two (UAX #11): as wcwidth(3), of the scripts
/// that names are written in.
fn columns(c: char) -> usize {
    match c {
        '\0'..='\u{2ff}' => 1,
        _ if is_in(&MARKS, c) => 0,
        _ => 1 + usize::from(is_in(&WIDE, c)),
    }
}

fn is_in(ranges: &[u32], c: char) -> bool {
    ranges.chunks(2).any(|ends| (ends[0]..=ends[1]).contains(&c.into()))
}

/// First and last code points.
const MARKS: [u32; 102] = [
    0x300, 0x36f, 0x483, 0x489, 0x591, 0x5bd, 0x5bf, 0x5bf, 0x5c1, 0x5c2, 0x5c4, 0x5c5, 0x610, 0x61a, 0x64b,
    0x65f, 0x670, 0x670, 0x6d6, 0x6dc, 0x6df, 0x6e4, 0x6e7, 0x6e8, 0x6ea, 0x6ed, 0x8d3, 0x8e1, 0x8e3, 0x902,
    0x93a, 0x93a, 0x93c, 0x93c, 0x941, 0x948, 0x94d, 0x94d, 0x951, 0x957, 0x962, 0x963, 0x981, 0x981, 0x9bc,
    0x9bc, 0x9c1, 0x9c4, 0x9cd, 0x9cd, 0x9e2, 0x9e3, 0xa3c, 0xa3c, 0xa41, 0xa51, 0xa70, 0xa71, 0xabc, 0xabc,
    0xac1, 0xac8, 0xacd, 0xacd, 0xbc0, 0xbc0, 0xbcd, 0xbcd, 0xe31, 0xe31, 0xe34, 0xe3a, 0xe47, 0xe4e, 0xeb1,
    0xeb1, 0xeb4, 0xebc, 0xec8, 0xecd, 0x102d, 0x1030, 0x1032, 0x1037, 0x1160, 0x11ff, 0x17b7, 0x17bd,
    0x17c9, 0x17d3, 0x1ab0, 0x1ace, 0x1dc0, 0x1dff, 0x20d0, 0x20f0, 0x302a, 0x302d, 0x3099, 0x309a, 0xfe00,
    0xfe2f,
];

const WIDE: [u32; 38] = [
    0x1100, 0x115f, 0x231a, 0x231b, 0x23e9, 0x23ec, 0x2614, 0x2615, 0x2648, 0x2653, 0x26a1, 0x26a1, 0x26bd,
    0x26be, 0x2705, 0x2705, 0x2728, 0x2728, 0x274c, 0x274c, 0x2b50, 0x2b50, 0x2e80, 0xa4cf, 0xac00, 0xd7a3,
    0xf900, 0xfaff, 0xfe30, 0xfe6f, 0xff00, 0xff60, 0xffe0, 0xffe6, 0x1f300, 0x1faff, 0x20000, 0x3fffd,
];

/// A number with its thousands apart.
pub fn grouped(number: u64) -> String {
    match number {
        0..1000 => number.to_string(),
        _ => format!("{},{:03}", grouped(number / 1000), number % 1000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use common::seeded::Seeded;

    #[test]
    fn a_mark_takes_no_column_and_a_wide_character_two() {
        for (text, columns) in [
            ("Jose\u{301}", 4),
            ("張三", 4),
            ("ก\u{e33}ล\u{e31}ง", 4), // of the two vowels, one takes a column
            ("\u{1112}\u{1161}\u{11ab}", 2),
            ("\u{935}\u{93f}\u{95c}\u{92f}", 4),
            ("\u{2764}\u{fe0f}", 1),
            ("か\u{3099}", 2),
        ] {
            assert_eq!(width(text), columns, "{}", text.escape_unicode());
        }
    }

    #[test]
    fn a_text_that_fits_is_kept_and_one_that_is_all_marks_is_cut() {
        assert_eq!(fit("Zoe\u{308}", 3), "Zoe\u{308}");
        assert_eq!(fit("Zoe\u{308}", 2), "Z…");
        let marks = "e".to_owned() + &"\u{308}".repeat(1000);
        assert_eq!(fit(&marks, 5).chars().count(), 20);
        assert_eq!(broken(&"Zoe\u{308} ".repeat(3), 7), ["Zoe\u{308} Zoe\u{308}", "Zoe\u{308}"]);
    }

    #[test]
    fn no_line_of_a_random_text_begins_with_a_closing_sign_or_ends_with_an_opening_one() {
        let parts: Vec<_> =
            "套接字|字|，|。|？|（|“|）|”|TIME_WAIT| |SYN|1|é|Zoe\u{308}".split('|').collect();
        let mut random = Seeded::from_environment();
        for limit in [10, 23, 64, 80] {
            for _ in 0..50 {
                let mut text = "始".to_owned();
                while width(&text) < 300 {
                    let part = parts[random.below(parts.len())];
                    let is_sign = |c: char| c == ' ' || CLOSING.contains(c) || OPENING.contains(c);
                    // After a sign or a blank comes a character: a line has to begin with something.
                    if !(part.starts_with(is_sign) && text.ends_with(is_sign)) {
                        text += part;
                    }
                }
                let lines = broken(&(text.clone() + "终"), limit);
                for line in &lines {
                    assert!(width(line) <= limit, "{random:?}: {line}");
                    assert!(
                        !line.starts_with(|c| CLOSING.contains(c))
                            && !line.ends_with(|c| OPENING.contains(c)),
                        "{random:?}: {line}"
                    );
                }
                let all = |text: &str| text.replace(' ', "");
                assert_eq!(all(&lines.concat()), all(&text) + "终");
            }
        }
    }
}
