//! What the threads of a program wait for, as Linux tells whoever may trace it (proc(5), ptrace(2)): the system call, and
//! the descriptor that it is about. The calls' numbers differ by machine; of other machines nothing is told.

use std::fs;

use super::kernel;

/// What a thread waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// The next connection.
    Accept,
    /// Something to read.
    Receive,
    /// Room for something to send.
    Send,
    /// A time.
    Sleep,
    /// The end of a child.
    Child,
    /// Any of several descriptors, or something else that does not tell what it is about.
    Several,
    /// Another thread.
    Thread,
}

/// A thread that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitingThread {
    /// What for.
    pub call: Call,
    /// The socket's number in the kernel's table.
    pub inode: Option<u64>,
    /// It is about descriptor 0, standard input.
    pub is_stdin: bool,
}

/// What each thread of these processes waits for; none where nobody can tell of one of them.
pub fn waits(pids: &[u32]) -> Option<Vec<WaitingThread>> {
    let mut all = Vec::new();
    for pid in pids {
        let threads = fs::read_dir(format!("/proc/{pid}/task")).ok()?.flatten().map(|entry| entry.path());
        let mut threads: Vec<_> = threads.filter(|path| !kernel::has_ended(path)).collect();
        threads.sort_by_key(|path| path.file_name().and_then(|name| name.to_str()?.parse::<u32>().ok()));
        for thread in threads {
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

/// The call of this number: read, recvfrom and their like, of which each machine has its own.
#[cfg(target_arch = "x86_64")]
fn call(number: i64) -> Option<Call> {
    Some(match number {
        43 | 288 => Call::Accept,
        0 | 17 | 19 | 45 | 47 | 299 => Call::Receive,
        1 | 20 | 44 | 46 | 307 => Call::Send,
        35 | 230 => Call::Sleep,
        61 | 247 => Call::Child,
        202 | 449 => Call::Thread,
        _ => return None,
    })
}

/// As above, by the numbers that newer machines share (asm-generic/unistd.h).
#[cfg(target_arch = "aarch64")]
fn call(number: i64) -> Option<Call> {
    Some(match number {
        202 | 242 => Call::Accept,
        63 | 65 | 67 | 207 | 212 | 243 => Call::Receive,
        64 | 66 | 206 | 211 | 269 => Call::Send,
        101 | 115 => Call::Sleep,
        95 | 260 => Call::Child,
        98 | 449 => Call::Thread,
        _ => return None,
    })
}

/// No machine whose numbers are known.
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn call(_number: i64) -> Option<Call> {
    None
}

#[cfg(all(test, target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod tests {
    use super::*;
    use std::net::TcpListener;
    use std::os::fd::AsRawFd;
    use std::process::{self, Command, Stdio};
    use std::thread;
    use std::time::Duration;

    #[test]
    fn the_call_and_the_socket_of_a_waiting_thread_are_named() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let link = fs::read_link(format!("/proc/self/fd/{}", listener.as_raw_fd())).unwrap();
        let (inode, at) = (kernel::socket_number(&link), listener.local_addr().unwrap());
        let accepting = thread::spawn(move || listener.accept().map(drop));
        let is_seen = || {
            let waits = waits(&[process::id()]).unwrap_or_default();
            waits.iter().any(|wait| wait.call == Call::Accept && wait.inode == inode)
        };
        while !is_seen() {
            thread::sleep(Duration::from_millis(1));
        }
        std::net::TcpStream::connect(at).unwrap();
        accepting.join().unwrap().unwrap();
        let mut reader = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
        let is_seen = || {
            let waits = waits(&[reader.id()]).unwrap_or_default();
            waits == [WaitingThread { call: Call::Receive, inode: None, is_stdin: true }]
        };
        while !is_seen() {
            thread::sleep(Duration::from_millis(1));
        }
        drop(reader.stdin.take());
        reader.wait().unwrap();
    }
}
