//! The language of messages: English, or Chinese in a task of `xtask` that is asked for it.

use std::sync::atomic::{AtomicBool, Ordering};

static IS_CHINESE: AtomicBool = AtomicBool::new(false);

/// From now on, every [`text!`](crate::text) is Chinese.
pub fn speak_chinese() {
    IS_CHINESE.store(true, Ordering::Relaxed);
}

/// Whether messages are in Chinese.
pub fn is_chinese() -> bool {
    IS_CHINESE.load(Ordering::Relaxed)
}

/// A message in the language of this process, from two format strings that capture the same variables.
#[macro_export]
macro_rules! text {
    ($en:literal, $zh:literal $(,)?) => {
        if $crate::language::is_chinese() { format!($zh) } else { format!($en) }
    };
}
