//! `cargo xtask grade`: a student's own program, in any language, judged by what it does on the wire.

mod candidate;
mod client;
mod get;
mod tcp_client;
mod tcp_server;
mod trial;
mod udp_client;
mod udp_server;

use std::net::Ipv4Addr;
use std::time::{Duration, SystemTime};
use std::{fs, thread};

use anyhow::{Result, bail};
use common::address::HostPort;
use common::args::{self, Args};
use common::framing::Framing;
use common::narration::{complain, escape, say};

use super::demo::{Only, stay};
use crate::checks::{Check, Tally, Verdict};
use crate::drawing::ladder::{self, Lanes};
use crate::drawing::live::{self, Live};
use crate::drawing::page::{self, Chapter, Cover, Page};
use crate::drawing::story::{Story, Told};
use crate::drawing::style::{Ink, Style};
use crate::programs::house;
use crate::words::{Lang, Words};
use candidate::CommandLine;
use trial::{Flaw, Halt, Stage, Terms, Trial, hint_words};

/// A kind of program that can be judged.
struct Kind {
    name: &'static str,
    /// What it is to do.
    protocol: Words,
    /// How its command may look.
    example: &'static str,
    /// The places that its command needs, or the options that stand for them.
    places: &'static [&'static str],
    stages: &'static [Stage],
    /// Of the stages, so many from the first are the ground of all others.
    ground: usize,
    lanes: Lanes,
}

const CLIENTS: Words = Words::fixed("the judge's clients", "评判程序的客户端");
const YOUR_SERVER: Words = Words::fixed("your server", "你的服务器");

const YOUR_CLIENT: Words = Words::fixed("your client", "你的客户端");
const SERVER: Words = Words::fixed("the judge's server", "评判程序的服务器");

static KINDS: [Kind; 5] = [
    Kind {
        name: "tcp-server",
        protocol: Words::fixed(
            "Says Welcome! to each client, answers each name with Hello, NAME!, and closes on exit. A message ends at\n\
                 a line feed (--framing line), follows its length in four bytes (length), or is what one read gives (raw).",
            "对每个客户端说 Welcome!，收到名字回复 Hello, NAME!，收到 exit 就关闭连接。一条消息以换行符结尾（--framing line），\n\
                 或跟在四个字节的长度后面（length），或就是一次读取的内容（raw）。",
        ),
        example: "cargo xtask grade tcp-server -- python3 my_server.py {host} {port}",
        places: &["{port}"],
        stages: &tcp_server::STAGES,
        ground: 3,
        lanes: (CLIENTS, YOUR_SERVER),
    },
    Kind {
        name: "udp-server",
        protocol: Words::fixed(
            "Answers each datagram, which is a name, with Hello, NAME! in another one.",
            "每个数据报是一个名字，用另一个数据报回复 Hello, NAME!。",
        ),
        example: "cargo xtask grade udp-server -- python3 my_server.py {host} {port}",
        places: &["{port}"],
        stages: &udp_server::STAGES,
        ground: 2,
        lanes: (CLIENTS, YOUR_SERVER),
    },
    Kind {
        name: "tcp-client",
        protocol: Words::fixed(
            "Hears Welcome!, says Michael, Tracy and Sarah, hears and prints Hello, NAME! for each before it says the\n\
                 next, then says exit. A message ends as --framing says: at a line feed, unless it is length or raw.",
            "先收到 Welcome!，再依次说 Michael、Tracy、Sarah，每个都等到 Hello, NAME! 并打印，才说下一个，最后说 exit。\n\
                 消息在哪里结束由 --framing 决定：line（换行符，默认）、length 或 raw。",
        ),
        example: "cargo xtask grade tcp-client -- python3 my_client.py {host} {port}",
        places: &["{port}"],
        stages: &tcp_client::STAGES,
        ground: 1,
        lanes: (YOUR_CLIENT, SERVER),
    },
    Kind {
        name: "udp-client",
        protocol: Words::fixed(
            "Sends Michael, Tracy and Sarah, a datagram each, and prints Hello, NAME! for each before it sends the next.",
            "依次发送 Michael、Tracy、Sarah，每个一个数据报；等到并打印 Hello, NAME!，才发下一个。",
        ),
        example: "cargo xtask grade udp-client -- python3 my_client.py {host} {port}",
        places: &["{port}"],
        stages: &udp_client::STAGES,
        ground: 1,
        lanes: (YOUR_CLIENT, SERVER),
    },
    Kind {
        name: "get",
        protocol: Words::fixed(
            "Gets the page at {url} with GET and HTTP/1.1, prints the header, and saves the body as the file {out}.",
            "用 GET 和 HTTP/1.1 获取 {url}，打印头部，把响应体存为文件 {out}。",
        ),
        example: "cargo xtask grade get -- python3 my_get.py {url} {out}",
        places: &["{url}", "{out}"],
        stages: &get::STAGES,
        ground: 1,
        lanes: (YOUR_CLIENT, SERVER),
    },
];

/// What to do besides playing the stages.
struct Wishes {
    all: bool,
    only: Option<&'static Stage>,
    file: Option<String>,
}

/// Judges the program that the arguments name.
///
/// # Errors
/// A usage error; a failure where a stage is not kept.
pub fn run(mut args: Args) -> Result<()> {
    let (list, all, watch) = (args.flag("--list")?, args.flag("--all")?, args.flag("--watch")?);
    let Only(ip) = args.value("--ip", Only(Ipv4Addr::LOCALHOST.into()))?;
    let ascii = args.flag("--ascii")?;
    let lang = args.given("--lang")?.unwrap_or_else(Lang::of_locale);
    let (stage, file) = (args.given::<String>("--stage")?, args.given::<String>("--html")?);
    let address = args.given_or::<HostPort>("--live", live::DEFAULT)?;
    let framing = args.value("--framing", Framing::Line)?;
    let patience = args.seconds("--patience", 10.0, 0.1..=3600.0)?;
    let port = Some(args.number("--port", 0, 1..=u16::MAX)?).filter(|port| *port > 0);
    let kinds = || KINDS.each_ref().map(|kind| kind.name).join(", ");
    let kind = match args.operand()? {
        Some(name) => KINDS.iter().find(|kind| *name == *kind.name).ok_or_else(|| {
            let name = escape(name.as_encoded_bytes());
            args::usage(format!("cannot grade '{name}': it is one of {}", kinds()))
        })?,
        None if list => {
            return KINDS.iter().try_for_each(|kind| introduce(kind, lang).and_then(|()| Ok(say("")?)));
        }
        None => return Err(args::usage(format!("say what to grade: {}", kinds()))),
    };
    let mut command = Vec::new();
    while let Some(word) = args.operand()? {
        command.push(word);
    }
    let only = stage.map(|name| find_stage(kind, &name)).transpose()?;
    if list {
        return introduce(kind, lang);
    }
    let command = CommandLine(command);
    check_command(kind, &command, port)?;
    house::close_on_interrupt()?;
    let style = Style::of_output(lang).fitting(ascii);
    let terms = Terms { command, ip, port, framing, patience, style, story: Story::kept(style) };
    let wishes = Wishes { all, only, file };
    let start = |at: &HostPort| Live::start(at, &terms.story, cover(kind, &terms), lang, None);
    let live = address.as_ref().map(start).transpose()?;
    live.iter().flat_map(Live::words).try_for_each(|words| style.say(Ink::Bold, &words))?;
    if watch {
        return grade_again_and_again(kind, &terms, &wishes);
    }
    let outcome = grade(kind, &terms, &wishes);
    if live.is_some() {
        stay(style);
    }
    outcome
}

/// Grades whenever a file that the command names has changed, until Ctrl-C.
fn grade_again_and_again(kind: &Kind, terms: &Terms, wishes: &Wishes) -> Result<()> {
    const GLANCE: Duration = Duration::from_millis(200);
    let changed =
        || terms.command.0.iter().map(|word| fs::metadata(word).and_then(|file| file.modified()).ok());
    loop {
        let before: Vec<_> = changed().collect();
        if let Err(e) = grade(kind, terms, wishes) {
            complain(&format!("{e:#}")); // the next version may be better
        }
        let wait =
            Words::fixed("\nWaiting for a change; Ctrl-C ends it.", "\n等待文件改动；按 Ctrl-C 结束。");
        terms.style.say(Ink::Faint, &wait)?;
        while changed().eq(before.iter().copied()) {
            thread::sleep(GLANCE);
        }
        say("")?;
    }
}

fn find_stage(kind: &'static Kind, name: &str) -> Result<&'static Stage> {
    kind.stages.iter().find(|stage| stage.name == name).ok_or_else(|| {
        let names: Vec<_> = kind.stages.iter().map(|stage| stage.name).collect();
        let (name, names) = (escape(name.as_bytes()), names.join(" "));
        args::usage(format!("no stage '{name}': it is one of {names}"))
    })
}

fn check_command(kind: &Kind, command: &CommandLine, port: Option<u16>) -> Result<()> {
    if command.0.is_empty() {
        return Err(args::usage(format!(
            "the command that starts your program is missing: {}",
            kind.example
        )));
    }
    let is_missing = |place: &&&str| !command.has(place) && (port.is_none() || **place != "{port}");
    if let Some(place) = kind.places.iter().find(is_missing) {
        let port = if *place == "{port}" { ", or --port N for one that it has in its code" } else { "" };
        return Err(args::usage(format!("the command has no {place}{port}: {}", kind.example)));
    }
    Ok(())
}

/// Every stage in a sentence: the exercise sheet.
fn introduce(kind: &Kind, lang: Lang) -> Result<()> {
    say(&format!("{}\n{}\n", kind.name, kind.protocol.to(lang)))?;
    for (number, stage) in (1..).zip(kind.stages) {
        say(&format!("{number:4} {:11} {}", stage.name, stage.promise.1.to(lang)))?;
    }
    Ok(say(&format!("\n{}", kind.example))?)
}

/// Plays the stages in their order, and sums up.
fn grade(kind: &Kind, terms: &Terms, wishes: &Wishes) -> Result<()> {
    let page = wishes.file.as_deref().map(Page::open).transpose()?;
    let (style, name, shown) = (terms.style, kind.name, terms.command.shown());
    style.say(Ink::Bold, &words!("{name}: {shown}", "{name}：{shown}"))?;
    let stages = kind.stages.iter().filter(|stage| wishes.only.is_none_or(|only| only.name == stage.name));
    let mut chapters = Vec::new();
    for (number, stage) in (1..).zip(stages) {
        let (chapter, is_kept) = play(kind, stage, terms)?;
        chapters.push(chapter);
        if !is_kept && (!wishes.all || number <= kind.ground) {
            break;
        }
    }
    if let Some(page) = page {
        let name = page.write(&cover(kind, terms), &chapters, style.lang)?;
        style.say(Ink::Bold, &words!("\nThe report is in {name}.", "\n报告已存入 {name}。"))?;
    }
    sum_up(kind, terms, wishes, &chapters)
}

/// Plays one stage, and prints what came of it; false where it is not kept.
fn play(kind: &Kind, stage: &'static Stage, terms: &Terms) -> Result<(Chapter, bool)> {
    let version = if terms.ip.is_ipv4() { "IPv4" } else { "IPv6" };
    terms.story.tell(Told::Title { name: stage.name, version, is_new: true })?;
    terms.story.tell(Told::Lanes(kind.lanes.clone()))?;
    let mut trial = Trial::new(terms, stage.hint)?;
    let promise = &stage.promise.1;
    trial.tell(Told::Act(promise.clone()))?;
    let played = (stage.play)(&mut trial);
    let ladder = trial.ladder();
    let cleared = trial.clear();
    let (verdict, flaw) = match played {
        Ok(()) => (Verdict::Kept, None),
        Err(Halt::Broken(flaw)) => (Verdict::Broken(flaw.came.clone()), Some(flaw)),
        Err(Halt::NotDecided(flaw)) => (Verdict::NotDecided(flaw.came.clone()), Some(flaw)),
        Err(Halt::NotAvailable(why)) => (Verdict::NotAvailable(why), None),
        Err(Halt::Failed(e)) => return Err(e),
    };
    cleared?;
    let style = terms.style;
    let ladder = ladder?;
    let mark = style.paint(verdict.ink(), verdict.mark());
    say(&format!("{mark} {:11} {}", stage.name, promise.to(style.lang)))?;
    if let Verdict::NotAvailable(why) = &verdict {
        say(&format!("    {}", why.to(style.lang)))?;
    }
    trial.tell(Told::Check(Check { promise: promise.clone(), verdict }))?;
    let is_kept = flaw.is_none();
    if let Some(flaw) = flaw {
        say(&ladder::head(style, &kind.lanes))?;
        ladder.iter().flat_map(|told| told.lines(style)).try_for_each(|line| say(&line))?;
        for told in told_of(&flaw) {
            told.lines(style).iter().try_for_each(|line| say(line))?;
            trial.tell(told)?;
        }
    }
    let claims = std::slice::from_ref(&stage.promise);
    let told = trial.told();
    Ok((Chapter { name: stage.name, version, claims, lanes: kind.lanes.clone(), told }, is_kept))
}

/// What was expected, what came, and what to do about it.
fn told_of(flaw: &Flaw) -> Vec<Told> {
    let pair = |en: &str, zh: &str, words: &Words| {
        let (is, is_zh) = (&words.en, &words.zh);
        Told::Evidence(words!("{en:9} {is}", "{zh}：{is_zh}"))
    };
    let mut told = vec![pair("expected", "应有", &flaw.expected), pair("came", "实有", &flaw.came)];
    told.extend(flaw.table.clone().map(Told::Evidence));
    told.extend(flaw.hint.as_ref().map(|hint| Told::Hint(hint_words(hint))));
    told
}

fn cover(kind: &Kind, terms: &Terms) -> Cover {
    let (name, shown) = (kind.name, terms.command.shown());
    let date = date(SystemTime::now());
    let intro = words!("Judged on the wire, {date}: {shown}", "在线路上评判，{date}：{shown}");
    Cover { title: words!("{name}, graded", "{name} 评判报告"), intro, is_bare: false }
}

/// A time as a date, in UTC: days are counted from 1 March of the year 0 (of the Gregorian calendar), so that a leap
/// day is a year's last.
fn date(time: SystemTime) -> String {
    const DAYS_TO_1970: u64 = 719_468;
    const DAYS_OF_400_YEARS: u64 = 146_097;
    let seconds = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    let days = seconds / 86_400 + DAYS_TO_1970;
    let (era, day) = (days / DAYS_OF_400_YEARS, days % DAYS_OF_400_YEARS);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153; // 0 is March
    let day = day - (153 * month + 2) / 5 + 1;
    let (year, month) = if month < 10 { (year, month + 3) } else { (year + 1, month - 9) };
    let (hour, minute) = (seconds / 3600 % 24, seconds / 60 % 60);
    format!("{}-{month:02}-{day:02} {hour:02}:{minute:02} UTC", era * 400 + year)
}

/// How many stages were kept, and what to do next.
fn sum_up(kind: &Kind, terms: &Terms, wishes: &Wishes, chapters: &[Chapter]) -> Result<()> {
    let Tally { kept, not_available, .. } = page::tally(chapters);
    let all = if wishes.only.is_some() { 1 } else { kind.stages.len() } - not_available;
    let absent = match not_available {
        0 => Words::fixed("", ""),
        n => words!(", {n} cannot be judged here", "，{n} 项在这里无法判定"),
    };
    let Words { en: absent, zh: absent_zh } = absent;
    let style = terms.style;
    say("")?;
    if kept == all {
        let sentence = words!("{kept} of {all} kept{absent}.", "{all} 项全部做到{absent_zh}。");
        style.say(Ink::Good, &sentence)?;
        return terms.story.tell(Told::Sum { sentence, is_kept: true });
    }
    let is_kept = |chapter: &&Chapter| {
        let check = chapter.told.iter().find_map(Told::check);
        check.is_none_or(|check| matches!(check.verdict, Verdict::Kept | Verdict::NotAvailable(_)))
    };
    let next = chapters.iter().find(|chapter| !is_kept(chapter)).map_or("", |chapter| chapter.name);
    let sum = words!(
        "{kept} of {all} kept{absent}. Next: {next}; '--stage {next}' plays it alone",
        "{all} 项中做到 {kept} 项{absent_zh}。下一步：{next}；--stage {next} 只评判这一项"
    );
    terms.story.tell(Told::Sum { sentence: sum.clone(), is_kept: false })?;
    bail!("{}", sum.to(style.lang))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_right_on_both_sides_of_a_leap_day_and_of_a_year() {
        for (seconds, expected) in [
            (0, "1970-01-01 00:00 UTC"),
            (951_782_399, "2000-02-28 23:59 UTC"),
            (951_782_400, "2000-02-29 00:00 UTC"),
            (951_868_800, "2000-03-01 00:00 UTC"),
            (1_735_689_599, "2024-12-31 23:59 UTC"),
            (1_735_689_600, "2025-01-01 00:00 UTC"),
        ] {
            assert_eq!(date(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)), expected);
        }
    }

    #[test]
    fn every_stage_is_about_something_that_a_lesson_shows() {
        for stage in KINDS.iter().flat_map(|kind| kind.stages) {
            assert!(crate::lessons::about(stage.promise.0).is_some(), "{}: {}", stage.name, stage.promise.0);
        }
    }
}
