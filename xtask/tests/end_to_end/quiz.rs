//! The quiz: its questions, verdicts, pauses and score.

use std::sync::LazyLock;

use xtask::lessons;

use crate::demo::answered;

/// Quizzes in which each answer is 2, played once for all tests.
pub static OF_LESSONS: LazyLock<String> =
    LazyLock::new(|| answered(&["--quiz", "--ip=4", "--lang=en"], &"2\n".repeat(100)));
pub static OF_MISTAKES: LazyLock<String> =
    LazyLock::new(|| answered(&["--quiz", "--mistakes", "--ip=4", "--lang=en"], &"2\n".repeat(100)));

#[test]
fn the_quiz_asks_in_every_lesson_judges_by_what_was_seen_and_keeps_the_score() {
    let english = ["= 2 is right: ", "  missed: ", "Right predictions: "];
    let in_chinese = answered(&["crowd", "udp", "--quiz", "--lang=zh"], &"2\n".repeat(100));
    for (out, count, [right, missed, score]) in [
        (&*OF_LESSONS, lessons::ALL.len(), english),
        (&*OF_MISTAKES, lessons::mistakes::ALL.len(), english),
        (&in_chinese, 2, ["= 2，对了：", "  答错：", "预测正确："]),
    ] {
        let lessons: Vec<_> = out.split("\n== ").skip(1).collect();
        assert_eq!(lessons.len(), count);
        for lesson in lessons {
            // Only Unix lets the demo press Ctrl-C, and the last lesson is about that.
            let is_asked = lesson.contains("\n? ") && lesson.contains("\n= 2");
            let is_claim = lesson.lines().nth(1).unwrap().starts_with(['C', 'M', '-']);
            assert!(!is_claim, "no claim gives an answer away: {lesson}");
            assert!(is_asked || (cfg!(not(unix)) && lesson.starts_with("stop")), "{lesson}");
        }
        let verdicts: Vec<_> = out.lines().filter(|line| line.starts_with("= ")).collect();
        let rights = verdicts.iter().filter(|line| line.starts_with(right)).count();
        let sum = out.lines().find(|line| line.contains(score)).unwrap();
        let mut figures: Vec<usize> = sum.split(|c: char| !c.is_ascii_digit()).flat_map(str::parse).collect();
        figures.sort_unstable();
        assert_eq!(figures, [rights, verdicts.len()], "{sum}");
        assert!(0 < rights && rights < verdicts.len());
        let misses = out.lines().filter(|line| line.starts_with(missed)).count();
        assert_eq!(misses, verdicts.len() - rights);
        // A wrong guess was predicted, too, and nobody voted.
        let unsaid = ["as predicted", "与预期一致", "the class,", "全班"];
        assert!(!unsaid.iter().any(|words| out.contains(words)), "{out}");
    }
}

#[test]
fn what_is_no_choice_is_asked_for_again_and_a_wrong_choice_is_played_again() {
    let again = "  missed: One write sends 3000 bytes; they are read with a buffer of 1024. What does each read\n          \
                 return?\nPlay again: cargo xtask demo end --quiz";
    for (answer, is_wrong) in [("1", false), ("１", false), ("2", true), ("3", true)] {
        let out = answered(&["end", "--quiz", "--lang=en"], &format!("many\n-1\n0\n4\n{answer}\n"));
        assert_eq!(out.matches("[your prediction").count(), 5, "what is no choice is asked for again: {out}");
        let is_missed = out.contains("is not right; the right choice is 1, ");
        assert_eq!((is_missed, out.contains(again)), (is_wrong, is_wrong), "{answer}: {out}");
    }
    let out = answered(&["--ip=6", "end", "--lang", "zh", "--quiz", "--ascii"], "2\n");
    let again = "\n再来一遍：cargo xtask demo end --quiz --ip 6 --lang zh --ascii\n";
    assert!(out.contains(again) || !crate::has_ipv6(), "the same is played again: {out}");
    let out = answered(&["end", "--quiz", "--lang=en"], "99999999999999999999999\n1 2\n\u{1b}[2J\n\n");
    assert!(out.contains("'\\x1b[2J' is not one of 1 to 3") && !out.contains("Play again"), "{out}");
    for answers in ["3\nq\n", "3\n"] {
        let out = answered(&["socket", "--quiz", "--lang=en"], answers);
        assert!(out.contains("\n= 3 is right: "), "its verdict stands before the next question: {out}");
        assert!(
            out.ends_with("\nLeft before the end. All 3 checks passed.\n"),
            "at the end of input, too: {out}"
        );
    }
}

#[test]
fn a_quiz_waits_after_each_act_that_holds_a_verdict() {
    let wait = "  [Enter: go on, q: leave]\n";
    let out = answered(&["socket", "--quiz", "--ip=4", "--lang=en"], &"1\n".repeat(4));
    let verdicts: Vec<_> = out.split("\n= ").skip(1).collect();
    assert_eq!(verdicts.len(), 2);
    for verdict in verdicts {
        let (lines, next) = verdict.split_once(wait).unwrap();
        let is_all = lines.lines().skip(1).all(|line| line.starts_with("  "));
        assert!(is_all, "nothing is between a verdict and its wait: {out}");
        assert!(next.starts_with("? ") || next.starts_with("C1 "), "{out}");
    }
    assert_eq!(out.matches(wait).count(), 2, "no wait without a verdict: {out}");
    assert!(!out.contains("the class"), "nobody has voted: {out}");
    assert!(!out.contains("over IPv6 =="), "{out}");
    let out = answered(&["stop", "duplex", "--quiz", "--step", "--ip=4", "--lang=en"], &"1\n".repeat(100));
    let (_, after_verdict) = out.split_once("\n= ").unwrap();
    let waits = after_verdict.split("\n== ").next().unwrap().matches(wait).count();
    assert_eq!(waits, if cfg!(unix) { 2 } else { 1 }, "once more after the claims: {out}");
}

/// Of each question, in the order in which its lesson asks: words that show its answer. They are in its act, its
/// verdict or its claim.
#[cfg(target_os = "linux")]
#[rustfmt::skip]
const ANSWERS: [(&str, &[&[&str]]); 29] = [
    ("socket", &[&["sent before accept", "the bytes are already there", "both kernels"],
                 &["listen(5): 7 try", "n + 1"]]),
    ("system", &[&["greeted at that port number", "separate ports", "can both use port 9999"]]),
    ("address", &[&["no socket listens on 127.0.0.2", "cannot be reached at another"]]),
    ("page", &[&["how much is missing", "nothing is saved"]]),
    ("end", &[&["1 to 1024"]]),
    ("crowd", &[&["one listening socket", "two kinds of sockets", "accept returned one more"],
                &["only the first is welcomed", "connected does not mean served"]]),
    ("nonblocking", &[&["not in order of connecting", "goes on to the next client"]]),
    ("stream", &[&["from 1 to 17", "shows where a write began"]]),
    ("framing", &[&["Hello, Alexand!", "'Alexand' and"]]),
    ("flow", &[&["took a part", "only a part if", "both queues hold data", "they hold every byte", "the sender waits"]]),
    ("duplex", &[&["deadlock", "neither finished"]]),
    ("udp", &[&["each name gets its own greeting, in order", "sent the name again"],
              &["answered one after another", "for each of the two before it"]]),
    ("loss", &[&["no kernel sorted them", "a datagram has no number"]]),
    ("reliable", &[&["taken for the next one", "01012"]]),
    ("stop", &[&["the reply still came", "the reply is still sent"]]),
    ("glued", &[&["greets \"Michaelexit\"", "'exit' is not recognized"]]),
    ("chunk-sizes", &[&["saves '7", "with its chunk sizes"]]),
    ("cut-short", &[&["saves 'Hello,'", "accepted as complete"]]),
    ("lost-reply", &[&["still waiting", "would wait forever", "blocks the UDP client"]]),
    ("late-reply", &[&["for the reply to Tracy", "for the reply to the next"]]),
    ("stranger", &[&["believes a stranger", "from any sender"]]),
    ("cut-datagram", &[&["it gets 1024", "is cut, or lost"]]),
    ("reset", &[&["then: a reset", "sends a reset"]]),
    ("half-char", &[&["gets an exception", "needs whole characters"]]),
    ("slow-exit", &[&["ms in all to recognize 'exit'", "even 'exit' takes"]]),
    ("no-header", &[&["the notes' client ends with an exception", "with a Latin-1 header, ends"]]),
    ("kept-open", &[&["still waits, and would wait forever", "only an empty recv is the end"]]),
    ("not-text", &[&["because of one byte", "0xff never occurs"]]),
    ("gbk-name", &[&["sends the same four bytes back", "a socket carries bytes"]]),
];

/// The lessons as the shipped plan for ninety minutes plays them.
#[cfg(target_os = "linux")]
fn planned() -> Vec<&'static str> {
    let mut names = Vec::new();
    for row in crate::plan::rows() {
        let named = row.split(' ').filter(|word| !word.starts_with("--") && *word != "4");
        names.extend(named.map(|name| lessons::find(name.as_ref()).unwrap().name));
        if row.contains("--mistakes") {
            names.extend(lessons::mistakes::ALL.iter().map(|mistake| mistake.name));
        }
    }
    names
}

#[cfg(target_os = "linux")]
#[test]
fn nothing_that_is_shown_before_a_question_gives_its_answer_away() {
    // A sentence may be broken into lines, in its lane, too.
    let words = |text: &str| text.replace('│', "").split_whitespace().collect::<Vec<_>>().join(" ");
    let shown = |name: &str| {
        let title = format!("\n== {name} over IPv4 ==\n");
        let found = [&OF_LESSONS, &OF_MISTAKES].into_iter().find_map(|out| out.split_once(&title)).unwrap().1;
        words(found.split("\n== ").next().unwrap())
    };
    let all = lessons::ALL.iter().chain(&lessons::mistakes::ALL).map(|lesson| lesson.name).collect();
    let plan = planned();
    assert!(lessons::ALL.iter().all(|lesson| plan.contains(&lesson.name)), "a row for each: {plan:?}");
    for order in [all, plan] {
        let mut before = String::new();
        for name in order {
            let text = shown(name);
            if before.contains(&text) {
                continue; // the plan plays it again
            }
            let (_, answers) = ANSWERS.iter().find(|(lesson, _)| *lesson == name).unwrap();
            let asked: Vec<_> = text.match_indices("[your prediction").map(|(at, _)| at).collect();
            assert_eq!(asked.len(), answers.len(), "{name}: each question needs the words of its answer");
            for (at, answer) in asked.into_iter().zip(*answers) {
                let (earlier, later) = text.split_at(at);
                for words in *answer {
                    assert!(!before.contains(words), "an earlier lesson tells {name}'s answer: {words}");
                    assert!(!earlier.contains(words), "{name} tells its own answer: {words}");
                    assert!(later.contains(words), "{name} never says: {words}");
                }
            }
            before += &text;
        }
    }
}
