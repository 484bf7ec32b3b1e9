//! The works, a row each: what is done, by which variants, how many at once, and what is counted.

use super::load::{self, Measured};
use super::variants::Variant::{self, Baseline, Notes, Ours, Ready};
use crate::words::Words;

/// Something that several variants of a program do, so that one can compare what it costs each.
pub struct Workload {
    pub name: &'static str,
    /// What is done, as a page's chapter says what it is about.
    pub claims: [(&'static str, Words); 1],
    pub variants: &'static [Variant],
    /// How many clients, datagrams or pieces at once: with more than one number, the chart is a curve.
    pub places: &'static [u32],
    /// Whether the load and the server share one core, so that the scheduler has no choice.
    pub is_on_one_core: bool,
    pub across: Words,
    pub figures: &'static [Figure; 2],
    pub promise: &'static Words,
    pub measure: fn(Variant, u32) -> anyhow::Result<Measured>,
}

/// A cost: its name in JSON (what, and the unit), and its title.
pub type Figure = (&'static str, Words);

#[rustfmt::skip]
static ANSWER: [Figure; 2] = [
    ("time_us", Words::fixed("time for an answer, in µs", "每个应答的时间，单位 µs")),
    ("cpu_us", Words::fixed("the server's CPU for an answer, in µs", "每个应答占用服务器的 CPU，单位 µs")),
];
#[rustfmt::skip]
static CLIENT: [Figure; 2] = [
    ("time_us", Words::fixed("time for a client, in µs", "每个客户端的时间，单位 µs")),
    ("cpu_us", Words::fixed("the server's CPU for a client, in µs", "每个客户端占用服务器的 CPU，单位 µs")),
];
#[rustfmt::skip]
static SILENT_CLIENT: [Figure; 2] = [
    ("bytes", Words::fixed("the server's memory for a client, in bytes", "每个客户端占用服务器的内存，单位字节")),
    ("threads", Words::fixed("the server's threads for a client", "每个客户端占用服务器的线程数")),
];
#[rustfmt::skip]
static PAGE: [Figure; 2] = [
    ("time_ms", Words::fixed("time for a page, in ms", "每个网页的时间，单位 ms")),
    ("cpu_ms", Words::fixed("the client's CPU for a page, in ms", "每个网页占用客户端的 CPU，单位 ms")),
];

static ANSWERED: Words = Words::fixed("each answer was the right one", "每个应答都正确");
static WELCOMED: Words = Words::fixed("each client was welcomed", "每个客户端都收到了欢迎");
static FETCHED: Words = Words::fixed("each client ended well", "每个客户端进程都正常结束");

const KIBIBYTES: Words = Words::fixed("KiB", "KiB");
const CLIENTS: Words = Words::fixed("clients at once", "同时在线的客户端数");
const USUAL: &[Variant] = &[Ours, Baseline, Notes];
const CHURN: &[Variant] = &[Ours, Baseline, Ready, Notes];

/// All works, in the order in which they are measured.
#[rustfmt::skip]
pub static ALL: [Workload; 10] = [
    on_one_core(tcp("tcp-1", &[1], Words::fixed(
        "One TCP client that asks as soon as it is answered, on one core: what an exchange costs.",
        "一个 TCP 客户端，收到应答就接着问，只用一个核：一问一答的开销。"))),
    tcp("tcp-64", &[64], Words::fixed(
        "64 TCP clients, each of which asks as soon as it is answered: a class.",
        "64 个 TCP 客户端，各自收到应答就接着问：一个班。")),
    tcp("tcp-1000", &[1000], Words::fixed(
        "1,000 such clients: a thousand threads.",
        "1000 个这样的客户端：一千个线程。")),
    work("churn", &[64], CHURN, CLIENTS, (&CLIENT, &ANSWERED, load::churn), Words::fixed(
        "64 TCP clients at once: each connects, asks once and leaves. A thread is started for each.",
        "同时 64 个 TCP 客户端，各自连接、问一次就离开：每一个都要启动一个线程。")),
    work("idle", &[1000], USUAL, CLIENTS, (&SILENT_CLIENT, &WELCOMED, load::idle), Words::fixed(
        "1,000 TCP clients that have been welcomed and are silent: what waiting costs.",
        "1000 个 TCP 客户端，收到欢迎之后不说话：等待的开销。")),
    on_one_core(udp("udp-1", &[1], Words::fixed(
        "One datagram after another, each sent when the one before was answered, on one core.",
        "数据报一个接一个，前一个有了应答才发下一个，只用一个核。"))),
    udp("udp-32", &[32], Words::fixed(
        "32 datagrams on their way at any time.",
        "任何时候都有 32 个数据报在途。")),
    work("get", &[65_536], USUAL, KIBIBYTES, (&PAGE, &FETCHED, load::get), Words::fixed(
        "A client gets a page of 64 MiB, and throws it away (/dev/null).",
        "一个客户端取 64 MiB 的网页，随即丢弃（/dev/null）。")),
    work("start", &[1], USUAL, KIBIBYTES, (&PAGE, &FETCHED, load::get), Words::fixed(
        "A process starts, gets a page of 1 KiB and ends.",
        "一个进程启动，取 1 KiB 的网页，然后结束。")),
    on_one_core(tcp("curve", &[1, 8, 64, 512, 4096], Words::fixed(
        "1 to 4,096 TCP clients that ask as soon as they are answered, on one core: what more threads cost.",
        "1 到 4096 个 TCP 客户端，各自收到应答就接着问，只用一个核：线程越多，开销如何。"))),
];

type Measure = (&'static [Figure; 2], &'static Words, fn(Variant, u32) -> anyhow::Result<Measured>);

const fn work(
    name: &'static str,
    places: &'static [u32],
    variants: &'static [Variant],
    across: Words,
    (figures, promise, measure): Measure,
    what: Words,
) -> Workload {
    let claims = [("-", what)];
    Workload { name, claims, variants, places, is_on_one_core: false, across, figures, promise, measure }
}

const fn tcp(name: &'static str, places: &'static [u32], what: Words) -> Workload {
    work(name, places, USUAL, CLIENTS, (&ANSWER, &ANSWERED, load::tcp), what)
}

const fn udp(name: &'static str, places: &'static [u32], what: Words) -> Workload {
    let across = Words::fixed("datagrams on their way", "在途的数据报数");
    work(name, places, USUAL, across, (&ANSWER, &ANSWERED, load::udp), what)
}

const fn on_one_core(mut work: Workload) -> Workload {
    work.is_on_one_core = true;
    work
}
