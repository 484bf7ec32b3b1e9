//! What a program of each kind has to do, stage by stage, as data. A stage is one row: what it promises, what is done to
//! the program, and what is likely wrong where it fails. The judge plays it on a student's program, the soak on ours.

// Files of rows: a condition, a text, the same text in Chinese, a line each.
#[rustfmt::skip]
mod any;
#[rustfmt::skip]
mod get;
#[rustfmt::skip]
mod more;
mod prelude;
mod stage;
#[rustfmt::skip]
mod tcp_client;
#[rustfmt::skip]
mod tcp_server;
#[rustfmt::skip]
mod tcp_words;
#[rustfmt::skip]
mod udp_client;
#[rustfmt::skip]
mod udp_server;

pub use any::IN_USE;
pub use get::GET;
pub use stage::{Evidence, Exercise, Location, Mistake, Stage, Tables, Waits};
pub use tcp_client::TCP_CLIENT;
pub use tcp_server::TCP_SERVER;
pub use udp_client::UDP_CLIENT;
pub use udp_server::UDP_SERVER;

pub static ALL: [&Exercise; 5] = [&TCP_SERVER, &UDP_SERVER, &TCP_CLIENT, &UDP_CLIENT, &GET];

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn within_an_exercise_a_name_stands_for_one_mistake() {
        for exercise in ALL {
            let mut words = HashMap::new();
            for mistake in exercise.mistakes() {
                let all = (mistake.lesson, mistake.words);
                assert_eq!(*words.entry(mistake.name).or_insert(all), all, "{}", exercise.name);
            }
        }
    }

    #[test]
    fn every_mistake_has_its_two_sentences_and_three_lines_and_none_is_left_over() {
        let mistakes: Vec<_> = ALL.into_iter().flat_map(Exercise::mistakes).collect();
        let mut used: Vec<_> = mistakes.iter().map(|one| one.more().expect(one.name)).collect();
        for (why, pattern) in &used {
            let sentences = |text: &str, end: &str| text.matches(end).count() + 1;
            assert_eq!((sentences(&why.en, ". "), why.zh.matches('。').count()), (2, 2), "{why:?}");
            assert!(pattern.iter().all(|line| line.is_ascii() && line.len() < 92), "{pattern:?}");
        }
        used.sort_by(|(one, _), (other, _)| one.en.cmp(&other.en));
        used.dedup_by(|(one, _), (other, _)| one == other);
        let named = |name: &str| mistakes.iter().any(|one| one.name == name);
        let names = more::ALL.iter().flat_map(|(_, mistakes, ..)| mistakes.split_terminator(' '));
        assert_eq!(names.filter(|name| !named(name)).collect::<Vec<_>>(), [""; 0]);
        assert_eq!(used.len(), more::ALL.len());
    }

    #[test]
    fn scripts_for_a_server_that_runs_already_leave_out_what_only_a_judge_can_do() {
        let left_out = |exercise: &Exercise| {
            let is_script = |stage: &Stage| exercise.scripts().any(|script| stage.script.ends_with(script));
            let stages = exercise.stages.iter().filter(|stage| !is_script(stage));
            stages.map(|stage| stage.name).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(left_out(&TCP_SERVER), "listens tidy stops restart");
        assert_eq!(left_out(&UDP_SERVER), "binds still stops");
        assert_eq!(TCP_CLIENT.scripts().count(), 0);
    }
}
