//! The tutorial does what it says: its programs are run as its reader runs them, and the book shows all of them.

use std::{
    fs,
    io::{BufRead, BufReader, Lines},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Output, Stdio},
};

/// A program of the tutorial that runs until the test ends.
struct Running {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Running {
    fn start(program: &str, args: &[&str]) -> Self {
        let mut child =
            Command::new(program).args(args).stdout(Stdio::piped()).spawn().expect("the program starts");
        let lines = BufReader::new(child.stdout.take().expect("it was asked for")).lines();
        Self { child, lines }
    }

    /// The next line it prints.
    fn line(&mut self) -> String {
        self.lines.next().expect("the program goes on").expect("it prints text")
    }

    /// The next line that is the one looked for, of the few dozen that may come before.
    fn line_where(&mut self, wanted: impl Fn(&str) -> bool) -> String {
        let mut others = Vec::new();
        for line in self.lines.by_ref().take(60).map_while(Result::ok) {
            if wanted(&line) {
                return line;
            }
            others.push(line);
        }
        panic!("not printed: {others:#?}");
    }

    /// SIGKILL: it has no chance to say anything to anybody.
    fn kill(&mut self) {
        self.child.kill().expect("it is a child of this process");
        self.child.wait().expect("it is a child of this process");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have been killed by the test, which is what is wanted here.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The last word of a line: the address a program listens on.
fn last_word(line: &str) -> String {
    line.rsplit(' ').next().unwrap_or_default().to_owned()
}

fn folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// What the book shows as the output of a program, beside what it printed here, on another port.
fn assert_printed(shown: &str, output: &Output, address: &str) {
    let printed = [&output.stdout[..], &output.stderr[..]].concat();
    let printed = String::from_utf8_lossy(&printed).replace(address, "127.0.0.1:7001");
    assert_eq!(read(folder().join("output").join(shown)), printed, "{output:?}");
}

#[test]
fn the_first_programs_print_what_the_book_shows() {
    let mut server = Running::start(env!("CARGO_BIN_EXE_server"), &["127.0.0.1:0"]);
    let address = last_word(&server.line());
    let run = |program, address: &str| Command::new(program).arg(address).output().unwrap();
    assert_printed("client.txt", &run(env!("CARGO_BIN_EXE_client"), &address), &address);
    assert_printed("trouble.txt", &run(env!("CARGO_BIN_EXE_trouble"), &address), &address);
    server.kill();
    assert_printed("refused.txt", &run(env!("CARGO_BIN_EXE_client"), &address), &address);
    assert_printed("plaintext.txt", &run(env!("CARGO_BIN_EXE_server"), "0.0.0.0:7001"), &address);
}

#[test]
fn calls_go_on_when_a_worker_is_killed() {
    let worker = |args: &[&str]| Running::start(env!("CARGO_BIN_EXE_worker"), args);
    let mut ann = worker(&["ann", "127.0.0.1:0"]);
    let seed = last_word(&ann.line());
    let mut bob = worker(&["bob", "127.0.0.1:0", &seed]);
    let _cyd = worker(&["cyd", "127.0.0.1:0", &seed]);
    let mut calls = Running::start(env!("CARGO_BIN_EXE_calls"), &[&seed]);
    calls.line_where(|line| ["ann", "bob", "cyd"].iter().all(|name| line.contains(&format!("\"{name}\""))));
    bob.kill();
    calls.line_where(|line| line == "bob failed");
    let answered = calls.line_where(|line| line.starts_with("answered"));
    assert!(answered.ends_with("failed 0"), "{answered}");
}

fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(path).expect("a text file of the repository")
}

/// The files in a folder.
fn files(folder: PathBuf) -> impl Iterator<Item = PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder of the repository");
    entries.map(|entry| entry.expect("an entry of it").path()).filter(|path| path.is_file())
}

#[test]
fn the_book_shows_every_line_of_the_programs() {
    let book = folder().join("../../book/src");
    let chapters: String = files(book.clone()).chain(files(book.join("tutorial"))).map(read).collect();
    let programs = files(folder().join("src")).chain(files(folder().join("src/bin")));
    let others = ["manifest.toml", "tests/kill.rs"].map(|name| folder().join(name));
    for path in programs.chain(others) {
        let name = path.strip_prefix(folder()).unwrap().display().to_string();
        let mut open = 0;
        for line in read(&path).lines().map(str::trim) {
            if let Some((_, anchor)) = line.split_once("ANCHOR: ") {
                let include = format!("examples/tutorial/{name}:{anchor}}}}}");
                assert!(chapters.contains(&include), "{name}: {anchor} is not shown");
                open += 1;
            } else if line.contains("ANCHOR_END: ") {
                open -= 1;
            } else {
                let about = line.is_empty() || line.starts_with("//!") || line.starts_with("# ");
                assert!(about || open > 0, "{name}: not shown: {line}");
            }
        }
    }
}

#[test]
fn the_readers_manifest_names_what_the_programs_use() {
    let names = |manifest: &str, section: &str| {
        let text = read(folder().join(manifest));
        let (_, section) = text.split_once(&format!("[{section}]\n")).unwrap();
        let lines = section.lines().take_while(|line| !line.starts_with('['));
        let name = |line: &str| line.split(['.', ' ']).next().map(str::to_owned);
        lines.filter(|line| !line.is_empty() && !line.starts_with('#')).filter_map(name).collect::<Vec<_>>()
    };
    for section in ["dependencies", "dev-dependencies"] {
        assert_eq!(names("manifest.toml", section), names("Cargo.toml", section));
    }
}
