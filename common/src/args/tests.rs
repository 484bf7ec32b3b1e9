use super::*;
use crate::address::HostPort;
use crate::framing::Framing;

fn args(line: &str) -> Args {
    Args::new(line.split_whitespace().map(OsString::from))
}

fn error<T>(outcome: Result<T>) -> String {
    let Err(error) = outcome else { panic!("this was accepted") };
    assert!(error.downcast_ref().is_some_and(|End(_, status)| *status == USAGE));
    error.to_string()
}

#[test]
fn options_stand_anywhere_before_the_dashes_in_both_forms() {
    let mut args = args("a:1 --delay 0.2 --quiet Bob --framing=raw -o - -- --quiet -x");
    assert!(args.flag("--quiet").unwrap());
    assert_eq!(args.value("--framing", Framing::Line).unwrap(), Framing::Raw);
    assert_eq!(args.seconds("--delay", 1.0, 0.0..=60.0).unwrap(), Duration::from_millis(200));
    assert_eq!(args.given::<String>("-o").unwrap().as_deref(), Some("-"));
    assert_eq!(args.number("--backlog", 7, 0..=9).unwrap(), 7);
    assert_eq!(args.operand_or::<HostPort>("HOST:PORT", "b:2").unwrap().to_string(), "a:1");
    assert_eq!(args.names(&[], 9).unwrap(), [&b"Bob"[..], b"--quiet", b"-x"]);
    args.finish().unwrap();
}

#[test]
fn what_is_not_given_has_its_default() {
    let mut args = args("");
    assert!(!args.flag("--quiet").unwrap());
    assert_eq!(args.seconds("--delay", 1.5, 0.0..=60.0).unwrap(), Duration::from_millis(1500));
    assert_eq!(args.operand_or::<HostPort>("HOST:PORT", "b:2").unwrap().to_string(), "b:2");
    assert_eq!(args.names(&["Tracy", "Sarah"], 9).unwrap(), [b"Tracy", b"Sarah"]);
}

#[test]
fn a_value_that_may_be_left_out_is_known_by_its_colon_or_its_digits() {
    let live = |line| args(line).given_or::<HostPort>("--live", "c:3");
    for (line, at) in
        [("--live a:1 x", "a:1"), ("--live=a:1", "a:1"), ("x --live", "c:3"), ("--live x", "c:3")]
    {
        assert_eq!(live(line).unwrap().unwrap().to_string(), at, "{line}");
    }
    assert!(error(live("--live 8080")).starts_with("--live '8080': it has no host: write 127.0.0.1:8080"));
    assert_eq!(error(live("--live --live=a:1")), "--live is given twice");
}

#[test]
fn mistakes_are_named() {
    let range = 1..=9;
    assert_eq!(error(args("-").finish()), "unexpected argument '-'");
    assert_eq!(error(args("-- -x").finish()), "unexpected argument '-x'");
    assert_eq!(error(args("--n --quiet").number("--n", 1, range.clone())), "--n needs a value");
    assert_eq!(error(args("--n 1 --n=2").number("--n", 1, range.clone())), "--n is given twice");
    assert_eq!(error(args("\x1b[2J").finish()), "unexpected argument '\\x1b[2J'");
    for number in ["0", "10", "+1", "1.0", "", "x", "99999999999999999999"] {
        let text = error(args(&format!("--n={number}")).number("--n", 1, range.clone()));
        assert_eq!(text, format!("--n '{number}': it must be a number from 1 to 9"));
    }
    for seconds in ["-1", "+1", "1e0", "nan", "inf", "", ".", "1.2.3", "61", "1s", "0x1"] {
        let text = error(args(&format!("--d={seconds}")).seconds("--d", 1.0, 0.0..=60.0));
        assert_eq!(text, format!("--d '{seconds}': it must be seconds from 0 to 60"));
    }
    let text = error(args("a –b=1").finish());
    assert_eq!(text, "unknown option '–b=1': it has '–' (U+2013) in it: type plain hyphens (--) and letters");
    assert_eq!(args("-- –x").names(&[], 9).unwrap(), ["–x".as_bytes()]);
    let text = error(args("--n １").number("--n", 1, range));
    assert_eq!(text, "--n '１': it must be a number from 1 to 9; it has '１' (U+FF11) in it: type '1'");
    let text = error(args("--d 0。5").seconds("--d", 1.0, 0.0..=60.0));
    assert!(text.ends_with("; it has '。' (U+3002) in it: type '.'"), "{text}");
    let text = error(args("—help").command_or(""));
    assert!(text.starts_with("unknown option '—help': it has '—' (U+2014) in it: "), "{text}");
    let text = error(args("ｇet").command_or(""));
    assert_eq!(text, "command 'ｇet': it has 'ｇ' (U+FF47) in it: type 'g'");
    let text = error(args("::1:9").operand_or::<HostPort>("HOST:PORT", ""));
    assert_eq!(text, "HOST:PORT '::1:9': an IPv6 address must be in brackets: [::1]:9999");
}

#[cfg(unix)]
#[test]
fn names_and_files_are_bytes_and_other_values_are_unicode() {
    use std::os::unix::ffi::OsStringExt;
    let odd = |bytes: &[u8]| OsString::from_vec(bytes.to_vec());
    let mut args = Args::new([&b"--f=\xff"[..], b"-o", b"\xff=", b"\xff\xfe"].map(odd).into_iter());
    assert_eq!(error(args.value("--f", Framing::Raw)), "--f '--f=\\xff': it is not Unicode");
    assert_eq!(args.file("-o").unwrap().unwrap(), odd(b"\xff="));
    assert_eq!(args.names(&[], 9).unwrap(), [b"\xff\xfe"]);
}
