//! What the rows of every exercise name.

pub use super::stage::Likely::Among;
pub use super::stage::{Evidence, Exercise, Likely, Stage, When, all, is, other_around_the_name, stage};
pub use crate::peers::script::Step::{self, *};
pub use crate::peers::script::{Expected, How};
pub use crate::wire::event::Side;
pub use crate::wire::kernel::Protocol;
pub use crate::words::Words;

pub const MICHAEL: &[u8] = b"Michael";
pub const TRACY: &[u8] = b"Tracy";
pub const SARAH: &[u8] = b"Sarah";
/// A name, though it begins like exit.
pub const EXITING: &[u8] = b"exiting";
pub const CHINESE: &[u8] = "张三".as_bytes();
/// And no byte order mark, for which some readers look at the beginning of a stream.
pub const NOT_UTF8: &[u8] = b"\xe9\xff";
pub const SPACES: &[u8] = b"   ";
/// A name that is longer than a string of C's.
pub const ZERO: &[u8] = b"a\0b";
/// A name that is no format.
pub const FORMAT: &[u8] = b"%s%s%s%n";
pub const HELLO_MICHAEL: &[u8] = b"Hello, Michael!";
pub const HELLO_TRACY: &[u8] = b"Hello, Tracy!";
pub const HELLO_SARAH: &[u8] = b"Hello, Sarah!";
/// What a client has to print, each once.
pub const GREETINGS: &[&str] = &["Hello, Michael!", "Hello, Tracy!", "Hello, Sarah!"];
