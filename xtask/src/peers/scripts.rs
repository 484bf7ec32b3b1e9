//! The scripts: what clients do to a server, and what a host does to its client. Each is about one thing that goes
//! wrong in programs.

use common::framing::LIMIT;
use common::greeting::{EXIT, WELCOME};

use super::script::Step;

const MICHAEL: &[u8] = b"Michael";
const TRACY: &[u8] = b"Tracy";
const SARAH: &[u8] = b"Sarah";
/// A name, though it begins as one that leaves.
const EXITING: &[u8] = b"exiting";
const CHINESE: &[u8] = "张三".as_bytes();
const NOT_UTF8: &[u8] = b"\xff\xfe";
const BLANKS: &[u8] = b"   ";

/// What clients do to a server over TCP.
pub mod tcp_server {
    use super::Step::{
        self, BreaksOff, Comes, Enters, Greeted, Hears, HearsAnything, HearsGreeting, HearsHalfAtMost,
        HearsNoMore, HearsOr, HearsTheEnd, Leaves, NeedsBoundary, Resets, Rest, Says, SaysByBytes,
        SaysNoMore, Waits,
    };
    use super::{BLANKS, CHINESE, EXIT, EXITING, LIMIT, MICHAEL, NOT_UTF8, SARAH, TRACY, WELCOME};

    pub const WELCOMES: &[Step] = &[Enters(1), Rest, HearsNoMore(1)];
    pub const GREETS: &[Step] = &[Enters(1), Greeted(1, MICHAEL), Rest, HearsNoMore(1)];
    pub const AGAIN: &[Step] = &[Enters(1), Greeted(1, MICHAEL), Greeted(1, TRACY), Greeted(1, CHINESE)];
    /// First with nobody else there. Whoever is served at the same time is welcomed before the one who then says it
    /// leaves; and who comes later is let in.
    pub const EXITS: &[Step] = &[
        Enters(1),
        Says(1, &[EXIT]),
        HearsTheEnd(1),
        Enters(2),
        Comes(3),
        Waits(3),
        Says(2, &[EXIT]),
        HearsTheEnd(2),
        Hears(3, WELCOME),
        Greeted(3, EXITING),
    ];
    pub const LEAVES: &[Step] = &[
        Enters(1),
        Leaves(1),
        Enters(2),
        SaysNoMore(2),
        HearsTheEnd(2),
        Enters(3),
        BreaksOff(3, MICHAEL),
        HearsHalfAtMost(3),
        Enters(4),
        Greeted(4, TRACY),
    ];
    pub const CROWD: &[Step] = &[
        Enters(1),
        Comes(2),
        Comes(3),
        HearsOr(2, WELCOME, &[Leaves(1)]),
        HearsOr(3, WELCOME, &[Leaves(1)]),
        Greeted(3, SARAH),
        Greeted(2, TRACY),
        Greeted(1, MICHAEL),
    ];
    pub const GLUED: &[Step] =
        &[NeedsBoundary, Enters(1), Says(1, &[MICHAEL, EXIT]), HearsGreeting(1, MICHAEL), HearsTheEnd(1)];
    pub const CUT: &[Step] = &[NeedsBoundary, Enters(1), SaysByBytes(1, CHINESE), HearsGreeting(1, CHINESE)];
    pub const BYTES: &[Step] = &[
        Enters(1),
        Greeted(1, NOT_UTF8),
        Leaves(1),
        Enters(2),
        Greeted(2, BLANKS),
        Leaves(2),
        NeedsBoundary,
        Enters(3),
        Greeted(3, b""),
    ];
    pub const LONG: &[Step] = &[
        Enters(1),
        Greeted(1, &[b'x'; LIMIT]),
        NeedsBoundary,
        Says(1, &[&[b'y'; LIMIT + 1]]),
        HearsAnything(1),
        Leaves(1),
        Enters(2),
        Greeted(2, TRACY),
    ];
    pub const HALF_CLOSE: &[Step] =
        &[Enters(1), Says(1, &[MICHAEL]), SaysNoMore(1), HearsGreeting(1, MICHAEL), HearsTheEnd(1)];
    pub const RESETS: &[Step] = &[
        Enters(1),
        Comes(2),
        Says(2, &[MICHAEL]),
        Resets(2),
        Rest, // whom a reset ends is gone by then
        Greeted(1, TRACY),
        Leaves(1),
        Enters(3),
        Greeted(3, SARAH),
        Leaves(3),
        Enters(4), // a listener that is closed while accept waits may take one more
    ];

    /// All of them.
    pub const ALL: [&[Step]; 12] =
        [WELCOMES, GREETS, AGAIN, EXITS, LEAVES, CROWD, GLUED, CUT, BYTES, LONG, HALF_CLOSE, RESETS];
}

/// What clients do to a server over UDP.
pub mod udp_server {
    use super::Step::{self, Comes, Greeted, GreetedOrRefused, HearsGreeting, Leaves, Says};
    use super::{BLANKS, CHINESE, MICHAEL, NOT_UTF8, SARAH, TRACY};

    pub const GREETS: &[Step] = &[Comes(1), Greeted(1, MICHAEL)];
    pub const AGAIN: &[Step] = &[Comes(1), Greeted(1, MICHAEL), Greeted(1, TRACY), Greeted(1, CHINESE)];
    pub const CLIENTS: &[Step] = &[
        Comes(1),
        Comes(2),
        Comes(3),
        Says(1, &[MICHAEL]),
        Says(2, &[TRACY]),
        Says(3, &[SARAH]),
        HearsGreeting(3, SARAH),
        HearsGreeting(2, TRACY),
        HearsGreeting(1, MICHAEL),
        Greeted(2, MICHAEL),
    ];
    pub const EMPTY: &[Step] = &[Comes(1), Greeted(1, b""), Greeted(1, TRACY)];
    pub const BYTES: &[Step] = &[Comes(1), Greeted(1, NOT_UTF8), Greeted(1, BLANKS)];
    pub const LARGE: &[Step] = &[Comes(1), Greeted(1, &[b'x'; 1024]), GreetedOrRefused(1, &[b'y'; 8000])];
    pub const GONE: &[Step] = &[
        Comes(1),
        Says(1, &[MICHAEL]),
        Leaves(1),
        Comes(2),
        Says(2, &[MICHAEL]),
        Leaves(2),
        Comes(3),
        Says(3, &[MICHAEL]),
        Leaves(3),
        Comes(4),
        Greeted(4, TRACY),
    ];
    pub const GREETING: &[Step] = &[Comes(1), Says(1, &[b"Hello, Bob!"]), Greeted(1, TRACY)];

    /// All of them that ours answers without a word of refusal.
    pub const ALL: [&[Step]; 8] = [GREETS, AGAIN, CLIENTS, EMPTY, BYTES, LARGE, GONE, GREETING];
}

const HELLO_MICHAEL: &[u8] = b"Hello, Michael!";
const HELLO_TRACY: &[u8] = b"Hello, Tracy!";
const HELLO_SARAH: &[u8] = b"Hello, Sarah!";

/// How a host goes on, over TCP or UDP, once its client has had Michael's greeting.
pub const THE_OTHERS: &[Step] = &[
    Step::Hears(1, TRACY),
    Step::Says(1, &[HELLO_TRACY]),
    Step::Hears(1, SARAH),
    Step::Says(1, &[HELLO_SARAH]),
];

/// What a host does to its client over TCP; [`THE_OTHERS`] follow, and then [`EXITS`](tcp_client::EXITS).
pub mod tcp_client {
    use super::Step::{
        self, Hears, HearsNoMore, HearsOr, NeedsBoundary, Rest, Says, SaysByBytes, SaysNoMore, Thinks,
    };
    use super::{EXIT, HELLO_MICHAEL, HELLO_SARAH, HELLO_TRACY, MICHAEL, SARAH, TRACY, WELCOME};

    /// It waits for the answer.
    pub const GREETS: &[Step] =
        &[Says(1, &[WELCOME]), Hears(1, MICHAEL), Rest, HearsNoMore(1), Says(1, &[HELLO_MICHAEL])];
    /// One that waits for what it has already goes on with the next greeting.
    pub const GLUED: &[Step] = &[
        NeedsBoundary,
        Says(1, &[WELCOME, HELLO_MICHAEL]),
        Hears(1, MICHAEL),
        HearsOr(1, TRACY, &[Says(1, &[HELLO_TRACY])]),
        Says(1, &[HELLO_TRACY]),
        Hears(1, SARAH),
        Says(1, &[HELLO_SARAH]),
    ];
    pub const CUT: &[Step] =
        &[NeedsBoundary, Says(1, &[WELCOME]), Hears(1, MICHAEL), SaysByBytes(1, HELLO_MICHAEL)];
    pub const SLOW: &[Step] =
        &[Thinks, Says(1, &[WELCOME]), Hears(1, MICHAEL), Thinks, Says(1, &[HELLO_MICHAEL])];
    pub const EXITS: &[Step] = &[Hears(1, EXIT)];
    /// Nothing follows.
    pub const EARLY: &[Step] = &[Says(1, &[WELCOME]), Hears(1, MICHAEL), SaysNoMore(1)];
}

/// What a host does to its client over UDP; [`THE_OTHERS`] follow where nothing else is said.
pub mod udp_client {
    use super::Step::{self, Hears, IsWaitedFor, Loses, Says, StrangerSays};
    use super::{HELLO_MICHAEL, HELLO_SARAH, HELLO_TRACY, MICHAEL, SARAH, TRACY};

    pub const GREETS: &[Step] = &[Hears(1, MICHAEL), IsWaitedFor(1, MICHAEL), Says(1, &[HELLO_MICHAEL])];
    pub const LOST: &[Step] =
        &[Hears(1, MICHAEL), Loses(1, HELLO_MICHAEL), Hears(1, MICHAEL), Says(1, &[HELLO_MICHAEL])];
    /// A copy of the first answer was under way for long. Nothing follows.
    pub const LATE: &[Step] = &[
        Hears(1, MICHAEL),
        Says(1, &[HELLO_MICHAEL]),
        Hears(1, TRACY),
        Says(1, &[HELLO_MICHAEL]),
        IsWaitedFor(1, TRACY),
        Says(1, &[HELLO_TRACY]),
        Hears(1, SARAH),
        Says(1, &[HELLO_SARAH]),
    ];
    /// Nothing follows.
    pub const TWICE: &[Step] = &[
        Hears(1, MICHAEL),
        Says(1, &[HELLO_MICHAEL, HELLO_MICHAEL]),
        Hears(1, TRACY),
        Says(1, &[HELLO_TRACY, HELLO_TRACY]),
        Hears(1, SARAH),
        Says(1, &[HELLO_SARAH, HELLO_SARAH]),
    ];
    pub const STRANGER: &[Step] = &[
        Hears(1, MICHAEL),
        StrangerSays(1, HELLO_MICHAEL),
        IsWaitedFor(1, MICHAEL),
        Says(1, &[HELLO_MICHAEL]),
    ];
    pub const BYTES: &[Step] = &[
        Hears(1, MICHAEL),
        Says(1, &[b"Hello, \xff\xfe!"]),
        IsWaitedFor(1, MICHAEL),
        Says(1, &[HELLO_MICHAEL]),
    ];
}

/// What a host does to its client over HTTP; there the framing is raw.
pub mod get {
    use super::Step::{self, IsAskedFor, Says, SaysByBytes, SaysNoMore};
    use crate::peers::replies;

    const ASKED: Step = IsAskedFor(1, "/page");

    pub const LENGTH: &[Step] = &[ASKED, Says(1, &[replies::LENGTH.as_bytes()]), SaysNoMore(1)];
    pub const CLOSE: &[Step] = &[ASKED, Says(1, &[replies::CLOSE.as_bytes()]), SaysNoMore(1)];
    pub const CHUNKED: &[Step] = &[ASKED, Says(1, &[replies::CHUNKED_LINES.as_bytes()]), SaysNoMore(1)];
    pub const CUT: &[Step] = &[ASKED, SaysByBytes(1, replies::LENGTH.as_bytes()), SaysNoMore(1)];
    pub const EMPTY: &[Step] = &[ASKED, Says(1, &[replies::NO_CONTENT.as_bytes()])];
    pub const SHORT: &[Step] = &[ASKED, Says(1, &[replies::CUT.as_bytes()]), SaysNoMore(1)];
    pub const OPEN: &[Step] = &[ASKED, Says(1, &[replies::LENGTH.as_bytes()])];
    pub const OPEN_CHUNKED: &[Step] = &[ASKED, Says(1, &[replies::CHUNKED_LINES.as_bytes()])];
    pub const LARGE: &[Step] = &[ASKED];
    pub const STATUS: &[Step] = &[ASKED, Says(1, &[replies::NOT_FOUND.as_bytes()]), SaysNoMore(1)];
    pub const NO_HTTP: &[Step] = &[ASKED, Says(1, &[b"SSH-2.0-OpenSSH_9.6\r\n"]), SaysNoMore(1)];
}
