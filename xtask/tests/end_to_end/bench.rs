//! The bench: what it prints, and what it writes for a page and for a machine. Nothing here asserts a speed.

use std::fs;

use xtask::Scratch;

/// What the bench says, of programs as they were built for the tests.
fn bench(args: &[&str]) -> String {
    let mut command = crate::program("xtask");
    let output = command.args(["bench", "--as-built", "--rounds=1"]).args(args).output().unwrap();
    let [said, complained] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    assert!(output.status.success(), "{said}\n{complained}");
    said.into_owned()
}

/// The figures of the bars of a work, in their order.
fn printed(said: &str, work: &str) -> Vec<String> {
    let rest = said.split(&format!("\n== {work} ==\n")).nth(1).unwrap();
    let bars = rest.split("\n== ").next().unwrap().lines().filter(|line| line.contains('█'));
    bars.map(|line| line.split(" █").next().unwrap().split(' ').next_back().unwrap().to_owned()).collect()
}

#[test]
fn a_small_bench_prints_what_it_writes() {
    let scratch = Scratch::new().unwrap();
    let [page, figures] = ["page.html", "figures.json"].map(|name| scratch.path().join(name));
    let files = [format!("--html={}", page.display()), format!("--json={}", figures.display())];
    let said = bench(&["udp-32", "churn", "start", "--lang=en", &files[0], &files[1]]);
    if cfg!(not(target_os = "linux")) {
        return; // there are no figures
    }
    for words in ["Measured on linux ", "127.0.0.1", "a thread started for a client costs", "the load itself"]
    {
        assert!(said.contains(words), "{words}: {said}");
    }
    for line in said.lines().filter(|line| !line.contains(" is in ") && !line.contains(" are in ")) {
        assert!(xtask::width(line) <= 100, "{line}");
    }

    let (json, page) = (fs::read_to_string(figures).unwrap(), fs::read_to_string(page).unwrap());
    for (json, work) in json.split("{\"work\": \"").skip(1).zip(["churn", "udp-32", "start"]) {
        assert!(json.starts_with(work), "in the order of the list, whatever the command's");
        assert!(json.contains("\"to_baseline\": null") && !json.contains("\"counted\": [0"), "{json}");
        let medians = printed(&said, work);
        assert!(medians.len() >= 4 && medians.len() % 2 == 0, "two figures of two variants at least: {said}");
        for median in medians {
            let is_number = median.parse::<f64>().unwrap().is_finite();
            let is_there = json.contains(&format!("\"median\": {median},"));
            assert!(is_number && is_there, "{median}: {json}");
        }
    }
    let count = |what: &str| page.matches(what).count();
    assert_eq!((count("<pre class=\"printed\""), count("class=\"ladder\"")), (6, 0));
    let mut bars = said.lines().filter(|line| line.contains('█'));
    assert!(bars.all(|line| page.contains(&line.replace('\'', "&#39;"))), "{page}");
}

#[test]
fn the_bench_speaks_chinese_and_says_that_a_debug_build_costs_more() {
    let said = bench(&["udp-1", "--lang=zh"]);
    if cfg!(target_os = "linux") {
        assert!(said.contains("基准") && said.contains("每个应答都正确（"), "{said}");
        assert_eq!(said.contains("debug 构建"), cfg!(debug_assertions), "{said}");
    }
}
