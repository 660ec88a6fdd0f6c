//! How much code there is of a crate: as written, with its macros expanded, as LLVM gets it, and as a program.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
};

use crate::{
    args::Settings,
    cargo::{cargo, run, shown},
    compiler,
    failure::Failure,
    framework::Framework,
    samples::Samples,
};

/// The sizes of one crate's code.
#[derive(Debug)]
pub(crate) struct Code {
    pub(crate) framework: Framework,
    /// Lines as a person wrote them.
    pub(crate) written: usize,
    /// Lines when every macro is expanded and what a build script generated is included, or why that is not known.
    pub(crate) expanded: Result<usize, Failure>,
    /// Lines of LLVM's intermediate representation, without optimization.
    pub(crate) ir: usize,
    /// Bytes of the optimized, stripped program, if it was built.
    pub(crate) program: Option<u64>,
}

impl Code {
    pub(crate) fn measure(
        samples: &Samples,
        framework: Framework,
        settings: Settings,
    ) -> Result<Self, Failure> {
        eprintln!("code of {framework}");
        Ok(Self {
            framework,
            written: written(samples, framework)?,
            expanded: expanded(samples, framework),
            ir: ir(samples, framework)?,
            program: settings.release.then(|| program(samples, framework)).transpose()?,
        })
    }

    /// Lines that macros and build scripts added.
    pub(crate) fn generated(&self) -> Option<usize> {
        Some(self.expanded.as_ref().ok()?.saturating_sub(self.written))
    }
}

fn written(samples: &Samples, framework: Framework) -> Result<usize, Failure> {
    let mut sum = 0;
    for path in samples.written(framework) {
        let text = fs::read_to_string(&path).map_err(|error| Failure::file(&path, &error))?;
        sum += lines(&formatted(samples, text)?);
    }
    Ok(sum)
}

fn expanded(samples: &Samples, framework: Framework) -> Result<usize, Failure> {
    // What is printed is not kept: an unchanged crate would print nothing.
    samples.touch(framework)?;
    let package = framework.package();
    let args = ["rustc", "--frozen", "--package", &package, "--", "-Zunpretty=expanded"];
    let mut command = cargo(samples, args);
    compiler::wrap(&mut command).map_err(|error| Failure::new(error.to_string()))?;
    let output = run(&mut command, &format!("expand the macros of the sample crate of {framework}"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok(lines(&formatted(samples, text)?))
}

/// Lines that hold code: comments and documentation are not counted.
fn lines(source: &str) -> usize {
    let code = |line: &&str| !line.is_empty() && !line.starts_with("//");
    source.lines().map(str::trim).filter(code).count()
}

/// The source as rustfmt would have it.
fn formatted(samples: &Samples, source: String) -> Result<String, Failure> {
    let mut command = Command::new("rustfmt");
    command.args(["--edition", "2024"]).current_dir(samples.folder());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let shown = shown(&command);
    let failure = |error| Failure::new(format!("could not run rustfmt: {error}")).of(shown.clone());
    let mut child = command.spawn().map_err(failure)?;
    let stdin = child.stdin.take();
    // From a thread of its own: rustfmt may begin to write before it has read everything.
    let feeder = thread::spawn(move || stdin.map(|mut stdin| stdin.write_all(source.as_bytes())));
    let output = child.wait_with_output().map_err(failure)?;
    // What rustfmt did not read, it complains about itself.
    let _ = feeder.join();
    if !output.status.success() {
        let failure = Failure::new("rustfmt does not understand the source").of(shown);
        return Err(failure.saying(&output.stderr));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn ir(samples: &Samples, framework: Framework) -> Result<usize, Failure> {
    let (package, folder) = (framework.package(), samples.target().join("debug/deps"));
    for old in ir_files(&folder, &package)? {
        fs::remove_file(&old).map_err(|error| Failure::file(&old, &error))?;
    }
    samples.touch(framework)?;
    // One unit: what units share would be counted in each. No debug information: it is no code.
    let emit = ["--emit=llvm-ir", "-Ccodegen-units=1", "-Cdebuginfo=0"];
    let args = ["rustc", "--frozen", "--package", &package, "--"];
    let mut command = cargo(samples, args.into_iter().chain(emit));
    run(&mut command, &format!("emit the LLVM IR of the sample crate of {framework}"))?;
    let mut sum = 0;
    for path in ir_files(&folder, &package)? {
        let text = fs::read(&path).map_err(|error| Failure::file(&path, &error))?;
        sum += text.iter().filter(|byte| **byte == b'\n').count();
    }
    if sum == 0 {
        return Err(
            Failure::new(format!("{}: the compiler left no LLVM IR", folder.display())).of(shown(&command))
        );
    }
    Ok(sum)
}

/// The files with LLVM IR of a package.
fn ir_files(folder: &Path, package: &str) -> Result<Vec<PathBuf>, Failure> {
    let begin = package.replace('-', "_") + "-";
    let entries = fs::read_dir(folder).map_err(|error| Failure::file(folder, &error))?;
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let of_package =
        |path: &PathBuf| path.file_name().is_some_and(|n| n.to_string_lossy().starts_with(&begin));
    Ok(paths.filter(|path| path.extension().is_some_and(|e| e == "ll")).filter(of_package).collect())
}

fn program(samples: &Samples, framework: Framework) -> Result<u64, Failure> {
    let path = samples.program(framework, "release");
    let metadata = fs::metadata(&path).map_err(|error| Failure::file(&path, &error))?;
    Ok(metadata.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_empty_lines_are_no_code() {
        assert_eq!(lines("//! Words.\n\nfn main() {\n    // More.\n    run();\n}\n"), 3);
    }
}
