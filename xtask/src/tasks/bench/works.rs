//! The works, as data: what is done, by whom, and what of it is a cost.

use super::load::{self, Measured};
use super::sides::Contestant;
use crate::words::Words;

/// Something that several sides do, so that it can be seen what it costs each.
pub struct Work {
    /// As it is called on the command line.
    pub name: &'static str,
    /// What is done, as a page's chapter says what it is about.
    pub claims: [(&'static str, Words); 1],
    /// Who does it.
    pub sides: &'static [Contestant],
    /// How many of them at once: with more than one number, a curve.
    pub places: &'static [u32],
    /// All of it shares a core, so that the scheduler has no choice.
    pub is_on_one_core: bool,
    /// What is counted.
    pub across: Words,
    /// The two costs.
    pub figures: &'static [Figure; 2],
    /// What is promised of each that was counted.
    pub promise: fn(u64) -> Words,
    /// Does it.
    pub measure: fn(Contestant, u32) -> anyhow::Result<Measured>,
}

/// A cost.
pub struct Figure {
    /// For a machine: what, and the unit.
    pub key: &'static str,
    /// For a reader.
    pub title: Words,
}

static ANSWERS: [Figure; 2] = [
    Figure {
        key: "time_us", title: Words::fixed("time for an answer, in µs", "每个应答的时间，单位 µs")
    },
    Figure {
        key: "cpu_us",
        title: Words::fixed("the server's CPU for an answer, in µs", "每个应答占用服务器的 CPU，单位 µs"),
    },
];
static CONVERSATIONS: [Figure; 2] = [
    Figure {
        key: "time_us", title: Words::fixed("time for a client, in µs", "每个客户端的时间，单位 µs")
    },
    Figure {
        key: "cpu_us",
        title: Words::fixed("the server's CPU for a client, in µs", "每个客户端占用服务器的 CPU，单位 µs"),
    },
];
static SILENCE: [Figure; 2] = [
    Figure {
        key: "bytes",
        title: Words::fixed(
            "the server's memory for a client, in bytes",
            "每个客户端占用服务器的内存，单位字节",
        ),
    },
    Figure {
        key: "threads",
        title: Words::fixed("the server's threads for a client", "每个客户端占用服务器的线程数"),
    },
];
static PAGES: [Figure; 2] = [
    Figure {
        key: "time_ms", title: Words::fixed("time for a page, in ms", "每个网页的时间，单位 ms")
    },
    Figure {
        key: "cpu_ms",
        title: Words::fixed("the client's CPU for a page, in ms", "每个网页占用客户端的 CPU，单位 ms"),
    },
];

const CLIENTS: Words = Words::fixed("clients at once", "同时在线的客户端数");
const TCP: &[Contestant] = &[Contestant::Ours, Contestant::Floor, Contestant::Notes];
/// Where something is narrated for each that is counted.
const NARRATED: &[Contestant] = &[Contestant::Ours, Contestant::Quiet, Contestant::Floor, Contestant::Notes];

fn answered(n: u64) -> Words {
    words!("each of {n} answers was the right one", "{n} 个应答个个正确")
}

fn welcomed(n: u64) -> Words {
    words!("each of {n} clients was welcomed", "{n} 个客户端都收到了欢迎")
}

fn fetched(n: u64) -> Words {
    words!("each of {n} clients ended well", "{n} 个客户端进程都正常结束")
}

/// All works, in the order in which they are measured.
pub static ALL: [Work; 10] = [
    tcp(
        "tcp-1",
        Words::fixed(
            "One TCP client, who asks as soon as it is answered, on one core: what an exchange costs.",
            "一个 TCP 客户端，收到应答就接着问，只用一个核：一问一答的开销。",
        ),
        &[1],
        true,
    ),
    tcp(
        "tcp-64",
        Words::fixed(
            "64 TCP clients, each of whom asks as soon as it is answered: a class.",
            "64 个 TCP 客户端，各自收到应答就接着问：一个班。",
        ),
        &[64],
        false,
    ),
    tcp(
        "tcp-1000",
        Words::fixed("1,000 such clients: a thousand threads.", "1000 个这样的客户端：一千个线程。"),
        &[1000],
        false,
    ),
    Work {
        name: "churn",
        claims: [(
            "-",
            Words::fixed(
                "64 TCP clients at once: each connects, asks once and leaves. A thread is started for each.",
                "同时 64 个 TCP 客户端，各自连接、问一次就离开：每一个都要启动一个线程。",
            ),
        )],
        sides: &[
            Contestant::Ours,
            Contestant::Quiet,
            Contestant::Floor,
            Contestant::Ready,
            Contestant::Notes,
        ],
        places: &[64],
        is_on_one_core: false,
        across: CLIENTS,
        figures: &CONVERSATIONS,
        promise: answered,
        measure: load::churn,
    },
    Work {
        name: "idle",
        claims: [(
            "-",
            Words::fixed(
                "1,000 TCP clients, who have been welcomed and are silent: what waiting costs.",
                "1000 个 TCP 客户端，收到欢迎之后不说话：等待的开销。",
            ),
        )],
        sides: TCP,
        places: &[1000],
        is_on_one_core: false,
        across: CLIENTS,
        figures: &SILENCE,
        promise: welcomed,
        measure: load::idle,
    },
    udp(
        "udp-1",
        Words::fixed(
            "One datagram after the other, each when the one before was answered, on one core.",
            "数据报一个接一个，前一个有了应答才发下一个，只用一个核。",
        ),
        &[1],
        true,
    ),
    udp(
        "udp-32",
        Words::fixed("32 datagrams on their way at any time.", "任何时候都有 32 个数据报在途。"),
        &[32],
        false,
    ),
    Work {
        name: "get",
        claims: [(
            "-",
            Words::fixed(
                "A client gets a page of 64 MiB, and throws it away (/dev/null).",
                "一个客户端取 64 MiB 的网页，随即丢弃（/dev/null）。",
            ),
        )],
        sides: TCP,
        places: &[64],
        is_on_one_core: false,
        across: Words::fixed("MiB", "MiB"),
        figures: &PAGES,
        promise: fetched,
        measure: load::get,
    },
    Work {
        name: "start",
        claims: [(
            "-",
            Words::fixed(
                "A process starts, gets a page of 1 KiB, saves it and ends.",
                "一个进程启动，取 1 KiB 的网页，存好，然后结束。",
            ),
        )],
        sides: TCP,
        places: &[1],
        is_on_one_core: false,
        across: Words::fixed("KiB", "KiB"),
        figures: &PAGES,
        promise: fetched,
        measure: load::start,
    },
    tcp(
        "curve",
        Words::fixed(
            "1 to 4,096 TCP clients, who ask as soon as they are answered, on one core: what more threads cost.",
            "1 到 4096 个 TCP 客户端，各自收到应答就接着问，只用一个核：线程越多，开销如何。",
        ),
        &[1, 8, 64, 512, 4096],
        true,
    ),
];

const fn tcp(name: &'static str, what: Words, places: &'static [u32], is_on_one_core: bool) -> Work {
    Work {
        name,
        claims: [("-", what)],
        sides: TCP,
        places,
        is_on_one_core,
        across: CLIENTS,
        figures: &ANSWERS,
        promise: answered,
        measure: load::tcp,
    }
}

const fn udp(name: &'static str, what: Words, places: &'static [u32], is_on_one_core: bool) -> Work {
    Work {
        name,
        claims: [("-", what)],
        sides: NARRATED,
        places,
        is_on_one_core,
        across: Words::fixed("datagrams on their way", "在途的数据报数"),
        figures: &ANSWERS,
        promise: answered,
        measure: load::udp,
    }
}
