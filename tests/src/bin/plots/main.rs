//! Draws the book's plots anew from the figures beside them: `cargo run -p rpcnet-tests --bin plots`.

use std::{fs, path::Path, process::ExitCode};

use rpcnet_tests::{
    plot::{FOLDERS, render},
    say,
};

fn main() -> ExitCode {
    match draw() {
        Ok(drawn) => {
            say!("summary: drawn={drawn}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("plots: {error}");
            ExitCode::FAILURE
        }
    }
}

fn draw() -> Result<usize, Box<dyn std::error::Error>> {
    let (book, mut drawn) = (Path::new(env!("CARGO_MANIFEST_DIR")).join("../book/src"), 0);
    let mut entries = Vec::new();
    for folder in FOLDERS {
        entries.extend(fs::read_dir(book.join(folder))?);
    }
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == "csv") {
            let picture =
                render(&fs::read_to_string(&path)?).map_err(|why| format!("{}: {why}", path.display()))?;
            fs::write(path.with_extension("svg"), picture)?;
            drawn += 1;
        }
    }
    Ok(drawn)
}
