//! `cargo xtask demo`: plays lessons over IPv4 and IPv6, and sums up.

use std::env::consts;
use std::net::IpAddr;

use anyhow::Result;
use common::address::HostPort;
use common::args::{self, Args};
use common::narration::{self, say};

use super::shown::{self, LOOPBACK, Only};
use super::wanted::Wanted;
use crate::drawing::live;
use crate::drawing::page::{self, Cover};
use crate::drawing::style::{Ink, Style};
use crate::lessons::{self, Lesson, mistakes};
use crate::play::audience::{self, Audience, Left};
use crate::play::runner::Runner;
use crate::programs::{build, cleanup};
use crate::words::{Lang, Words};

/// Plays the lessons that the arguments name, or all of them.
pub fn run(mut args: Args) -> Result<()> {
    let (list, step, wrong) = (args.flag("--list")?, args.flag("--step")?, args.flag("--mistakes")?);
    let quiz = args.flag("--quiz")?;
    let only = args.given("--ip")?.map(|Only(ip)| ip);
    let style = shown::style(&mut args)?;
    let lang = style.lang;
    let file = args.given::<String>("--html")?;
    let address = args.given_or::<HostPort>("--live", live::DEFAULT)?;
    let mut chosen = Vec::new();
    while let Some(name) = args.operand()? {
        let lesson = lessons::find(&name).ok_or_else(|| {
            let name = narration::escape(name.as_encoded_bytes());
            let all = lessons::ALL.each_ref().map(|lesson| lesson.name).join(" ");
            let unknown = words!(
                "unknown lesson '{name}': it is one of {all}; see 'demo --list'",
                "没有“{name}”这一课：应为 {all} 之一；“demo --list”列出全部内容"
            );
            args::usage(unknown.to(lang))
        })?;
        if !chosen.iter().any(|other: &&Lesson| other.name == lesson.name) {
            chosen.push(lesson);
        }
    }
    if chosen.is_empty() {
        chosen.extend(lessons::ALL.iter().filter(|_| list || !wrong));
        chosen.extend(mistakes::ALL.iter().filter(|_| list || wrong));
    }
    if list && (quiz || step || file.is_some() || address.is_some()) {
        let why = Words::fixed(
            "--list plays nothing: it cannot be used with --quiz, --step, --html or --live",
            "--list 什么也不演示：不能与 --quiz、--step、--html、--live 同用",
        );
        return Err(args::usage(why.to(lang)));
    }
    if list {
        return introduce(&chosen, lang);
    }
    cleanup::close_on_interrupt()?;
    let page = file.as_deref().map(Wanted::page).transpose()?;
    let mut course = Runner::new(style, Audience { step, quiz });
    let addresses = match only {
        Some(ip) => vec![ip],
        // The answers over IPv6 are those over IPv4.
        None if quiz => LOOPBACK[..1].to_vec(),
        None => LOOPBACK.to_vec(),
    };
    let go_on = (step || quiz).then_some(audience::go_on as live::GoOn);
    let live = shown::go_live(address.as_ref(), course.story(), cover(), style, go_on)?;
    build::build()?;
    let greeted = greet(&chosen, &addresses, style, quiz);
    let is_left = match greeted.and_then(|()| play(&chosen, &addresses, &mut course)) {
        // Where nobody watches any more, the page is still wanted.
        Err(e) if e.is::<Left>() || (page.is_some() && narration::reader_left(&e)) => true,
        outcome => outcome.map(|()| false)?,
    };
    if let Some(page) = page.filter(|_| !course.chapters().is_empty()) {
        let name = page.write(&page::html(&cover(), course.chapters(), lang))?;
        style.say(Ink::Bold, &words!("\nThe page is in {name}.", "\n网页已存入 {name}。"))?;
    }
    // What plays the same again; where else it is shown is no part of that.
    let options = [
        (" --quiz", quiz),
        (" --step", step),
        (" --ip 4", only == Some(LOOPBACK[0])),
        (" --ip 6", only == Some(LOOPBACK[1])),
        (" --lang en", lang == Lang::En && lang != Lang::of_locale()),
        (" --lang zh", lang == Lang::Zh && lang != Lang::of_locale()),
        (" --ascii", style.ascii),
    ];
    let again = options.into_iter().filter_map(|(option, is_given)| is_given.then_some(option));
    let outcome = course.sum_up(is_left, &again.collect::<String>());
    shown::stay(live.as_ref(), style);
    outcome
}

fn play(chosen: &[&Lesson], addresses: &[IpAddr], course: &mut Runner) -> Result<()> {
    for lesson in chosen {
        for ip in addresses {
            course.play(lesson, *ip)?;
        }
    }
    Ok(())
}

fn cover() -> Cover {
    let (os, arch) = (consts::OS, consts::ARCH);
    let intro = words!(
        "One run of cargo xtask demo on {os} ({arch}). Everything on this page except the legend was recorded.",
        "在 {os}（{arch}）上运行一次 cargo xtask demo 的记录。除图例以外，页面内容全部来自这次运行。"
    );
    Cover { title: Words::fixed("Socket lessons, recorded", "套接字实验实录"), intro, is_bare: false }
}

/// Prints the lessons' names and claims, lessons and mistakes apart.
fn introduce(chosen: &[&Lesson], lang: Lang) -> Result<()> {
    let lessons = Words::fixed("Lessons, with the notes' claims:", "各课名称，以及每课所讲的笔记说法：");
    let mistakes = Words::fixed(
        "Mistakes in the notes' code (play one by name, or all with --mistakes):",
        "笔记代码里的错误（写出名字演示其中一个，或用 --mistakes 演示全部）：",
    );
    for group in chosen.chunk_by(|a, b| a.is_mistake() == b.is_mistake()) {
        say(if group[0].is_mistake() { &mistakes } else { &lessons }.to(lang))?;
        for lesson in group {
            for (number, (claim, words)) in lesson.claims.iter().enumerate() {
                let name = if number == 0 { lesson.name } else { "" };
                let text = words.to(lang).replace('\n', &format!("\n{:20}", ""));
                say(&format!("  {name:13}{claim:4} {text}"))?;
            }
        }
    }
    Ok(())
}

/// Introduces the demo and its signs.
fn greet(chosen: &[&Lesson], addresses: &[IpAddr], style: Style, quiz: bool) -> Result<()> {
    let is_all = chosen.len() == lessons::ALL.len() && !chosen.iter().any(|lesson| lesson.is_mistake());
    let count = chosen.len();
    if is_all {
        let what = words!(
            "{count} lessons about sockets, on real sockets of this machine's loopback; Ctrl-C ends the demo.",
            "{count} 课套接字演示，用的是本机环回接口上真实的套接字；按 Ctrl-C 结束。"
        );
        style.explain(Ink::Bold, &what)?;
    }
    let how = if quiz {
        Some(Words::fixed(
            "Each lesson asks before it shows, over one IP version; Enter alone skips a question, 'q' leaves.",
            "每课先提问，再演示，只用一个 IP 版本；只按回车跳过一题，q 退出。",
        ))
    } else if is_all && addresses.len() > 1 {
        Some(Words::fixed(
            "Each lesson runs over IPv4, then over IPv6 ('--step' waits for Enter, '--list' lists the lessons).",
            "每课先用 IPv4，再用 IPv6（--step 逐步等待回车，--list 列出各课内容）。",
        ))
    } else {
        None
    };
    how.map_or(Ok(()), |how| style.explain(Ink::Bold, &how))?;
    let signs = Words::fixed(
        "> says what happens next; ✓ is a check that passed, ✗ a check that failed.\n\
         The lanes show what the programs print, the arrows between them what crosses the wire; an arrow\n\
         with ✗ at its end is data that was lost or delayed. If two lines are less than two milliseconds\n\
         apart, their order may be wrong: a printed line is seen slightly later than bytes on the wire.",
        "> 说明接下来做什么；✓ 是通过的检查，✗ 是失败的检查。\n\
         两侧是程序打印的内容，中间的箭头是线路上经过的数据；末端是 ✗，表示丢失或暂时扣住。\n\
         两行相差不到两毫秒，先后就可能画反：程序打印的内容，看到得比线路上的字节稍晚。",
    );
    style.explain(Ink::Faint, &signs)
}
