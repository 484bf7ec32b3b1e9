//! The machine that it is measured on.

use std::env::consts;
use std::fs;
use std::thread;

use anyhow::Result;
use common::narration::escape;

use super::variants::python_here;
use crate::words::Words;

/// The machine, and how the programs are built, as long as the names are.
pub fn sentence(is_optimised: bool) -> Result<Words> {
    let text = |file| fs::read_to_string(file).unwrap_or_default();
    let clean = |name: &str| escape(name.split_whitespace().collect::<Vec<_>>().join(" ").as_bytes());
    let (os, kernel) = (consts::OS, clean(&text("/proc/sys/kernel/osrelease")));
    let cores = thread::available_parallelism()?.get();
    let unit = if cores == 1 { "core" } else { "cores" };
    // ARM's list of CPUs has no such line.
    let cpus = text("/proc/cpuinfo");
    let model = cpus.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    let on =
        consts::ARCH.to_owned() + &model.map_or(String::new(), |(_, model)| format!(", {}", clean(model)));
    let Words { en: build, zh: build_zh } = if is_optimised {
        Words::fixed("a release build", "release 构建")
    } else {
        Words::fixed("a debug build, which costs more", "debug 构建，开销偏大")
    };
    let Words { en: python, zh: python_zh } = match python_here() {
        Some((_, version)) => words!("Python {version}", "Python {version}"),
        None => Words::fixed("no python3", "没有 python3"),
    };
    Ok(words!(
        "Measured on {os} {kernel}, {cores} {unit} ({on}), all of it over 127.0.0.1: {build}, {python}.",
        "测量环境：{os} {kernel}，{cores} 核（{on}），全部经由 127.0.0.1；{build_zh}，{python_zh}。"
    ))
}
