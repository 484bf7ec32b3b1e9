//! What the threads of a program wait for where nothing came, in words: by the kernel, which knows it for certain.

use std::collections::BTreeMap;

use super::candidate::Candidate;
use super::trial::Trial;
use super::words::joined;
use crate::exercises::Waits;
use crate::wire::event::Side;
use crate::wire::kernel::{self, Call, WaitingThread};
use crate::words::Words;

/// How many threads are told.
const MANY: usize = 6;

impl Trial<'_> {
    /// What each thread of the program waits for, where the kernel tells; and in which socket of the peers bytes wait that
    /// nobody reads.
    pub fn waits(&mut self) -> (Waits, Option<Words>) {
        let nothing = (Waits::default(), None);
        let Ok(pids) = self.program().map(Candidate::processes) else { return nothing };
        let Some(threads) = kernel::waits(&pids) else { return nothing };
        let sockets = self.sockets();
        let reading: Vec<_> = threads.iter().filter(|wait| wait.call == Call::Receive).collect();
        let is_hidden = threads.iter().any(|wait| wait.call == Call::Several);
        let seen = Waits {
            is_input_read: reading.iter().any(|wait| wait.is_stdin),
            is_for_others: threads.iter().all(|wait| !matches!(wait.call, Call::Send | Call::Sleep))
                && pids.iter().all(|pid| kernel::is_idle(*pid) == Some(true)),
        };
        // Runtimes that wait for several sockets at once do not tell for which; and so what nobody reads is not known.
        if threads.iter().all(|wait| matches!(wait.call, Call::Several | Call::Thread)) {
            return (seen, None);
        }
        let mut told: Vec<Words> = Vec::new();
        for (at, wait) in (1..).zip(&threads).filter(|(_, wait)| wait.call != Call::Thread) {
            let peer = wait.inode.and_then(|inode| sockets.get(&inode)).map(|(number, _)| *number);
            let Words { en, zh } = self.call(wait, peer);
            told.push(words!("thread {at} in {en}", "线程 {at} 在 {zh}"));
        }
        if told.len() > MANY {
            let more = told.len() - MANY;
            told.truncate(MANY);
            told.push(words!("{more} more threads", "另外 {more} 个线程"));
        }
        let is_awaited = |inode: u64| reading.iter().any(|wait| wait.inode == Some(inode));
        let unread =
            sockets.iter().filter(|(inode, (_, size))| *size > 0 && !is_hidden && !is_awaited(**inode));
        for (_, (number, size)) in unread {
            let Words { en, zh } = self.label(*number);
            told.push(words!(
                "nobody reads {en}, which has {size} bytes unread",
                "没有线程在读 {zh}，其中有 {size} 字节未读"
            ));
        }
        (seen, told.into_iter().reduce(|told, next| joined(told, Some(next))))
    }

    /// The program's ends of its connections, by their numbers in the kernel's table: which peer has the other end, and how
    /// many bytes wait to be read.
    fn sockets(&mut self) -> BTreeMap<u64, (usize, u64)> {
        let numbers = if self.is_tcp() { self.peers.numbers() } else { Vec::new() };
        let ends = numbers.into_iter().filter_map(|number| Some((number, self.far_end(number)?)));
        ends.map(|(number, row)| (row.inode, (number, row.to_read))).collect()
    }

    fn call(&self, wait: &WaitingThread, peer: Option<usize>) -> Words {
        let Words { en: label, zh: label_zh } =
            peer.map_or(Words::fixed("", ""), |number| self.label(number));
        let is_own = || {
            let rows = self.sockets_there().unwrap_or_default();
            rows.iter().any(|row| Some(row.inode) == wait.inode)
        };
        match (wait.call, peer) {
            (Call::Accept, _) if is_own() => Words::fixed("accept", "accept"),
            (Call::Accept, _) => Words::fixed("accept, of another socket", "accept（另一个套接字）"),
            (Call::Receive, Some(_)) if self.exercise.side == Side::Server => {
                words!("recv on {label}", "recv（{label_zh}）")
            }
            (Call::Receive, Some(_)) => words!("recv, from {label}", "recv（来自{label_zh}）"),
            (Call::Receive, None) if wait.is_stdin => Words::fixed(
                "a read of its standard input, where nobody types",
                "读取标准输入，而那里没有人输入",
            ),
            (Call::Receive, None) if wait.inode.is_some() && is_own() => Words::fixed("recvfrom", "recvfrom"),
            (Call::Receive, None) if wait.inode.is_some() => {
                Words::fixed("recv, on another socket", "recv（另一个套接字）")
            }
            (Call::Receive, None) => Words::fixed("a read of a file or a pipe", "读取文件或管道"),
            (Call::Send, _) => Words::fixed("send", "send"),
            (Call::Sleep, _) => Words::fixed("sleep", "sleep"),
            (Call::Child, _) => Words::fixed("a wait for a child process", "等待子进程"),
            (Call::Several | Call::Thread, _) => Words::fixed("poll, or at work", "poll，或者正在运行"),
        }
    }
}
