//! Flow control: a reader that does not read stops the writer, and nothing is lost.

use super::prelude::*;

#[rustfmt::skip]
pub const LESSON: Lesson = Lesson {
    name: "flow", subject_zh: "流量控制与接收窗口", lanes: BOTH_SIDES, play,
    claims: &[
        claim("C4", "A stream is reliable and ordered.",
                    "字节流是可靠且有序的。"),
        claim("C17", "send sends the data, or only a part if the buffers are full; write_all sends all.",
                     "send 发送数据，缓冲区满了就只发送一部分；write_all 才发送全部。"),
        claim("C23",
            "Sockets hide flow control: a sender must not send more than the receiver's window\nholds.",
            "套接字隐藏了流量控制：已发送未确认的数据不超过对方通告的接收窗口。"),
        claim("C24", "Sockets hide error detection and congestion control. (Explained here, not shown.)",
                     "套接字隐藏了差错检测和拥塞控制：这里只说明，不演示。"),
    ],
};

/// Several times what both queues hold together.
const SIZE: usize = 16 << 20;

fn play(play: &mut Play) -> Result<()> {
    play.predict(
        "The client writes 16 MiB to a non-blocking socket, with one write; the server does not read.",
        "客户端用一次 write 把 16 MiB 写入一个非阻塞（不等待）的套接字；服务器不读取。",
        ("What happens to the bytes?", "这些字节会怎样？"),
        &[
            ("what fits waits in queues on both sides; write returns how much that is", "放得下的在两边排队，write 返回这是多少"),
            ("all of them are sent; the server's kernel drops what does not fit", "全部发出，服务器的内核丢弃放不下的部分"),
            ("none of them are sent: write returns an error", "一个也不发出：write 返回错误"),
        ],
        "each segment announces the receive window, the room that is left (RFC 9293); if it is 0, the sender waits.",
        "每个报文段都通告接收窗口，即剩余的空间（RFC 9293）；窗口为 0，发送方就等待。",
    )?;
    let (client, mut server) = pair(play.ip)?;
    // A lost, doubled or misplaced byte is noticed.
    let data: Vec<u8> = (0..SIZE).map(|at| (at ^ (at >> 8) ^ (at >> 16)).to_le_bytes()[0]).collect();
    client.set_nonblocking(true)?;
    let taken = (&client).write(&data)?;
    play.said(Side::Client, &words!("write: {taken} of {SIZE} bytes", "write：{SIZE} 字节中收下 {taken}"));
    let promise = words!("one write took a part, and returned how much", "一次写入只收下一部分，并返回多少");
    let is_part = (1..SIZE).contains(&taken);
    play.checks.holds(promise, is_part, &taken);
    let (near, far) = (client.local_addr()?, server.local_addr()?);
    let (mut table, mut waiting) = (None, None);
    let queues = |rows: &[kernel::SocketRow]| Some((rows.first()?.to_send, rows.get(1)?.to_read));
    within(SETTLED, || {
        table = kernel::both_ends(near, far);
        waiting = table.as_deref().and_then(queues);
        table.is_none() || waiting.is_some_and(|(to_send, to_read)| to_send + to_read == taken as u64)
    });
    play.panel(table.as_ref(), &[far])?;
    let promise = words!("both queues hold data", "两个队列里都有数据");
    play.checks.kernel_says(promise, waiting.map(|(to_send, to_read)| to_send > 0 && to_read > 0), &true);
    let promise = words!(
        "they hold every byte: unacknowledged at the sender, or unread at the receiver",
        "全部字节都在两个队列里：发送方还未被确认的，接收方还未读取的"
    );
    let held = waiting.map(|(to_send, to_read)| to_send + to_read);
    play.checks.kernel_says(promise, held, &(taken as u64));
    // Without a table, that write accepted only a part is all that is seen of it.
    let is_right = is_part && held.is_none_or(|held| held == taken as u64);
    play.reveal(is_right.then_some(1));

    play.act(&words!("The server reads, and write_all sends the rest.", "服务器读取，write_all 发完其余。"))?;
    client.set_nonblocking(false)?;
    let rest = data[taken..].to_vec();
    let writing = thread::spawn(move || (&client).write_all(&rest)); // and closes
    let mut received = Vec::with_capacity(SIZE);
    server.read_to_end(&mut received)?;
    writing.join().ok().context("the writer panicked")??;
    let size = received.len();
    play.said(Side::Server, &words!("read to the end: {size} bytes", "读到结束：{size} 字节"));
    let promise = words!("write_all sent the rest; each byte is in place", "write_all 发完其余，字节在原位");
    play.checks.holds(promise, received == data, &size);

    play.act(&words!(
        "Not shown, because loopback is never congested and damages nothing: congestion control and checksums.",
        "环回接口既不会拥塞也不会损坏数据，所以以下两项不演示：拥塞控制、校验和。"
    ))?;
    play.evidence(&words!(
        "each segment has a checksum; a damaged one is dropped, and sent again after a time-out (RFC 9293)",
        "每个报文段都带校验和；损坏的被丢弃，由发送方超时重传（RFC 9293）"
    ))?;
    play.evidence(&words!(
        "a congestion window also limits what is unacknowledged, and grows with acknowledgements (RFC 5681)",
        "发送方还有拥塞窗口，限制已发送未确认的数据；收到确认后增大（RFC 5681）"
    ))
}
