//! What the threads of a program wait for, as Linux tells whoever may trace it (proc(5), ptrace(2)): the system call, and
//! the descriptor that it is about. The calls' numbers differ by machine; of other machines nothing is told.

use std::env::consts::ARCH;
use std::fs;

use super::kernel;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    Accept,
    Receive,
    Send,
    Sleep,
    /// The end of a child.
    Child,
    /// Any of several descriptors, or something else that does not tell what it is about.
    Several,
    /// Another thread.
    Thread,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitingThread {
    pub call: Call,
    /// The socket's number in the kernel's table.
    pub inode: Option<u64>,
    pub is_stdin: bool,
}

/// What each thread of these processes waits for; none where nobody can tell of one of them.
pub fn waits(pids: &[u32]) -> Option<Vec<WaitingThread>> {
    let mut all = Vec::new();
    for pid in pids {
        let threads = fs::read_dir(format!("/proc/{pid}/task")).ok()?.flatten().map(|entry| entry.path());
        for thread in threads.filter(|at| kernel::state_and_group(at).is_some_and(|(state, _)| state != 'Z'))
        {
            all.push(wait(*pid, &fs::read_to_string(thread.join("syscall")).ok()?)?);
        }
    }
    Some(all)
}

/// A line such as `45 0x3 0x7f2e... 0x400 0x0 ...`: the call's number and its arguments; `running`, or -1 outside of a call.
fn wait(pid: u32, line: &str) -> Option<WaitingThread> {
    let mut fields = line.split_whitespace();
    let call = fields.next()?.parse().ok().and_then(call).unwrap_or(Call::Several);
    let descriptor = fields.next().and_then(|hex| u64::from_str_radix(hex.strip_prefix("0x")?, 16).ok());
    let descriptor = descriptor.filter(|_| matches!(call, Call::Accept | Call::Receive | Call::Send));
    let link = descriptor.and_then(|number| fs::read_link(format!("/proc/{pid}/fd/{number}")).ok());
    let inode = link.and_then(|link| kernel::socket_number(&link));
    Some(WaitingThread { call, inode, is_stdin: descriptor == Some(0) && inode.is_none() })
}

/// The numbers of each call, such as read, recvfrom and their like: on x86-64, and those that newer machines share
/// (asm-generic/unistd.h).
#[rustfmt::skip]
const CALLS: [(Call, &[i64], &[i64]); 6] = [
    (Call::Accept,  &[43, 288],                &[202, 242]),
    (Call::Receive, &[0, 17, 19, 45, 47, 299], &[63, 65, 67, 207, 212, 243]),
    (Call::Send,    &[1, 20, 44, 46, 307],     &[64, 66, 206, 211, 269]),
    (Call::Sleep,   &[35, 230],                &[101, 115]),
    (Call::Child,   &[61, 247],                &[95, 260]),
    (Call::Thread,  &[202, 449],               &[98, 449]),
];

fn call(number: i64) -> Option<Call> {
    let of_this_machine = |(_, old, new): &&(Call, &[i64], &[i64])| match ARCH {
        "x86_64" => old.contains(&number),
        "aarch64" => new.contains(&number),
        _ => false,
    };
    CALLS.iter().find(of_this_machine).map(|(call, ..)| *call)
}
