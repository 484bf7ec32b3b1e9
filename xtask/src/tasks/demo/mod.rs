//! `cargo xtask demo`: plays lessons over IPv4 and IPv6, and sums up.

mod row;

use std::env::consts;

use anyhow::{Result, bail};
use common::address::HostPort;
use common::args::{self, Args};
use common::narration::{self, say};
use common::text;

use super::shown;
use super::wanted::Wanted;
use crate::drawing::entry::Entry;
use crate::drawing::live;
use crate::drawing::page::{self, Cover};
use crate::drawing::style::{Ink, Style};
use crate::lessons::{self, Lesson, mistakes};
use crate::play::audience::{self, Left};
use crate::play::runner::Runner;
use crate::programs::{build, cleanup};
use crate::words::{Lang, Words};
use row::Row;

/// Plays the named lessons, or all of them, or the rows of a plan.
pub fn run(mut args: Args) -> Result<()> {
    let list = args.flag("--list")?;
    let plan = args.given::<String>("--plan")?;
    let style = shown::style(&mut args)?;
    let lang = style.lang;
    let file = args.given::<String>("--html")?;
    let address = args.given_or::<HostPort>("--live", live::DEFAULT)?;
    let row = Row::parse(&mut args)?;
    let is_led = row.audience.quiz || row.audience.step || plan.is_some();
    if list && (is_led || file.is_some() || address.is_some()) {
        return Err(args::usage(text!(
            "--list plays nothing: it cannot be used with --quiz, --step, --plan, --html or --live",
            "--list 什么也不演示：不能与 --quiz、--step、--plan、--html、--live 同用"
        )));
    }
    if list {
        let all = || lessons::ALL.iter().chain(&mistakes::ALL).collect();
        return introduce(&if row.named.is_empty() { all() } else { row.named }, lang);
    }
    let rows = if let Some(file) = &plan { row::plan(file, &row)? } else { vec![row] };
    cleanup::close_on_interrupt()?;
    let mut page = file.map(|file| Wanted::open("--html", &file, "html")).transpose()?;
    let mut course = Runner::new(style, rows[0].audience);
    let live = shown::go_live(address.as_ref(), &course.story, cover(), style, is_led)?;
    build::build()?;
    let (mut outcome, mut failed) = (Ok(()), 0);
    for (at, row) in rows.iter().enumerate() {
        let begun = if at == 0 { greet(style) } else { wait_for(row, &mut course, style) };
        let is_left =
            match begun.and_then(|()| row.plays().try_for_each(|(lesson, ip)| course.play(lesson, ip))) {
                // Where nobody watches any more, the page is still wanted.
                Err(e) if e.is::<Left>() || (page.is_some() && narration::reader_left(&e)) => true,
                outcome => outcome.map(|()| false)?,
            };
        let is_last = is_left || at + 1 == rows.len();
        if let Some(page) = page.take_if(|_| is_last && !course.chapters.is_empty()) {
            let name = page.write(&page::html(&cover(), &course.chapters, lang))?;
            style.say(Ink::Bold, &words!("\nThe page is in {name}.", "\n网页已存入 {name}。"))?;
        }
        outcome = course.sum_up(is_left, &row.again(style));
        if let (Some(_), Err(e)) = (&plan, &outcome) {
            narration::complain(&format!("{e:#}"));
            (outcome, failed) = (Ok(()), failed + 1);
        }
        if is_left {
            break;
        }
    }
    shown::stay(live.as_ref(), style);
    if failed > 0 {
        bail!(text!("checks failed in {failed} of the plan's rows", "计划里有 {failed} 行的检查没有通过"));
    }
    outcome
}

/// Between two rows of a plan: says which one is next, and waits for Enter.
fn wait_for(row: &Row, course: &mut Runner, style: Style) -> Result<()> {
    let typed = &row.typed;
    course.story.tell(Entry::Hint(words!("next: demo {typed}", "接下来：demo {typed}")))?;
    course.begin(row.audience);
    audience::wait(style, &course.story)
}

fn cover() -> Cover {
    let (os, arch) = (consts::OS, consts::ARCH);
    let intro = words!(
        "One run of cargo xtask demo on {os} ({arch}). Everything on this page except the legend was recorded.",
        "在 {os}（{arch}）上运行一次 cargo xtask demo 的记录。除图例以外，页面内容全部来自这次运行。"
    );
    Cover { title: Words::fixed("Socket lessons, recorded", "套接字实验实录"), intro, is_bare: false }
}

fn introduce(chosen: &[&Lesson], lang: Lang) -> Result<()> {
    for group in chosen.chunk_by(|a, b| a.is_mistake() == b.is_mistake()) {
        say(if group[0].is_mistake() {
            lang.pick(
                "Mistakes in the notes' code (play one by name, or all with --mistakes):",
                "笔记代码里的错误（写出名字演示其中一个，或用 --mistakes 演示全部）：",
            )
        } else {
            lang.pick("Lessons, with the notes' claims:", "各课名称，以及每课所讲的笔记说法：")
        })?;
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

fn greet(style: Style) -> Result<()> {
    let signs = Words::fixed(
        "> says what happens next; ✓ is a check that passed, ✗ a check that failed.\n\
         The lanes show what the programs print, the arrows between them what crosses the wire; ✗ at the end of an \
         arrow means lost, ‖ means held back until later.\n\
         A printed line is seen slightly later than bytes on the wire. So the order of two lines that are less than \
         two milliseconds apart may be wrong.",
        "> 说明接下来做什么；✓ 是通过的检查，✗ 是失败的检查。\n\
         两侧是程序打印的内容，中间的箭头是线路上经过的数据；箭头末端的 ✗ 表示丢失，‖ 表示扣住、稍后才到。\n\
         两行相差不到两毫秒，先后就可能画反：程序打印的内容，看到得比线路上的字节稍晚。",
    );
    style.explain(Ink::Faint, &signs)
}
