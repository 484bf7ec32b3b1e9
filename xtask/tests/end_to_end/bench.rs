//! The bench: what it prints, and what it writes for a page and for a machine. Nothing here asserts a speed.

use std::fs;
use std::process::Output;

use xtask::Scratch;

/// The bench, on programs as they were built for the tests.
fn bench(args: &[&str]) -> Output {
    let mut command = crate::program("xtask");
    command.args(["bench", "--as-built", "--rounds=1"]).args(args).output().unwrap()
}

fn said(output: &Output) -> String {
    let [said, complained] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    assert!(output.status.success(), "{said}\n{complained}");
    said.into_owned()
}

/// Where the system has no figures, the bench says so, and that is all.
fn is_available(said: &str) -> bool {
    assert!(cfg!(not(target_os = "linux")) || said.contains("All "), "{said}");
    said.contains("All ")
}

/// The figures of the bars of a work, in their order.
fn printed(said: &str, work: &str) -> Vec<String> {
    let behind = said.split(&format!("\n== {work} ==\n")).nth(1).unwrap();
    let bars = behind.split("\n== ").next().unwrap().lines().filter(|line| line.contains('█'));
    bars.map(|line| line.split(" █").next().unwrap().split(' ').next_back().unwrap().to_owned()).collect()
}

#[test]
fn a_small_bench_prints_what_it_writes() {
    let scratch = Scratch::new().unwrap();
    let [page, figures] = ["page.html", "figures.json"].map(|name| scratch.path().join(name));
    let files = [format!("--html={}", page.display()), format!("--json={}", figures.display())];
    let said = said(&bench(&["udp-32", "churn", "start", "--lang=en", &files[0], &files[1]]));
    if !is_available(&said) {
        return;
    }
    for words in
        ["Measured on linux ", "over 127.0.0.1", "a thread started for a client costs", "the load itself"]
    {
        assert!(said.contains(words), "{words}: {said}");
    }
    for line in said.lines().filter(|line| !line.contains(" is in ") && !line.contains(" are in ")) {
        assert!(xtask::width(line) <= 100, "{line}");
    }

    let json = Json::of(&fs::read_to_string(figures).unwrap());
    let page = fs::read_to_string(page).unwrap();
    let works = json.member("works").items();
    let names: Vec<_> = works.iter().map(|work| work.member("work").text()).collect();
    assert_eq!(names, ["churn", "udp-32", "start"], "in the order of the list, whatever the command line's");
    for work in works {
        let sides = work.member("places").items()[0].member("sides").items();
        let medians =
            |figure: usize| sides.iter().map(move |side| side.nth(1 + figure).member("median").text());
        let written: Vec<_> = medians(0).chain(medians(1)).collect();
        assert!(written.len() >= 4, "two figures of two sides at least");
        assert_eq!(printed(&said, work.member("work").text()), written);
        for median in written {
            assert!(page.contains(&format!(">{median}  (")), "{median}");
        }
        for side in sides {
            let counted = side.member("counted").items()[0].text().parse::<u32>().unwrap();
            assert!(counted > 0);
            let rounds = side.nth(1).member("rounds").items();
            assert_eq!(rounds[0].text(), side.nth(1).member("median").text(), "there is one round");
        }
        let floor = sides.iter().find(|side| side.member("side").text() == "floor").unwrap();
        assert_eq!(floor.nth(1).member("to_floor").text(), "null");
    }
    assert_eq!((page.matches("<svg").count(), page.matches("class=\"ladder\"").count()), (6, 0));
}

#[test]
fn the_bench_speaks_chinese_and_says_that_a_debug_build_costs_more() {
    let said = said(&bench(&["udp-1", "--lang=zh"]));
    if cfg!(target_os = "linux") {
        assert!(said.contains("下限") && said.contains("个应答个个正确"), "{said}");
        assert_eq!(said.contains("debug 构建"), cfg!(debug_assertions), "{said}");
    }
}

#[test]
fn what_the_bench_does_not_know_is_a_usage_error() {
    for (args, message) in [
        (
            &["tcp-2"][..],
            "unknown work 'tcp-2': it is one of tcp-1 tcp-64 tcp-1000 churn idle udp-1 udp-32 get start curve",
        ),
        (&["--rounds", "0"], "--rounds '0': it must be a number from 1 to 99"),
        (&["--json", "x.html"], "--json 'x.html': the name of a file of figures ends in .json"),
        (&["--html", "x.json"], "--html 'x.json': the name of a page ends in .html"),
        (&["--lang", "fr"], "--lang 'fr': it is en or zh"),
    ] {
        let mut command = crate::program("xtask");
        let refused = command.arg("bench").args(args).env("LC_ALL", "C.UTF-8").output().unwrap();
        let expected = format!("cargo xtask: {message}\nTry 'cargo xtask --help'.\n");
        let (status, complained) = (refused.status.code(), String::from_utf8(refused.stderr).unwrap());
        assert_eq!((status, refused.stdout.len(), complained), (Some(2), 0, expected));
    }
}

/// As much of a reader of JSON (RFC 8259) as tells whether a text is valid, and finds something in it.
#[derive(Debug)]
enum Json {
    /// A number, a string without its escapes, or a name.
    Text(String),
    Array(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    fn of(text: &str) -> Self {
        let mut rest = text;
        let value = Self::value(&mut rest);
        assert_eq!(rest.trim(), "", "something stands behind it");
        value
    }

    fn value(rest: &mut &str) -> Self {
        *rest = rest.trim_start();
        match rest.as_bytes()[0] {
            b'{' => Self::Object(Self::listed(rest, '}', |rest| {
                let name = Self::string(rest);
                assert!(Self::takes(rest, ':'), "a member has no value: {rest:.40}");
                (name, Self::value(rest))
            })),
            b'[' => Self::Array(Self::listed(rest, ']', Self::value)),
            b'"' => Self::Text(Self::string(rest)),
            _ => {
                let end = rest.find([',', '}', ']']).unwrap();
                let (word, behind) = rest.split_at(end);
                *rest = behind;
                let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
                let (whole, part) = word.split_once('.').unwrap_or((word, "0"));
                let is_number =
                    is_digits(whole) && is_digits(part) && (whole == "0" || !whole.starts_with('0'));
                assert!(is_number || ["null", "true", "false"].contains(&word), "{word:?} is no value");
                Self::Text(word.into())
            }
        }
    }

    fn takes(rest: &mut &str, mark: char) -> bool {
        let behind = rest.trim_start().strip_prefix(mark);
        *rest = behind.unwrap_or(rest);
        behind.is_some()
    }

    fn listed<T>(rest: &mut &str, end: char, mut item: impl FnMut(&mut &str) -> T) -> Vec<T> {
        *rest = &rest[1..];
        let mut items = Vec::new();
        while !Self::takes(rest, end) {
            assert!(items.is_empty() || Self::takes(rest, ','), "no comma: {rest:.40}");
            items.push(item(rest));
        }
        items
    }

    fn string(rest: &mut &str) -> String {
        assert!(Self::takes(rest, '"'), "no string: {rest:.40}");
        let mut is_escaped = false;
        let end = rest.find(|c| {
            assert!(!char::is_control(c), "a control stands in a string");
            let is_end = c == '"' && !is_escaped;
            is_escaped = c == '\\' && !is_escaped;
            is_end
        });
        let (text, behind) = rest.split_at(end.expect("a string ends"));
        *rest = &behind[1..];
        text.into()
    }

    fn text(&self) -> &str {
        if let Self::Text(text) = self { text } else { panic!("{self:?} is no text") }
    }

    fn items(&self) -> &[Self] {
        if let Self::Array(items) = self { items } else { panic!("{self:?} is no array") }
    }

    fn members(&self) -> &[(String, Self)] {
        if let Self::Object(members) = self { members } else { panic!("{self:?} is no object") }
    }

    fn member(&self, name: &str) -> &Self {
        &self.members().iter().find(|member| member.0 == name).unwrap_or_else(|| panic!("no {name}")).1
    }

    fn nth(&self, number: usize) -> &Self {
        &self.members()[number].1
    }
}
