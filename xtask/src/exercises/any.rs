//! Likely mistakes that programs of more than one kind make.

use super::prelude::*;

/// What a program prints that failed to decode text. A mere warning that has UTF-8 in it (of Java, of bash) does not count.
pub const NOT_TEXT: &[&str] = &[
    "decodeerror", "codec can't", "invalid utf-8", "valid utf-8", "utf8error", "malformedinput", "malformed utf-8",
    "invalid byte sequence", "not valid for encoding", "does not map to unicode", "decoderfallback",
];
/// What is printed where no program was started: its file is missing, or it does not compile.
const NO_PROGRAM: &[&str] = &[
    "can't open file", "no such file or directory", "cannot find module", "could not find or load main class", "syntaxerror",
    "indentationerror", "error: cannot find symbol", "compilation failed", "could not compile", "cannot find package",
    "modulenotfounderror", "syntax error", "parse error", "unexpected symbol near", "expected near", "compilation errors",
    ": undefined: ", "declared and not used", "imported and not used",
];
/// What a program prints whose port is occupied.
pub const IN_USE: &[&str] = &["in use", "eaddrinuse", "10048"];

pub const WHAT_IT_KEEPS: Words = Words::fixed(
    "how many threads and how much memory it keeps: a correct program may keep some in a pool or a cache",
    "它留着多少线程和内存：正确的程序也会留着一些（线程池、缓存）");

pub const TEXT_FOR_BYTES: Likely = is("text-for-bytes", |e| e.output.contains("bytes-like object"), "crowd",
    "A socket carries bytes, but your program gave it text: write b'...', or encode the text.",
    "套接字收发的是字节，你的程序给的却是文本：写成 b'...'，或先 encode。");
pub const PYTHON_WORDS: Likely = is("python-words", |e| e.bytes.starts_with(b"b'") || e.has(b" b'") || e.has_name(b"b'", b""), "not-text",
    "b'...' is how Python prints bytes, and your program sends or saves it as text: join bytes with bytes (b'Hello, ' + name + b'!'), and open a file in binary mode ('wb').",
    "b'...' 是 Python 打印 bytes 的样子，你的程序把它当作文本发出或存下了：用 bytes 拼接（b'Hello, ' + name + b'!'），文件用二进制方式打开（'wb'）。");
pub const NAME_CHANGED: Likely = is("name-changed", |_| true, "not-text",
    "Your server did not send this name back unchanged: a name is a sequence of bytes, not always UTF-8, and spaces belong to it. Remove only the mark of the message's end (no strip, trim or scanf), send the rest back as it arrived, and decode it only to print it.",
    "你的服务器没有原样返回这个名字：名字是字节，不一定是 UTF-8，空格也是名字的一部分。只去掉标明消息结尾的标记（不要用 strip、trim、scanf），其余的原样返回，打印时才解码。");
pub const EARLIER_NAME: Likely = is("earlier-name", |e| e.has(&[&e.names.of(TRACY)[..], &e.names.of(MICHAEL)[TRACY.len()..]].concat()), "crowd",
    "This answer contains a part of an earlier name, which is still in your buffer: use only the bytes that the last recv (or recvfrom) returned, or clear the buffer after each answer.",
    "回答里有先前名字的一部分，它还留在缓冲区里：只用最后一次 recv（或 recvfrom）返回的字节，或者每次回答之后清空缓冲区。");
pub const CUT_AT_ZERO: Likely = is("cut-at-zero", |e| e.wants_greeting(ZERO), "crowd",
    "A name can contain a zero byte, which ends a string in C (strlen, strcpy, printf): store the length that recv returned, and use that.",
    "名字里可以有零字节，而它会结束 C 的字符串（strlen、strcpy、printf）：名字的长度要另外记住，并按长度处理。");
pub const NAME_AS_FORMAT: Likely = is("name-as-format", |e| e.wants_greeting(FORMAT), "crowd",
    "Your program used the name as a format string, in which % is special: write printf(\"%s\", name), never printf(name).",
    "名字被当成了格式串，而 % 在其中有特殊含义：写成 printf(\"%s\", name)，不要写 printf(name)。");
pub const NEVER_SLEEPS: Likely = is("never-sleeps", |e| matches!(e.expected, Expected::Sleeps), "nonblocking",
    "Your server uses a whole processor core while nothing happens: its loop never waits. Use a blocking call, or select, poll or epoll with a time limit other than 0.",
    "它不停地询问，从不等待，占满了一个处理器：让阻塞的调用去等，或者用 select、poll、epoll，超时不要设为 0。");
pub const CRASHES_AT_INTERRUPT: Likely = is("crashes-at-interrupt", |e| matches!(e.expected, Expected::Stop) && e.how == How::Ended, "stop",
    "Your server crashed on Ctrl-C instead of ending normally: a signal handler should only set a flag or close a socket, and must not use an object that no longer exists.",
    "Ctrl-C 应当让它正常结束，它却崩溃了：处理函数只应设置标志或关闭套接字，用到的东西必须还在。");
pub const NOT_STARTED: Likely = is("not-started", |e| e.is_gone && e.complains_of(NO_PROGRAM), "",
    "Your program did not start, or did not compile: its last output says why. Fix that first.",
    "程序没能启动，或没能编译：原因见它最后的输出。先解决这个问题。");

pub const SLOW: Likely = is("slow", |e| e.how == How::Late && !e.expected.is_the_programs(), "slow-exit",
    "Your program did what was expected, but too late. That alone is no mistake: --patience gives it more time. Find out what your program waits for.",
    "到了，只是太晚：这本身不算错，可用 --patience 多给时间。看看它这段时间在做什么。");
pub const READS_INPUT: Likely = is("reads-input", |e| e.is_silent() && e.waits.is_input_read, "socket",
    "Your program waits for input from the keyboard, and gets none: its command line has everything that it needs.",
    "它在等标准输入，而那里没有人输入：它需要的都在命令行上。");

pub const LEFT_GROUP: Likely = is("left-its-group", |e| e.location.has_left, "stop",
    "Your server runs in the background: a process that it started has left the process group (for example a daemon, or a program started with the command setsid or timeout), so Ctrl-C in the terminal does not reach it. Keep your server in the foreground.",
    "服务器在后台运行：它启动的进程离开了进程组（例如 daemon，或用 setsid、timeout 命令启动的程序），终端里按的 Ctrl-C 到不了它那里。请让它留在前台。");
/// A server that has just been started is not where it should be.
pub static START: &[Likely] = &[
    is("binds-twice", |e| e.is_gone && e.complains_of(IN_USE) && e.location.is_port_free && !e.location.is_port_held, "crowd",
        "bind failed, but the port given as {port} is free: your server calls bind twice, or binds another address than {host} and {port}.",
        "bind 失败了，但 {port} 给出的端口没有被占用：服务器绑定了两次，或者绑定的不是 {host} 和 {port}。"),
    NOT_STARTED,
    is("port-in-use", |e| e.is_gone && e.complains_of(IN_USE), "stop",
        "bind failed, because the port is still in use: set SO_REUSEADDR before bind, and a restarted server can use the port at once.",
        "bind 失败了，因为端口还被占用：在 bind 之前设置 SO_REUSEADDR，重新启动的服务器就能立刻使用它。"),
    is("other-family", |e| e.is_gone && e.complains_of(&["address family", "getaddrinfo", "gaierror"]), "system",
        "The address in {host} and your socket are of different kinds: an IPv6 address needs an AF_INET6 socket, an IPv4 address an AF_INET socket.",
        "{host} 给出的地址与套接字不符：IPv6 地址要用 AF_INET6 套接字，IPv4 地址要用 AF_INET。"),
    LEFT_GROUP,
    is("failed-first", |e| e.is_gone, "crowd",
        "Your program failed, or reached its end: its last output, if there is any, says why. It gets {host} and {port} on its command line: it should bind that address, and then (over TCP) listen and call accept, or (over UDP) recvfrom, in a loop.",
        "程序失败了，或者运行到代码末尾就结束了：原因见它最后的输出（如果有）。命令行给出了 {host} 和 {port}：它应当 bind 这个地址，然后循环 accept（TCP，先 listen）或 recvfrom（UDP）。"),
    Among(|e| !e.location.found.is_empty(), &[
        is("other-protocol", |e| e.location.is_other_protocol, "system",
            "Your server uses the wrong protocol: for TCP, create the socket with SOCK_STREAM; for UDP, with SOCK_DGRAM.",
            "协议用反了：SOCK_STREAM 是 TCP，SOCK_DGRAM 是 UDP。"),
        is("port-swapped", |e| e.location.has_port(e.at.port().swap_bytes()), "crowd",
            "Your server listens on its port with the two bytes swapped: convert the port with htons before you put it into the address.",
            "服务器监听的端口，两个字节颠倒了：把端口写进地址结构时要用 htons。"),
        is("other-address", |e| e.location.has_port(e.at.port()), "address",
            "The port is right, but the address is wrong: bind the address given as {host}.",
            "端口对，地址不对：应绑定 {host} 给出的地址。"),
        is("other-port", |_| true, "crowd",
            "Your server uses another port than the one that it was given: use the {port} of the command line, or grade with '--port N'. (Or bind failed, and your program did not check what bind returned.)",
            "服务器用的不是给它的端口：应使用命令行上的 {port}，或者评判时用 --port N。（也可能是 bind 失败了，却没有检查返回值。）"),
    ]),
    READS_INPUT,
    is("never-listens", |_| true, "crowd",
        "A guess: your program has not called bind yet, or (over TCP) listen: perhaps it waits for something else first. Or it starts slowly: --patience gives it more time.",
        "猜测：程序还没有调用 bind，或者（TCP）还没有 listen：也许先在等别的什么；或者启动很慢：用 --patience 多给时间。"),
];

pub const fn one_recv(when: When) -> Likely {
    is("one-recv", when, "glued",
        "Your program treats what one recv returned as one message: add what arrives to a buffer, and take a message out of the buffer when the message is complete.",
        "把一次 recv 当成了一条消息。应把收到的放进缓冲区，消息收齐了才取出来。")
}

/// A client did not connect; over UDP, it sent nothing.
pub static NOT_COME: &[Likely] = &[
    READS_INPUT,
    is("waits-first", |e| !e.is_gone, "socket",
        "A guess: your client waits for something else before it connects (over UDP: before it sends), or uses another address or port than its command line says.",
        "猜测：客户端还没有连接（UDP：没有发送），先在等别的什么；或者用的不是命令行给出的地址和端口。"),
    NOT_STARTED,
    is("failed-first", |_| true, "socket",
        "Your program ended before it connected (over UDP: before it sent): its last output, if there is any, says why. Its command line says where the server is. Check what connect returns (in C, also whether you converted the port with htons).",
        "程序没有连接（UDP：没有发送）就结束了：原因见它最后的输出（如果有）。命令行给出了服务器在哪里。检查 connect 的返回值（用 C 的话，还要看端口有没有经过 htons）。"),
];

/// A client failed, though everything on the wire was right.
pub static FAILED: &[Likely] = &[
    NOT_AS_TEXT,
    is("failed-at-the-end", |_| true, "end",
        "Your client sent and received everything as it should, and then failed: its last output says why.",
        "客户端的收发都正确，之后却失败了：原因见它最后的输出。"),
];
pub const NOT_AS_TEXT: Likely = is("not-text", |e| e.is_gone && e.complains_of(NOT_TEXT), "not-text",
    "What arrives is not always UTF-8: work with bytes. To print bytes that are not UTF-8, escape or replace them (in Python: repr, or errors='replace').",
    "收到的不一定是 UTF-8：按字节处理；不是 UTF-8 的，换一种方式打印（Python：repr，或 errors='replace'）。");

pub const NOT_PRINTED: Likely = is("not-printed", |e| matches!(e.expected, Expected::Printed(_)), "crowd",
    "Print each greeting that arrives, once and in full, on standard output.",
    "每个名字的回复都要完整地打印到标准输出，各打印一次，而且是它自己的。");
pub const FAILURE_UNSAID: Likely = is("failure-unsaid", |e| matches!(e.expected, Expected::Failure), "socket",
    "Where an answer is missing, your client has failed, whether the server is silent, has closed the connection (recv returns nothing) or is not there: print an error message, and exit with a status other than 0.",
    "该有的回复没有来，就是失败，不管服务器是沉默、关闭了连接（recv 返回空）还是不存在：打印出错信息，并以不为 0 的状态结束。");

/// A server has not ended at Ctrl-C.
pub static UNSTOPPED: &[Likely] = &[
    LEFT_GROUP,
    is("interrupt-blocked", |e| e.location.is_deaf && matches!(e.how, How::Unmoved | How::Silent), "stop",
        "Your server's process ignores Ctrl-C (SIGINT is in SigIgn of /proc/PID/status). Either your program calls signal(SIGINT, SIG_IGN), or a shell script starts it with '&', which has the same effect: start it with exec instead.",
        "服务器的进程忽略 Ctrl-C（SIGINT 在 /proc/PID/status 的 SigIgn 里）：或者是 signal(SIGINT, SIG_IGN)，或者是 shell 脚本用 & 启动了它，这样启动的程序忽略 Ctrl-C。脚本里应改用 exec。"),
    is("interrupt-ignored", |e| e.how == How::Unmoved, "stop",
        "Your server got Ctrl-C and continued. Perhaps its signal handler does nothing, or a try around accept or recvfrom catches the exception of Ctrl-C, too: end the program there.",
        "服务器收到 Ctrl-C，却继续运行。也许信号处理函数什么也没做，也许 accept、recvfrom 外面的 try 把 Ctrl-C 的异常也捕获了：应在那里结束程序。"),
    is("ends-late", |e| matches!(e.expected, Expected::Stop), "stop",
        "Your server did not end in time after Ctrl-C: perhaps it sleeps, or waits for a time-out or for a thread that waits for its client. Call shutdown on the clients' sockets at once, which wakes such a thread (close alone does not), or make these threads daemon threads. Do not wait for anything that takes longer.",
        "按 Ctrl-C 之后它没有及时结束：也许在 sleep，也许在等超时，或者在等一个正在等待客户端的线程。应立刻 shutdown 客户端的套接字，这样的线程就会醒来（只 close 不行），或者把它们设为守护线程。不要等更久的事。"),
];
