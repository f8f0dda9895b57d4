//! A name server that knows nothing, on an address of its own below 127.0.0.0/8, and a way to run a
//! test of this process again where the system asks it.

use std::net::{Ipv4Addr, UdpSocket};
use std::process::Command;

/// What it does with each question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answering {
    /// It answers SERVFAIL: its own servers do not answer.
    Failure,
    /// It answers nothing.
    Silence,
}

/// How a server says that it failed (RFC 1035, section 4.1.1).
const RESPONSE: u8 = 0b1000_0000;
const SERVFAIL: u8 = 2;

/// Set in a process whose system asks the server.
const INSIDE: &str = "ECHECK_TEST_NAME_SERVER";

/// Runs the test of this name once more, in a process whose system asks a name server that answers
/// in this way. False in that process itself, which then does the work.
///
/// # Panics
/// When the test fails there, or when this process may not make a namespace: it takes root.
#[must_use]
pub fn ran_behind(answering: Answering, test: &str) -> bool {
    if std::env::var_os(INSIDE).is_some() {
        return false;
    }
    let [_, _, high, low] = std::process::id().to_be_bytes();
    let address = Ipv4Addr::new(127, 77, high, low);
    let socket = UdpSocket::bind((address, 53)).expect("port 53 of an address of ours is free");
    std::thread::spawn(move || serve(&socket, answering));
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("resolv.conf");
    std::fs::write(&file, format!("nameserver {address}\n")).expect("it can be written");
    let script = format!(
        "mount --bind {} /etc/resolv.conf && exec \"$@\"",
        file.display()
    );
    let program = std::env::current_exe().expect("this program");
    let status = Command::new("unshare")
        .args(["--mount", "sh", "-c", &script, "sh"])
        .arg(program)
        .args(["--exact", test, "--nocapture"])
        .env(INSIDE, "1")
        .status()
        .expect("unshare runs");
    assert!(status.success(), "{test} failed behind the name server");
    true
}

fn serve(socket: &UdpSocket, answering: Answering) {
    let mut message = [0; 512];
    while let Ok((bytes, from)) = socket.recv_from(&mut message) {
        if let (Answering::Failure, Some(answer)) = (answering, message.get_mut(..bytes))
            && let [_, _, flags, code, ..] = answer
        {
            *flags |= RESPONSE;
            *code = SERVFAIL;
            // Who does not wait any more is gone.
            let _ = socket.send_to(answer, from);
        }
    }
}
