//! How many columns a text takes, and how it is fitted into fewer. Pure.

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

/// The text in at most `limit` columns, each with at most four characters on the average: hundreds of marks that stand
/// on one character are no text.
pub fn fit(text: &str, limit: usize) -> String {
    const A_COLUMN: usize = 4;
    if width(text) <= limit && text.chars().count() <= A_COLUMN * limit {
        return text.into();
    }
    let (mut taken, mut count) = (0, 0);
    let fits = |c: &char| {
        taken += columns(*c);
        count += 1;
        taken < limit && count < A_COLUMN * limit
    };
    text.chars().take_while(fits).collect::<String>() + "…"
}

/// How many columns a terminal gives the text.
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

fn is_in(ranges: &[(char, char)], c: char) -> bool {
    ranges.iter().any(|(first, last)| (*first..=*last).contains(&c))
}

#[rustfmt::skip]
const MARKS: [(char, char); 51] = [
    ('\u{300}', '\u{36f}'), ('\u{483}', '\u{489}'), ('\u{591}', '\u{5bd}'), ('\u{5bf}', '\u{5bf}'), ('\u{5c1}', '\u{5c2}'),
    ('\u{5c4}', '\u{5c5}'), ('\u{610}', '\u{61a}'), ('\u{64b}', '\u{65f}'), ('\u{670}', '\u{670}'), ('\u{6d6}', '\u{6dc}'),
    ('\u{6df}', '\u{6e4}'), ('\u{6e7}', '\u{6e8}'), ('\u{6ea}', '\u{6ed}'), ('\u{8d3}', '\u{8e1}'), ('\u{8e3}', '\u{902}'),
    ('\u{93a}', '\u{93a}'), ('\u{93c}', '\u{93c}'), ('\u{941}', '\u{948}'), ('\u{94d}', '\u{94d}'), ('\u{951}', '\u{957}'),
    ('\u{962}', '\u{963}'), ('\u{981}', '\u{981}'), ('\u{9bc}', '\u{9bc}'), ('\u{9c1}', '\u{9c4}'), ('\u{9cd}', '\u{9cd}'),
    ('\u{9e2}', '\u{9e3}'), ('\u{a3c}', '\u{a3c}'), ('\u{a41}', '\u{a51}'), ('\u{a70}', '\u{a71}'), ('\u{abc}', '\u{abc}'),
    ('\u{ac1}', '\u{ac8}'), ('\u{acd}', '\u{acd}'), ('\u{bc0}', '\u{bc0}'), ('\u{bcd}', '\u{bcd}'), ('\u{e31}', '\u{e31}'),
    ('\u{e34}', '\u{e3a}'), ('\u{e47}', '\u{e4e}'), ('\u{eb1}', '\u{eb1}'), ('\u{eb4}', '\u{ebc}'), ('\u{ec8}', '\u{ecd}'),
    ('\u{102d}', '\u{1030}'), ('\u{1032}', '\u{1037}'), ('\u{1160}', '\u{11ff}'), ('\u{17b7}', '\u{17bd}'), ('\u{17c9}', '\u{17d3}'),
    ('\u{1ab0}', '\u{1ace}'), ('\u{1dc0}', '\u{1dff}'), ('\u{20d0}', '\u{20f0}'), ('\u{302a}', '\u{302d}'), ('\u{3099}', '\u{309a}'),
    ('\u{fe00}', '\u{fe2f}'),
];
#[rustfmt::skip]
const WIDE: [(char, char); 19] = [
    ('\u{1100}', '\u{115f}'), ('\u{231a}', '\u{231b}'), ('\u{23e9}', '\u{23ec}'), ('\u{2614}', '\u{2615}'), ('\u{2648}', '\u{2653}'),
    ('\u{26a1}', '\u{26a1}'), ('\u{26bd}', '\u{26be}'), ('\u{2705}', '\u{2705}'), ('\u{2728}', '\u{2728}'), ('\u{274c}', '\u{274c}'),
    ('\u{2b50}', '\u{2b50}'), ('\u{2e80}', '\u{a4cf}'), ('\u{ac00}', '\u{d7a3}'), ('\u{f900}', '\u{faff}'), ('\u{fe30}', '\u{fe6f}'),
    ('\u{ff00}', '\u{ff60}'), ('\u{ffe0}', '\u{ffe6}'), ('\u{1f300}', '\u{1faff}'), ('\u{20000}', '\u{3fffd}'),
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
            ("Jose", 4),
            ("Jose\u{301}", 4),
            ("Zoe\u{308}", 3),
            ("張三", 4),
            ("ก\u{e33}ล\u{e31}ง", 4), // of the two vowels, one takes a column
            ("\u{1112}\u{1161}\u{11ab}", 2),
            ("한", 2),
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
