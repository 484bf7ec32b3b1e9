//! Datagrams are lost and arrive out of order; a stream repairs that.

use std::io::{BufRead, BufReader};
use std::process::Command;

use common::address::HostPort;
use common::args::Args;
use common::narration::say;

use super::prelude::*;

#[rustfmt::skip]
pub(super) const LESSON: Lesson = Lesson {
    name: "loss", subject_zh: "丢失与乱序",
    lanes: (Words::fixed("a sender", "发送方"), Words::fixed("a receiver", "接收方")), play,
    claims: &[
        claim("C4", "TCP delivers everything, in order, even when packets are lost.",
                    "即使丢包，TCP 仍按序送达全部数据。"),
        claim("C5", "Datagrams may be lost.",
                    "数据报可能丢失。"),
        claim("C6", "Datagrams may arrive out of order.",
                    "数据报可能乱序到达。"),
    ],
};

fn play(play: &mut Play) -> Result<()> {
    const SENT: u64 = 20_000; // 20 MB: more than any receive queue holds
    play.act(&words!(
        "{SENT} datagrams of 1000 bytes for a receiver that does not read.",
        "向一个不读取的接收方发送 {SENT} 个 1000 字节的数据报。"
    ))?;
    let receiver = UdpSocket::bind(play.loopback())?;
    let at = receiver.local_addr()?;
    let sender = UdpSocket::bind(play.loopback())?;
    for _ in 0..SENT {
        sender.send_to(&[b'x'; 1000], at)?;
    }
    receiver.set_nonblocking(true)?;
    let (mut received, mut dropped) = (0, None);
    within(SETTLED, || {
        while receiver.recv(&mut [0; 1000]).is_ok() {
            received += 1;
        }
        dropped = kernel::sockets(kernel::Protocol::Udp, at).and_then(|rows| Some(rows.first()?.dropped));
        dropped.is_none_or(|dropped| received + dropped == SENT) // on a busy machine, some are still on their way
    });
    let promise = words!(
        "{SENT} sent, {received} received, the kernel counted the others as dropped",
        "发送 {SENT}，收到 {received}，其余的由内核记为丢弃"
    );
    play.checks.kernel_says(promise, dropped.map(|dropped| received + dropped), &SENT);
    let promise = words!("not all of them were received", "并没有全部收到");
    play.checks.holds(promise, (1..SENT).contains(&received), &received);

    play.predict(
        "Seven datagrams, 1 to 7. Loopback keeps their order, so a relay disturbs it: 2 late, 4 lost, 5 twice, 6 late.",
        "七个数据报，1 到 7。它们在环回接口上不会乱序，所以由中继来打乱：2 迟到，4 丢失，5 重复，6 迟到。",
        ("What does the receiver get?", "接收方收到什么？"),
        &[
            ("1 2 3 5 6 7: the kernel sorts them, and drops the second 5", "1 2 3 5 6 7：内核排好顺序，去掉重复的 5"),
            ("1 3 2 5 5 7 6: as they arrive", "1 3 2 5 5 7 6：怎么到达就怎么收到"),
            ("1 2 3 4 5 6 7: the kernel also asks for 4 again", "1 2 3 4 5 6 7：内核还会再要一次 4"),
        ],
        "a datagram has no number: the kernel cannot tell that one is late, missing or there twice.",
        "数据报没有序号：哪个迟到、缺失、重复，内核无从得知。",
    )?;
    let receiver = datagram_socket(play.ip)?;
    let up = [(2, Impairment::Late), (4, Impairment::Lost), (5, Impairment::Twice), (6, Impairment::Late)];
    let wire = play.lab.udp_wire(receiver.local_addr()?, Impairments::numbered(&up, &[]))?;
    let sender = UdpSocket::bind(play.loopback())?;
    for number in 1..=7_u8 {
        sender.send_to(&[b'0' + number], wire)?;
    }
    let mut arrived = String::new();
    for _ in 0..7 {
        let mut byte = [0];
        receiver.recv(&mut byte)?;
        arrived.push(byte[0].into());
    }
    let promise = words!("1 3 2 5 5 7 6 arrive: no kernel sorted them", "收到 1 3 2 5 5 7 6：内核没有排序");
    play.checks.equal(promise, &arrived.as_str(), &"1325576");
    play.reveal((arrived == "1325576").then_some(2));
    real_loss(play)
}

/// The hidden task that runs in the network namespace.
pub const LOSSY: &str = "in-a-lossy-network";

/// C4 under loss: a separate network namespace, in which the kernel drops one packet in five.
fn real_loss(play: &mut Play) -> Result<()> {
    play.act(&words!(
        "A network namespace where a fifth of the data packets is dropped: 200 lines over TCP, 200 datagrams.",
        "另建一个网络命名空间，内核随机丢弃五分之一带数据的分组：经 TCP 发 200 行，经 UDP 发 200 个数据报。"
    ))?;
    let promise = words!("all 200 lines arrived over TCP, in order", "200 行经 TCP 全部按序到达");
    let script = format!(
        // Where ip and nft are; on Debian, only root has that in its PATH.
        "PATH=$PATH:/usr/sbin:/sbin; ip link set lo up && nft -f - && exec \"$0\" {LOSSY} \"$1\""
    );
    let rules = "table inet loss { chain input { type filter hook input priority 0; \
                 meta length > 90 numgen random mod 100 < 20 drop; }; }";
    let output = Command::new("unshare")
        .args(["-rn", "sh", "-c", &format!("echo '{rules}' | ( {script} )")])
        .arg(std::env::current_exe()?)
        .arg(play.loopback().to_string())
        .output();
    let found = output.map(|output| escape(output.stdout.trim_ascii())).unwrap_or_default();
    let Some((tcp, udp)) = found.split_once(' ') else {
        let why = words!(
            "it needs unshare -rn, ip and nft, and a system that lets users create network namespaces",
            "缺 unshare -rn、ip、nft 之一，或者系统不允许普通用户建立网络命名空间"
        );
        play.checks.not_available(promise, why);
        return Ok(());
    };
    play.evidence(&words!("arrived: TCP {tcp} of 200, UDP {udp} of 200", "到达：TCP {tcp}，UDP {udp}"))?;
    play.checks.equal(promise, &tcp, &"200");
    let promise = words!("not all datagrams arrived over UDP", "UDP 的数据报没有全部到达");
    play.checks.holds(promise, udp != "200", &udp);
    Ok(())
}

/// Sends 200 numbered lines over each protocol on loopback, and prints how many arrived: over TCP in
/// order from the first, over UDP in any order.
pub fn in_a_lossy_network(mut args: Args) -> Result<()> {
    const LINES: u32 = 200;
    let any: HostPort = args.operand_or("HOST:PORT", "127.0.0.1:0")?;
    args.finish()?;
    // Longer than the packets of the handshake and the acknowledgements, which are not dropped.
    let line = |number| format!("{number:0>100}");
    let listener = TcpListener::bind(&any)?;
    let at = listener.local_addr()?;
    let sending = thread::spawn(move || {
        let mut stream = TcpStream::connect(at)?;
        stream.set_nodelay(true)?;
        (0..LINES).try_for_each(|number| stream.write_all((line(number) + "\n").as_bytes()))
    });
    let lines = BufReader::new(listener.accept()?.0).lines();
    let tcp = lines
        .zip(0..)
        .take_while(|(found, number)| found.as_ref().is_ok_and(|l| *l == line(*number)))
        .count();
    sending.join().ok().context("the sender panicked")??;

    let (receiver, sender) = (UdpSocket::bind(&any)?, UdpSocket::bind(&any)?);
    for number in 0..LINES {
        let _ = sender.send_to(line(number).as_bytes(), receiver.local_addr()?); // some systems report a drop
    }
    receiver.set_nonblocking(true)?;
    let mut udp = 0;
    while receiver.recv(&mut [0; 128]).is_ok() {
        udp += 1;
    }
    say(&format!("{tcp} {udp}"))?;
    Ok(())
}
