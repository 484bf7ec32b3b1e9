//! The page around the pieces, and what it is allowed to do.

use super::Show;
use crate::drawing::web::page::{self, CSS, DARK, DARK_WHEN};
use crate::drawing::web::pieces::{joined, ladder, text};
use crate::words::Lang;

const STYLE: &str = include_str!("live.css");
const SCRIPT: &str = include_str!("live.js");

/// Allows only the page's own script, style and stream.
pub fn policy(nonce: &str) -> String {
    format!(
        "Content-Security-Policy: default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; \
         connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'\r\n"
    )
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Viewer {
    /// Goes on and answers.
    Presenter,
    /// Votes, in a run in which somebody else goes on.
    Voter,
    Watcher,
}

/// The page of a run without pieces.
pub fn html(show: &Show, nonce: &str, viewer: Viewer) -> String {
    let Show { cover, run, lang, .. } = show;
    let lang = *lang;
    let to = |en, zh| lang.pick(en, zh);
    let (title, intro) = (text(cover.title.to(lang)), text(cover.intro.to(lang)));
    let button = |id: &str, key: &str, words: &str| {
        format!("<button type=\"button\" id=\"{id}\" aria-keyshortcuts=\"{key}\">{words}</button>\n")
    };
    let (mut token, mut presenters) = ("", String::new());
    if viewer == Viewer::Presenter {
        token = &show.token;
        presenters = format!("<span id=\"score\" data-words=\"{}\"></span>\n", to("score", "得分"));
        presenters += &button("next", "PageDown", to("▶ go on", "▶ 继续"));
    }
    let needs = to("This page needs JavaScript.", "本页需要启用 JavaScript。");
    let (story, controls) = (to("Story", "过程"), to("Controls", "控制"));
    let states = [
        ("following", to("following", "自动滚动")),
        ("held", to("scrolling by hand", "手动滚动")),
        ("step", to("paused", "已暂停")),
        ("prediction", to("waiting for predictions", "等待预测")),
        ("refused", to("not counted", "没有计入")),
        ("lost", to("disconnected; trying again", "连接已断开，正在重试")),
        ("over", to("ended; waiting for the next command", "已结束；等待下一条命令")),
    ];
    let states = joined(states.iter().map(|(state, words)| format!(" data-{state}=\"{}\"", text(words))));
    [
        &*page::head(&title, lang),
        &format!("<style nonce=\"{nonce}\">\n{CSS}{STYLE}</style>\n"),
        &format!("<style nonce=\"{nonce}\" id=\"dark\" media=\"{DARK_WHEN}\">\n{DARK}</style>\n</head>\n"),
        &format!(
            "<body data-run=\"{run}\" data-token=\"{token}\">\n<header>\n<h1>{title}</h1>\n<p>{intro}</p>\n</header>\n{}",
            cover.main()
        ),
        &help(viewer, cover.is_bare, lang),
        &format!("<noscript><p>{needs}</p></noscript>\n"),
        &format!("<div id=\"story\" role=\"log\" aria-live=\"off\" aria-label=\"{story}\"></div>\n"),
        &format!("</main>\n<footer aria-label=\"{controls}\">\n"),
        &format!("<span id=\"state\" role=\"status\"{states}></span>\n"),
        "<span id=\"said\" class=\"twin\" role=\"status\"></span>\n",
        &presenters,
        &button("hold", "Space", to("stop/scroll", "停止/滚动")),
        &button("smaller", "-", "A−"),
        &button("larger", "+", "A+"),
        &button("shade", "d", to("dark/light", "深/浅")),
        &format!("</footer>\n<template id=\"ladder\">{}</template>\n", ladder("", lang)),
        &format!("<script nonce=\"{nonce}\">\n{SCRIPT}</script>\n</body>\n</html>\n"),
    ]
    .concat()
}

/// The keys and the legend, folded away.
fn help(viewer: Viewer, is_bare: bool, lang: Lang) -> String {
    let to = |en, zh| lang.pick(en, zh);
    let next = match viewer {
        Viewer::Presenter => to(
            " At the end, PageDown, Enter and the right arrow continue the demo, as the button does; digits answer a \
             question. A remote's PageDown and PageUp work; F5, Escape, the period and B do nothing.",
            "到了末尾，PageDown、回车、右方向键和按钮一样，让演示继续；数字键回答题目。翻页笔的 PageDown、PageUp 可用；\
             F5、Escape、句点和 B 不起作用。",
        ),
        Viewer::Voter => to(
            " While a question is open, tap your answer: your vote has no name, and you can change it until the \
             question is closed.",
            "题目开放时，点选你的答案：投票不记名，题目关闭以前可以改。",
        ),
        Viewer::Watcher => "",
    };
    let keys = to(
        "Space stops and starts automatic scrolling. The up and down arrows move line by line, PageUp and PageDown (or \
         the left and right arrows) act by act, Home and End to the beginning and the end; + and - change the size, D \
         switches between dark and light.",
        "空格键停止或恢复自动滚动；上下方向键逐行移动，PageUp、PageDown（或左右方向键）逐步移动，Home、End 到首尾；\
         +、- 调整字号，D 切换深浅色。",
    );
    let (name, legend) = (to("Keys and signs", "按键与图例"), page::legend(is_bare, lang));
    format!("<details>\n<summary>{name}</summary>\n<p>{keys}{next}</p>\n{legend}</details>\n")
}
