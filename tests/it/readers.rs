//! Programs whose reader goes away, as `| head` does.

use std::io;
use std::process::{Command, Stdio};

use rpcnet_tests::out::READER_GONE;

#[test]
fn a_program_that_nobody_reads_ends_quietly() {
    let programs: &[(&str, &[&str])] = &[
        (env!("CARGO_BIN_EXE_simulate"), &["--scenario", "crash", "--nodes", "3", "--seed", "1"]),
        (env!("CARGO_BIN_EXE_exactly-once"), &["--seconds", "1"]),
        (env!("CARGO_BIN_EXE_resilience"), &["--scenario", "kill"]),
        (env!("CARGO_BIN_EXE_rotate"), &["--rotations", "0", "--callers", "1"]),
        (env!("CARGO_BIN_EXE_protocol_peer"), &[]),
        #[cfg(target_os = "linux")]
        (env!("CARGO_BIN_EXE_hostile"), &["--list"]),
    ];
    for (program, args) in programs {
        let (reader, writer) = io::pipe().unwrap();
        drop(reader);
        let mut command = Command::new(program);
        let ended = command.args(*args).stdout(writer).stdin(Stdio::null()).output().unwrap();
        // A panic has words, and another status.
        let complaint = String::from_utf8_lossy(&ended.stderr);
        assert_eq!((complaint.as_ref(), ended.status.code()), ("", Some(READER_GONE.into())), "{program}");
    }
}
