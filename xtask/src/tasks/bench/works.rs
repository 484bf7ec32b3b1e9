//! The works, a row each: what is done, by which variants, how many at once, and what is counted.

use super::load::{self, Measured};
use super::variants::Variant::{self, Baseline, Notes, Ours, Ready};
use crate::words::Words;

/// Something that several variants of a program do, so that one can compare what it costs each.
pub struct Workload {
    pub name: &'static str,
    /// What is done, as a page's chapter says what it is about.
    pub claims: [(&'static str, Words); 1],
    /// How many at once: with more than one number, the chart is a curve.
    pub places: &'static [u32],
    /// Whether the load and the server share one core, so that the scheduler has no choice.
    pub is_on_one_core: bool,
    pub kind: &'static Kind,
}

pub struct Kind {
    pub measure: fn(Variant, u32) -> anyhow::Result<Measured>,
    pub variants: &'static [Variant],
    /// What the places count.
    pub across: Words,
    pub promise: Words,
    pub figures: [Figure; 2],
}

/// A cost: its name in JSON (what, and the unit), and its title in both languages.
pub type Figure = (&'static str, &'static str, &'static str);

const ANSWER: [Figure; 2] = [
    ("time_us", "time for an answer, in µs", "每个应答的时间，单位 µs"),
    ("cpu_us", "the server's CPU for an answer, in µs", "每个应答占用服务器的 CPU，单位 µs"),
];

const ANSWERED: Words = Words::fixed("each answer was the right one", "每个应答都正确");
const CLIENTS: Words = Words::fixed("clients at once", "同时在线的客户端数");
const USUAL: &[Variant] = &[Ours, Baseline, Notes];

static TCP: Kind =
    Kind { measure: load::tcp, variants: USUAL, across: CLIENTS, promise: ANSWERED, figures: ANSWER };
static CHURN: Kind = Kind {
    measure: load::churn,
    variants: &[Ours, Baseline, Ready, Notes],
    across: CLIENTS,
    promise: ANSWERED,
    figures: [
        ("time_us", "time for a client, in µs", "每个客户端的时间，单位 µs"),
        ("cpu_us", "the server's CPU for a client, in µs", "每个客户端占用服务器的 CPU，单位 µs"),
    ],
};
static IDLE: Kind = Kind {
    measure: load::idle,
    variants: USUAL,
    across: CLIENTS,
    promise: Words::fixed("each client was welcomed", "每个客户端都收到了欢迎"),
    figures: [
        ("bytes", "the server's memory for a client, in bytes", "每个客户端占用服务器的内存，单位字节"),
        ("threads", "the server's threads for a client", "每个客户端占用服务器的线程数"),
    ],
};
static UDP: Kind = Kind {
    measure: load::udp,
    variants: USUAL,
    across: Words::fixed("datagrams on their way", "在途的数据报数"),
    promise: ANSWERED,
    figures: ANSWER,
};
static GET: Kind = Kind {
    measure: load::get,
    variants: USUAL,
    across: Words::fixed("KiB", "KiB"),
    promise: Words::fixed("each client ended well", "每个客户端进程都正常结束"),
    figures: [
        ("time_ms", "time for a page, in ms", "每个网页的时间，单位 ms"),
        ("cpu_ms", "the client's CPU for a page, in ms", "每个网页占用客户端的 CPU，单位 ms"),
    ],
};

#[rustfmt::skip]
pub static ALL: [Workload; 10] = [
    Workload { name: "tcp-1", places: &[1], is_on_one_core: true, kind: &TCP, claims: [("-", Words::fixed(
        "One TCP client that asks as soon as it is answered, on one core: what an exchange costs.",
        "一个 TCP 客户端，收到应答就接着问，只用一个核：一问一答的开销。"))] },
    Workload { name: "tcp-64", places: &[64], is_on_one_core: false, kind: &TCP, claims: [("-", Words::fixed(
        "64 TCP clients, each of which asks as soon as it is answered: a class.",
        "64 个 TCP 客户端，各自收到应答就接着问：一个班。"))] },
    Workload { name: "tcp-1000", places: &[1000], is_on_one_core: false, kind: &TCP, claims: [("-", Words::fixed(
        "1,000 such clients: a thousand threads.",
        "1000 个这样的客户端：一千个线程。"))] },
    Workload { name: "churn", places: &[64], is_on_one_core: false, kind: &CHURN, claims: [("-", Words::fixed(
        "64 TCP clients at once: each connects, asks once and leaves. A thread is started for each.",
        "同时 64 个 TCP 客户端，各自连接、问一次就离开：每一个都要启动一个线程。"))] },
    Workload { name: "idle", places: &[1000], is_on_one_core: false, kind: &IDLE, claims: [("-", Words::fixed(
        "1,000 TCP clients that have been welcomed and are silent: what waiting costs.",
        "1000 个 TCP 客户端，收到欢迎之后不说话：等待的开销。"))] },
    Workload { name: "udp-1", places: &[1], is_on_one_core: true, kind: &UDP, claims: [("-", Words::fixed(
        "One datagram after another, each sent when the one before was answered, on one core.",
        "数据报一个接一个，前一个有了应答才发下一个，只用一个核。"))] },
    Workload { name: "udp-32", places: &[32], is_on_one_core: false, kind: &UDP, claims: [("-", Words::fixed(
        "32 datagrams on their way at any time.",
        "任何时候都有 32 个数据报在途。"))] },
    Workload { name: "get", places: &[65_536], is_on_one_core: false, kind: &GET, claims: [("-", Words::fixed(
        "A client gets a page of 64 MiB, and throws it away (/dev/null).",
        "一个客户端取 64 MiB 的网页，随即丢弃（/dev/null）。"))] },
    Workload { name: "start", places: &[1], is_on_one_core: false, kind: &GET, claims: [("-", Words::fixed(
        "A process starts, gets a page of 1 KiB and ends.",
        "一个进程启动，取 1 KiB 的网页，然后结束。"))] },
    Workload { name: "curve", places: &[1, 8, 64, 512, 4096], is_on_one_core: true, kind: &TCP, claims: [("-", Words::fixed(
        "1 to 4,096 TCP clients that ask as soon as they are answered, on one core: what more threads cost.",
        "1 到 4096 个 TCP 客户端，各自收到应答就接着问，只用一个核：线程越多，开销如何。"))] },
];
