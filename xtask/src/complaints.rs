//! Complaints in Chinese. What goes wrong is said in English where it does, much of it in `common`, which speaks no
//! other language; here, in one table, each such sentence has its Chinese, those of the READMEs' check among them.

use crate::words::Lang;

/// A line of complaint, in the language that the command line asks for.
pub fn worded(line: &str) -> String {
    if Lang::of_command_line() == Lang::Zh { in_chinese(line) } else { line.to_owned() }
}

/// Each sentence in English, as a whole, and in Chinese; the first that fits is it. What stands for `{}` is the same in
/// both (a name, a number, an error of the system's); `{why}` is a sentence in its turn.
#[rustfmt::skip]
const SENTENCES: &[(&str, &str)] = &[
    ("cargo xtask: {why}", "cargo xtask: {why}"),
    ("Try 'cargo xtask --help'.", "用法请看 cargo xtask --help。"),
    ("no task is given: {why}", "没有写任务：{why}"),
    ("unknown task '{}': {why}", "没有“{}”这个任务：{why}"),
    ("it is demo, grade, tap, soak, bench, origin or docs", "应为 demo、grade、tap、soak、bench、origin、docs 之一"),

    // common::args and common::typed
    ("{why}; it has {} in it: type {}", "{why}；里面有 {}，请改成 {}"),
    ("{why}; it has {} in it: leave it out", "{why}；里面有 {}，请去掉"),
    ("unknown option '{}': {why}", "没有“{}”这个选项：{why}"),
    ("unknown option '{}'", "没有“{}”这个选项"),
    ("unexpected argument '{}'", "多了一个参数“{}”"),
    ("the command comes first, before options", "任务名要写在最前面，选项写在后面"),
    ("{} needs a value", "{} 后面缺一个值"),
    ("{} takes no value", "{} 后面不能有值"),
    ("{} is given twice", "{} 写了两次"),
    ("command '{}': {why}", "任务“{}”：{why}"),
    ("HOST:PORT '{}': {why}", "HOST:PORT“{}”：{why}"),
    ("SERVER '{}': {why}", "SERVER“{}”：{why}"),
    ("--{} '{}': {why}", "--{}“{}”：{why}"),
    ("it is not Unicode", "不是 Unicode 文本"),
    ("it must be a number from {} to {}", "应为 {} 到 {} 之间的整数"),
    ("it must be seconds from {} to {}", "应为秒数，{} 到 {} 之间"),
    ("it has a blank in it", "里面有空格"),
    ("it has {} in it: leave it out", "里面有 {}，请去掉"),
    ("it has {} in it: type {}", "里面有 {}，请改成 {}"),
    ("it has {} in it", "里面有 {}"),
    // common::address
    ("this is a URL; an address is HOST:PORT, such as localhost:9999", "这是 URL；地址应为 HOST:PORT，例如 localhost:9999"),
    ("it has no host: write {} for this machine", "没有主机：本机请写 {}"),
    ("it has no port: write HOST:PORT, such as 127.0.0.1:9999", "没有端口：应为 HOST:PORT，例如 127.0.0.1:9999"),
    ("an IPv6 address stands in brackets: [::1]:9999", "IPv6 地址要放在方括号里：[::1]:9999"),
    ("an IPv6 address ends with ] and then the port: [::1]:9999", "IPv6 地址以 ] 结束，后面是端口：[::1]:9999"),
    ("an IPv4 address is four decimal numbers from 0 to 255", "IPv4 地址是四个 0 到 255 的十进制数"),
    ("a port is a decimal number from 0 to 65535", "端口是 0 到 65535 的十进制数"),
    ("port {} is out of range: 0 to 65535", "端口 {} 超出范围：0 到 65535"),
    ("a scope is the interface's index, a number (see 'ip link'), not its name", "作用域（scope）是网络接口的编号（见 ip link），不是它的名字"),
    ("what stands in the brackets is not an IPv6 address", "方括号里的不是 IPv6 地址"),
    ("the host is empty: 127.0.0.1 and [::1] are this machine", "没有写主机：127.0.0.1 和 [::1] 是本机"),
    ("a host name is labels of 1 to 63 letters with dots between, 253 in all", "主机名由若干段组成，每段 1 到 63 个字符，用点隔开，总共最多 253 个字符"),
    ("{} does not belong in a host name", "主机名里不能有 {}"),
    ("cannot resolve {}: {} - is the name spelled right, and the network up?", "无法解析 {}：{}。名字拼写对吗？网络通吗？"),
    ("cannot resolve {} - the name has no address", "无法解析 {}：这个名字没有地址"),
    ("cannot connect to {} - nobody can listen on port 0; write the port that the server printed", "无法连接 {}：端口 0 上不可能有人监听；请写服务器打印出来的端口"),
    ("does another server run there? Stop it, or take another port (127.0.0.1:0 picks one)", "那里是不是已经有一个服务器？请先停掉它，或者换一个端口（127.0.0.1:0 由系统挑选）"),
    ("is it an address of this machine? 127.0.0.1 and [::1] always are", "这是本机的地址吗？127.0.0.1 和 [::1] 总是本机地址"),
    ("the system reserves this port, as it may those below 1024: take another one (127.0.0.1:0 picks one)", "系统保留了这个端口，1024 以下的端口常常如此：请换一个（127.0.0.1:0 由系统挑选）"),
    ("is HOST:PORT right?", "HOST:PORT 写对了吗？"),
    ("another server listens there: stop it", "已有另一个服务器在那里监听，请先停掉它"),
    ("no server listens there, but a connection is open that has the port (SO_REUSEADDR at its server would have let you in): end it", "那里没有服务器在监听，但有一个还开着的连接占着这个端口（它的服务器设了 SO_REUSEADDR 就不会这样）：请结束它"),
    ("no server listens there, but connections of one that has stopped keep the port in TIME_WAIT, for a minute at most (SO_REUSEADDR at that server would have let you in): wait", "那里没有服务器在监听，但一个已停止的服务器留下的连接还处在 TIME_WAIT，占着这个端口，最多一分钟（那个服务器设了 SO_REUSEADDR 就不会这样）：请稍等"),
    ("another server has it: stop it; or connections of one that has stopped keep it in TIME_WAIT, for a minute at most (SO_REUSEADDR at that server would have let you in): wait", "另一个服务器占着它：请先停掉；或者是一个已停止的服务器留下的连接还处在 TIME_WAIT，最多一分钟（那个服务器设了 SO_REUSEADDR 就不会这样）：请稍等"),
    // common::framing
    ("it is one of line, raw and length", "应为 line、raw、length 之一"),
    // common::replacement
    ("it is a symbolic link to nothing", "这是一个没有指向任何文件的符号链接"),
    ("it is a directory - name a file in it", "这是一个目录，请写出其中的文件名"),
    ("that is a directory's name - name a file in it", "这是目录的写法，请写出其中的文件名"),
    ("it is read-only", "它是只读的"),
    ("its directory would not take a new file: {}", "它所在的目录不能新建文件：{}"),
    ("all of it is in '{}': {}", "全部内容存在“{}”里：{}"),
    ("Windows keeps this name for a device - name another file", "Windows 把这个名字留给设备，请换一个文件名"),
    // std
    ("invalid digit found in string", "应为整数"),
    ("cannot parse integer from empty string", "应为整数"),
    ("number too large to fit in target type", "这个数太大"),

    // The tasks
    ("it is 4 or 6", "应为 4 或 6"),
    ("it is en or zh", "应为 en 或 zh"),
    ("cannot write the page to '{}': {why}", "无法把网页写入“{}”：{why}"),
    ("cannot write the figures to '{}': {why}", "无法把数据写入“{}”：{why}"),
    ("cannot listen on {}: {} - {why}", "无法在 {} 上监听：{}。{why}"),
    ("cannot bind {}: {} - {why}", "无法绑定 {}：{}。{why}"),
    ("cannot build the programs: {why}", "无法编译各程序：{why}"),
    ("cargo build ended with {}", "cargo build 失败（{}）"),
    ("cannot run {}: {}", "无法运行 {}：{}"),
    ("{why}, or take another port (127.0.0.1:0 picks one)", "{why}；或者换一个端口（127.0.0.1:0 由系统挑选）"),
    ("--watch: the command names no file to watch: name the program's own file in it", "--watch：命令里没有写出可以监视的文件：请写出程序自己的文件"),
    // tap
    ("no SERVER is given: HOST:PORT, where it listens", "没有写 SERVER：它在哪里监听，HOST:PORT"),
    ("SERVER is where the tap itself would listen: --listen HOST:PORT moves the tap", "SERVER 就是 tap 自己要监听的地方：用 --listen HOST:PORT 让 tap 换个地方"),
    ("--cut is for TCP: a datagram crosses whole", "--cut 只用于 TCP：数据报总是整个传过去的"),
    ("a stream loses nothing and keeps its order: --lose and its like go with --udp", "字节流不丢失，也不乱序：--lose 等选项要与 --udp 同用"),
    ("--seed goes with a share, such as --lose 1/5: nothing else is left to chance", "--seed 要与比例同用，例如 --lose 1/5：别的都不是随机的"),
    ("{} {}: this datagram has something else planned already", "{} {}：这个数据报已经另有安排"),
    ("it must be numbers from 1, such as 2 or 2,5, or a share, such as 1/5", "应为从 1 数起的编号，例如 2 或 2,5，或者比例，例如 1/5"),
    ("a share is at most 1/1", "比例最大是 1/1"),
    ("cannot read the roll '{}': is it a file with a name on each line, in UTF-8?: {}", "无法读取名单“{}”：它是不是一行一个名字、UTF-8 编码的文件？（{}）"),
    ("a roll has at most {} bytes; this has {}", "名单最多 {} 字节，这个有 {} 字节"),
    ("there is no name in it", "里面没有名字"),
    // grade
    ("say what to grade: {}", "请写出要评判什么：{}"),
    ("cannot grade '{}': it is one of {}", "“{}”不能评判，应为其中之一：{}"),
    ("no stage '{}': it is one of {}", "没有“{}”这一项，应为其中之一：{}"),
    ("the command that starts your program is missing: {}", "缺少启动你的程序的命令：{}"),
    ("the command has no {}, or --port N for one that it has in its code (PowerShell takes braces away: put them in quotes): {}", "命令里没有 {}（端口写在代码里的程序用 --port N；PowerShell 会去掉花括号，请加引号）：{}"),
    ("the command has no {}, or --port N for one that it has in its code: {}", "命令里没有 {}（端口写在代码里的程序用 --port N）：{}"),
    ("the command has no {} (PowerShell takes braces away: put them in quotes): {}", "命令里没有 {}（PowerShell 会去掉花括号，请加引号）：{}"),
    ("the command has no {}: {}", "命令里没有 {}：{}"),
    ("cannot start '{}' - is it spelled as in your shell?: {}", "无法启动“{}”，它在你的 shell 里也是这样写的吗？（{}）"),
    ("cannot start '{}': {}", "无法启动“{}”（{}）"),
    ("somebody is at {} already - end that program, and grade again", "{} 已经有程序占着：请先结束它，再来评判"),
    ("cannot use {} on this machine; try --ip {}: {}", "这台机器上不能使用 {}，请试试 --ip {}（{}）"),
    ("no port is free", "没有空闲的端口"),
    ("port {} does not get free", "端口 {} 一直没有空出来"),
    // docs
    ("{}: {} shows\n{}\n... but the README has\n{}", "{}：{} 显示\n{}\n……而 README 里是\n{}"),
    ("{}: beyond this there was:\n{}", "{}：在这之后还有：\n{}"),
    ("{}: this code stands in no program", "{}：哪个程序里都没有这段代码"),
    ("{}: this block is of no known kind, or not closed", "{}：这个代码块的种类不认识，或者没有结束"),
    ("{}: the link {} leads nowhere", "{}：链接 {} 没有目标"),
    ("{}: there is nothing that '{}' could run", "{}：“{}”没有可运行的东西"),
    ("{}: README.md has something else here", "{}：README.md 在这里写的不一样"),
    ("{}: outputs written anew: {}", "{}：改写了 {} 处输出"),
    ("{}: not available here: the tool that it takes", "{}：此处无法运行，缺少它要用的工具"),
    ("What the READMEs show was seen on Linux; not available here: comparing it.", "各份 README 里显示的是在 Linux 上看到的；此处无法比较。"),
    ("Every README shows what is so.", "每一份 README 写的都属实。"),
    ("what --bless cannot mend: {}", "--bless 改不了的：{} 处"),
    ("what is not so: {}; where it is an output, --bless writes what was seen", "不属实的：{} 处；如果是输出，--bless 会改写成实际看到的"),
];

fn in_chinese(line: &str) -> String {
    let found = SENTENCES.iter().find_map(|(en, zh)| Some((zh, what_stands_in(line, en)?)));
    let Some((zh, inside)) = found else { return line.to_owned() };
    let mut marks = pieces(zh);
    let mut said = marks.next().unwrap_or_default().1.to_owned();
    for (what, (mark, behind)) in inside.into_iter().zip(marks) {
        said = said + &if mark == "why" { in_chinese(what) } else { what.to_owned() } + behind;
    }
    said
}

/// A sentence's marks, without their braces, each with what stands behind it; the first piece has none.
fn pieces(sentence: &str) -> impl Iterator<Item = (&str, &str)> {
    sentence.split('{').map(|piece| piece.split_once('}').unwrap_or(("", piece)))
}

/// What stands in a line where a sentence has its marks, if it is that sentence. Each ends where what is behind it
/// comes first, the last one where that comes last: what a user typed may have it in it.
fn what_stands_in<'a>(line: &'a str, sentence: &str) -> Option<Vec<&'a str>> {
    let mut pieces = pieces(sentence).map(|(_, text)| text).peekable();
    let mut rest = line.strip_prefix(pieces.next()?)?;
    let mut inside = Vec::new();
    while let Some(text) = pieces.next() {
        let at = if pieces.peek().is_some() { rest.find(text) } else { rest.rfind(text) }?;
        inside.push(&rest[..at]);
        rest = &rest[at + text.len()..];
    }
    rest.is_empty().then_some(inside)
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::io::{Error, ErrorKind};

    use anyhow::Result;
    use common::address::{self, HostPort};
    use common::args::Args;
    use common::framing::Framing;

    use super::*;

    /// Two neighbouring words: an option's name, or a command, is one.
    fn is_english(text: &str) -> bool {
        let words: Vec<_> =
            text.split(' ').map(|word| word.bytes().all(|b| b.is_ascii_lowercase())).collect();
        words.windows(2).any(|pair| pair == [true, true])
    }

    fn with(line: &str, read: impl FnOnce(&mut Args) -> Result<()>) -> String {
        read(&mut Args::new(line.split(' ').map(OsString::from))).unwrap_err().to_string()
    }

    #[test]
    fn every_sentence_of_a_command_line_that_is_wrong_has_its_chinese() {
        let number = |args: &mut Args| args.number("--n", 1, 1..=9).map(drop);
        let all = [
            with("--nope", Args::finish),
            with("–nope", Args::finish),
            with("--n\u{456}", Args::finish),
            with("more", Args::finish),
            with("--first", |args| args.command_or("").map(drop)),
            with("dem０", |args| args.command_or("").map(drop)),
            with("--n", number),
            with("--n=1 --n=2", number),
            with("--n=0", number),
            with("--n=１", number),
            with("--n=“1", number),
            with("--flag=yes", |args| args.flag("--flag").map(drop)),
            with("--s=x", |args| args.seconds("--s", 1.0, 0.0..=2.0).map(drop)),
            with("--seed=x", |args| args.given::<u64>("--seed").map(drop)),
            with("--seed=", |args| args.given::<u64>("--seed").map(drop)),
            with("--seed=99999999999999999999", |args| args.given::<u64>("--seed").map(drop)),
            with("--framing=x", |args| args.given::<Framing>("--framing").map(drop)),
            with("--lang=x", |args| args.given::<Lang>("--lang").map(drop)),
        ];
        let [long, label] = ["a".repeat(254), "a".repeat(64)].map(|name| name + ":1");
        let addresses = [
            "http://h",
            "9999",
            "h",
            "::1:9",
            "[::1:9",
            "1.2.3:9",
            "h:x",
            "h:65536",
            "[::1%lo]:9",
            "[x]:9",
            ":9",
            "h h:9",
            &long,
            &label,
            "h!:9",
            "主机:9",
            "h：9",
            "“h:9",
        ];
        let addresses =
            addresses.map(|text| format!("HOST:PORT '{text}': {}", text.parse::<HostPort>().unwrap_err()));
        for complaint in all.iter().chain(&addresses) {
            let said = in_chinese(&format!("cargo xtask: {complaint}")).replacen("cargo xtask: ", "", 1);
            assert!(!said.is_ascii() && !is_english(&said), "{complaint} is {said}");
        }
    }

    #[test]
    fn every_remedy_of_an_address_that_is_not_to_be_had_has_its_chinese() {
        use ErrorKind::{AddrInUse, AddrNotAvailable, Other, PermissionDenied};
        for error in [AddrInUse, AddrNotAvailable, PermissionDenied, Other].map(Error::from) {
            let nowhere: HostPort = "127.0.0.1:0".parse().unwrap();
            for remedy in [address::remedy(&error).to_owned(), address::listen_remedy(&nowhere, &error)] {
                let said = in_chinese(&format!("cannot listen on 127.0.0.1:1: E - {remedy}"));
                assert!(
                    said.starts_with("无法在 127.0.0.1:1 上监听：E。") && !is_english(&said),
                    "{remedy} is {said}"
                );
            }
        }
    }

    #[test]
    fn what_was_typed_stands_in_it_as_it_was_typed() {
        for (line, said) in [
            ("unexpected argument 'it is 4 or 6'", "多了一个参数“it is 4 or 6”"),
            ("unexpected argument 'it's'", "多了一个参数“it's”"),
            ("unknown option '--{}{why}'", "没有“--{}{why}”这个选项"),
            ("nobody has heard of this", "nobody has heard of this"),
        ] {
            assert_eq!(in_chinese(line), said);
        }
    }

    #[test]
    fn both_languages_have_the_same_marks_and_no_sentence_is_taken_for_another() {
        for (en, zh) in SENTENCES {
            let marks = |text| pieces(text).skip(1).map(|(mark, _)| mark.to_owned()).collect::<Vec<_>>();
            assert_eq!(marks(en), marks(zh), "{en}");
            let is_whole = !en.contains('{');
            assert!(!is_whole || in_chinese(en) == *zh, "{en} is taken for another one, which comes first");
        }
    }
}
