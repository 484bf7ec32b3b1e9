//! The machine that it is measured on.

use std::env::consts;
use std::fs;
use std::thread;

use anyhow::Result;
use common::narration::escape;

use super::variants::python_here;
use crate::tasks::json::{object, string};
use crate::words::Words;

/// The machine, and how the programs are built.
pub struct Machine {
    kernel: String,
    /// Empty where nothing tells.
    cpu: String,
    cores: usize,
    is_optimised: bool,
    python: Option<&'static str>,
}

impl Machine {
    /// This one.
    pub fn here(is_optimised: bool) -> Result<Self> {
        let text = |file| fs::read_to_string(file).unwrap_or_default();
        // Some names are padded with spaces.
        let clean = |name: &str| escape(name.split_whitespace().collect::<Vec<_>>().join(" ").as_bytes());
        Ok(Self {
            kernel: clean(&text("/proc/sys/kernel/osrelease")),
            cpu: clean(cpu_in(&text("/proc/cpuinfo"))),
            cores: thread::available_parallelism()?.get(),
            is_optimised,
            python: python_here().map(|(_, version)| version.as_str()),
        })
    }

    /// In two lines, which are as long as the names are.
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
        let unit = if *cores == 1 { "core" } else { "cores" };
        words!(
            "Measured on {os} {kernel}, {cores} {unit} ({on}), all of it over 127.0.0.1: {build}, {python}.",
            "测量环境：{os} {kernel}，{cores} 核（{on}），全部经由 127.0.0.1；{build_zh}，{python_zh}。"
        )
    }

    /// As JSON.
    pub fn json(&self) -> String {
        object(&[
            ("os", string(consts::OS)),
            ("arch", string(consts::ARCH)),
            ("kernel", string(&self.kernel)),
            ("cpu", string(&self.cpu)),
            ("cores", self.cores.to_string()),
            ("build", string(if self.is_optimised { "release" } else { "debug" })),
            ("python", self.python.map_or("null".into(), string)),
        ])
    }
}

/// What a list of CPUs calls them: x86 has a model's name; ARM has a board's at most; others have none.
fn cpu_in(cpus: &str) -> &str {
    let named = |name| {
        let pairs = cpus.lines().filter_map(|line| line.split_once(':'));
        pairs.filter(|(key, _)| key.trim() == name).map(|(_, value)| value.trim()).next()
    };
    ["model name", "Model", "Hardware"].into_iter().find_map(named).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARM: &str = "processor\t: 0\nBogoMIPS\t: 108.00\nCPU implementer\t: 0x41\nCPU part\t: 0xd08\n";

    #[test]
    fn a_cpu_has_the_name_that_the_list_gives_it() {
        for (cpus, name) in [
            ("model name\t: AMD EPYC\nmodel\t\t: 17\nmodel name\t: other\n", "AMD EPYC"),
            (ARM, ""),
            ("Hardware\t: BCM2711\nModel\t\t: Raspberry Pi 4\n", "Raspberry Pi 4"),
            ("Hardware\t: BCM2711\n", "BCM2711"),
            ("no colon", ""),
        ] {
            assert_eq!(cpu_in(cpus), name);
        }
    }
}
