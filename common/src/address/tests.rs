use super::*;

#[test]
fn addresses_print_as_they_were_written() {
    for text in [
        "127.0.0.1:9999",
        "[::1]:9999",
        "localhost:9999",
        "www.google.com.:80",
        "[fe80::1%2]:65535",
        "a_b-c.example:1",
        "1a:1",
        "0xfg:1",
    ] {
        let parsed: HostPort = text.parse().unwrap_or_else(|e| panic!("{text}: {e}"));
        assert_eq!(parsed.to_string(), text);
        assert_eq!(parsed.to_string().parse(), Ok(parsed));
    }
}

#[test]
fn what_is_not_an_address_is_refused_with_the_reason() {
    for (text, reason) in [
        ("localhost", "no port"),
        ("9999", "no host"),
        ("[::1]", "no port"),
        ("127.0.0.1:", "a port is a decimal number"),
        ("127.0.0.1:+80", "a port is a decimal number"),
        ("127.0.0.1: 80", "a port is a decimal number"),
        ("127.0.0.1:65536", "a port is a decimal number"),
        ("::1:9999", "brackets"),
        ("fe80::1%2:80", "brackets"),
        ("http://127.0.0.1:80", "URL"),
        ("127.0.0.1.:80", "four decimal numbers"),
        ("0x7f000001:80", "four decimal numbers"),
        ("a.0X:80", "four decimal numbers"),
        ("0177.0.0.1:80", "four decimal numbers"),
        ("256.0.0.1:80", "four decimal numbers"),
        ("[fe80::1%eth0]:80", "index"),
        ("[::1:80", "ends with ]"),
        ("[::1]x:80", "ends with ]"),
        ("[]:80", "not an IPv6"),
        ("[127.0.0.1]:80", "not an IPv6"),
        ("[::1%]:80", "index"),
        (":9999", "empty"),
        ("local host:80", "' ' does not belong"),
        ("a..b:80", "labels"),
        (".:80", "labels"),
        ("*:80", "does not belong"),
        ("l\u{43e}calhost:80", "(U+043E) does not belong"),
        ("127.0.0.1：9999", "'：' (U+FF1A) in it: type ':'"),
        ("127。0.0.1:9999", "type '.'"),
        ("9999\u{3000}", "leave it out"),
        ("a\0b:80", "does not belong"),
    ] {
        let error = text.parse::<HostPort>().expect_err(text);
        assert!(error.contains(reason), "{text:?}: {error}");
    }
    let long = format!("{}:80", "a".repeat(64));
    assert!(long.parse::<HostPort>().unwrap_err().contains("labels"));
}

#[test]
fn random_text_never_panics_and_what_is_accepted_round_trips() {
    let mut random = crate::seeded::Seeded::from_environment();
    for _ in 0..20_000 {
        let parts =
            ["127.0.0.1", "[", "]", "::1", ":", "80", "0x7f", "%", "2", "a.b", " ", "localhost", "+", "é"];
        let text: String = (0..random.below(6)).map(|_| parts[random.below(parts.len())]).collect();
        if let Ok(parsed) = text.parse::<HostPort>() {
            assert_eq!(parsed.to_string().parse(), Ok(parsed), "{text:?} {random:?}");
        }
    }
}

#[test]
fn a_server_bound_to_every_interface_is_reached_at_the_loopback() {
    for (bound, at) in [("0.0.0.0:7", "127.0.0.1:7"), ("[::]:7", "[::1]:7"), ("10.0.0.1:7", "10.0.0.1:7")] {
        assert_eq!(reachable(bound.parse().unwrap()), at.parse().unwrap());
    }
}

#[test]
fn others_are_told_no_loopback_and_only_where_others_can_come() {
    for bound in ["127.0.0.1:7", "[::1]:7", "10.0.0.1:7"] {
        assert_eq!(reachable_by_others(bound.parse().unwrap()), None);
    }
    for bound in ["0.0.0.0:7", "[::]:7"] {
        let bound: SocketAddr = bound.parse().unwrap();
        if let Some(at) = reachable_by_others(bound) {
            assert!(at.port() == 7 && at.is_ipv4() == bound.is_ipv4() && !at.ip().is_loopback(), "{at}");
        }
    }
}

#[test]
fn only_where_a_server_may_be_missing_is_its_command_named() {
    for (kind, reason) in [
        (io::ErrorKind::ConnectionRefused, "? this starts one"),
        (io::ErrorKind::TimedOut, "? this starts one"),
        (io::ErrorKind::PermissionDenied, "is it a broadcast address, or does a firewall"),
        (io::ErrorKind::AddrNotAvailable, "this machine has no free port"),
        (io::ErrorKind::AddrInUse, "this machine has no free port"),
        (io::ErrorKind::NetworkDown, "the network up?"),
    ] {
        let why = unreached(&kind.into(), "this");
        assert!(why.contains(reason) && why.contains("starts") == reason.contains("starts"), "{why}");
    }
}
