//! What it is measured on.

use std::env::consts;
use std::fs;
use std::thread;

use anyhow::Result;

use super::sides::python_here;
use crate::tasks::json;
use crate::words::Words;

/// The machine, and how the programs are built.
pub struct Machine {
    kernel: String,
    cpu: String,
    cores: usize,
    is_optimised: bool,
    python: Option<&'static str>,
}

impl Machine {
    /// This one.
    ///
    /// # Errors
    /// When it does not tell how many cores it has.
    pub fn here(is_optimised: bool) -> Result<Self> {
        let text = |file| fs::read_to_string(file).unwrap_or_default();
        let cpus = text("/proc/cpuinfo");
        let model = cpus.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
        Ok(Self {
            kernel: text("/proc/sys/kernel/osrelease").trim_end().into(),
            cpu: model.map_or("", |(_, model)| model).into(),
            cores: thread::available_parallelism()?.get(),
            is_optimised,
            python: python_here().map(|(_, version)| version.as_str()),
        })
    }

    /// In a sentence, of two lines.
    pub fn sentence(&self) -> Words {
        let Self { kernel, cpu, cores, .. } = self;
        let (os, arch) = (consts::OS, consts::ARCH);
        let Words { en: build, zh: build_zh } = if self.is_optimised {
            Words::fixed("a release build", "release 构建")
        } else {
            Words::fixed("a debug build, which costs more", "debug 构建，开销偏大")
        };
        let Words { en: python, zh: python_zh } = match self.python {
            Some(version) => words!("Python {version}", "Python {version}"),
            None => Words::fixed("no python3", "没有 python3"),
        };
        let on = if cpu.is_empty() { arch.into() } else { format!("{arch}, {cpu}") };
        words!(
            "Measured on {os} {kernel}, {cores} cores ({on}), all of it over 127.0.0.1:\n{build}, {python}.",
            "测量环境：{os} {kernel}，{cores} 核（{on}），全部经由 127.0.0.1；\n{build_zh}，{python_zh}。"
        )
    }

    /// For a machine.
    pub fn json(&self) -> String {
        let text = |text: &str| json::string(text);
        json::object(&[
            ("os", text(consts::OS)),
            ("arch", text(consts::ARCH)),
            ("kernel", text(&self.kernel)),
            ("cpu", text(&self.cpu)),
            ("cores", self.cores.to_string()),
            ("build", text(if self.is_optimised { "release" } else { "debug" })),
            ("python", self.python.map_or("null".into(), text)),
        ])
    }
}
