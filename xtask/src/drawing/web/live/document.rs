//! The page around the pieces, and what it is allowed to do.

use crate::drawing::web::markup::{joined, text};
use crate::drawing::web::page::{self, CSS, Cover, DARK, DARK_WHEN};
use crate::drawing::web::pieces::ladder;
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

/// The page without pieces; with a token, it can continue the demo.
pub fn html(cover: &Cover, nonce: &str, token: &str, lang: Lang) -> String {
    let to = |en, zh| if lang == Lang::Zh { zh } else { en };
    let (title, intro) = (text(cover.title.to(lang)), text(cover.intro.to(lang)));
    let button = |id: &str, key: &str, words: &str| {
        format!("<button type=\"button\" id=\"{id}\" aria-keyshortcuts=\"{key}\">{words}</button>\n")
    };
    [
        &*page::head(&title, lang),
        &format!("<style nonce=\"{nonce}\">\n{CSS}{STYLE}</style>\n"),
        &format!("<style nonce=\"{nonce}\" id=\"dark\" media=\"{DARK_WHEN}\">\n{DARK}</style>\n</head>\n"),
        &format!(
            "<body data-token=\"{token}\">\n<header>\n<h1>{title}</h1>\n<p>{intro}</p>\n</header>\n{}",
            cover.main()
        ),
        &help(!token.is_empty(), cover.is_bare, lang),
        &format!(
            "<noscript><p>{}</p></noscript>\n",
            to("This page needs JavaScript.", "本页需要启用 JavaScript。")
        ),
        &format!(
            "<div id=\"story\" role=\"log\" aria-live=\"off\" aria-label=\"{}\"></div>\n",
            to("Story", "过程")
        ),
        &format!("</main>\n<footer aria-label=\"{}\">\n", to("Controls", "控制")),
        &format!("<span id=\"state\" role=\"status\"{}></span>\n", states(!token.is_empty(), lang)),
        "<span id=\"said\" class=\"twin\" role=\"status\"></span>\n",
        &button("hold", "Space", to("hold/follow", "暂停/滚动")),
        &button("smaller", "-", "A−"),
        &button("larger", "+", "A+"),
        &button("shade", "d", to("dark/light", "深/浅")),
        &format!("</footer>\n<template id=\"ladder\">{}</template>\n", ladder("", lang)),
        &format!("<script nonce=\"{nonce}\">\n{SCRIPT}</script>\n</body>\n</html>\n"),
    ]
    .concat()
}

/// The keys and the legend, folded away.
fn help(may_go_on: bool, is_bare: bool, lang: Lang) -> String {
    let to = |en, zh| if lang == Lang::Zh { zh } else { en };
    let keys = to(
        "Space stops and starts automatic scrolling. The arrow keys move line by line, PageUp and PageDown act by act, \
         Home and End to the beginning and the end; + and - change the size, D switches between dark and light.",
        "空格键停止或恢复自动滚动；方向键逐行移动，PageUp、PageDown 逐步移动，Home、End 到首尾；+、- 调整字号，D 切换深浅色。",
    );
    let next = if may_go_on {
        to(" PageDown at the end continues the demo.", "在末尾按 PageDown，演示也会继续。")
    } else {
        ""
    };
    let (name, legend) = (to("Keys and signs", "按键与图例"), page::legend(is_bare, lang));
    format!("<details>\n<summary>{name}</summary>\n<p>{keys}{next}</p>\n{legend}</details>\n")
}

/// What the page says of itself, for its script.
fn states(may_go_on: bool, lang: Lang) -> String {
    let to = |en, zh| if lang == Lang::Zh { zh } else { en };
    let waiting = if may_go_on {
        to("waiting: PageDown continues", "等待中：按 PageDown 继续")
    } else {
        to("waiting", "等待中")
    };
    let states = [
        ("following", to("following", "自动滚动")),
        ("held", to("held", "已暂停")),
        ("waiting", waiting),
        ("lost", to("disconnected; the content stays", "连接已断开；已有内容保留")),
        ("over", to("the end; the content stays", "已结束；内容保留")),
    ];
    joined(states.iter().map(|(state, words)| format!(" data-{state}=\"{}\"", text(words))))
}
