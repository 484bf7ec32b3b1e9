//! The tap between two sides of which one resets its connection. Only Linux does so whenever unread bytes are left.

use std::io::{Read, Write};
use std::thread;
use std::time::Duration;

use crate::tap::{arrows, connected, tap_and_server};

#[test]
fn a_client_that_resets_ends_the_server_and_is_drawn_as_a_reset() {
    let (mut tap, server) = tap_and_server(&[]);
    let (mut client, mut accepted) = connected(&tap, &server);
    accepted.write_all(b"more than is read").unwrap();
    client.read_exact(&mut [0]).unwrap();
    drop(client); // with unread bytes: Linux sends a reset
    while accepted.write(&[0; 4096]).is_ok() {}
    let drawn = arrows(&tap.wait_for_lines(1, "─ reset ─"));
    assert_eq!(drawn.last().unwrap(), ">reset");
    assert!(tap.stop().said.contains(&"  reset on the client's side: #1".to_owned()));
}

#[test]
fn a_server_that_waits_unread_is_ended_by_a_reset_as_well() {
    let (tap, server) = tap_and_server(&[]);
    let (mut client, mut accepted) = connected(&tap, &server);
    // Until neither the tap nor the client takes any more: then something waits in the tap's own socket.
    accepted.set_write_timeout(Some(Duration::from_millis(300))).unwrap();
    while accepted.write(&[b'x'; 8192]).is_ok() {}
    client.read_exact(&mut [0]).unwrap();
    drop(client);
    // An end of stream would be an empty read, and no error.
    accepted.set_read_timeout(None).unwrap();
    assert!(accepted.read(&mut [0]).is_err());
    let said = tap.stop().said;
    assert!(!said.iter().any(|line| line.contains("remark, #1")), "{said:?}");
}

#[test]
fn what_a_server_says_before_it_resets_reaches_the_client() {
    let (tap, server) = tap_and_server(&[]);
    for _ in 0..12 {
        let (mut client, mut accepted) = connected(&tap, &server);
        let asking = thread::spawn(move || {
            let _ = client.write_all(&vec![b'x'; 5_000_000]); // it is reset at some time
            let mut heard = Vec::new();
            let _ = client.read_to_end(&mut heard);
            heard
        });
        accepted.read_exact(&mut [0; 100]).unwrap();
        accepted.write_all(b"too large").unwrap();
        drop(accepted); // with unread bytes
        assert_eq!(asking.join().unwrap(), b"too large");
    }
}

#[test]
fn what_a_client_says_before_it_resets_reaches_a_server_that_goes_on_sending() {
    let (tap, server) = tap_and_server(&[]);
    for _ in 0..12 {
        let (mut client, mut accepted) = connected(&tap, &server);
        accepted.write_all(&[b'x'; 100]).unwrap();
        client.read_exact(&mut [0]).unwrap();
        client.write_all(b"bye").unwrap();
        drop(client); // with unread bytes
        let mut heard = Vec::new();
        while accepted.write_all(&[b'x'; 100]).is_ok() {}
        let _ = accepted.read_to_end(&mut heard);
        assert_eq!(heard, b"bye");
    }
}
