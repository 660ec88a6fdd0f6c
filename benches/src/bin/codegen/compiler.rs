//! This program in the compiler's place, to print macro-expanded source with a stable toolchain.
//!
//! That takes `RUSTC_BOOTSTRAP`. In cargo's environment it would have the build scripts of dependencies run again, and
//! most dependencies compiled again. Cargo calls a wrapper for the crates of the workspace alone.

use std::{
    env,
    process::{Command, ExitCode},
};

/// Set for the wrapper, and for nobody else.
const MARK: &str = "RPCNET_BENCH_IS_COMPILER";

/// Makes cargo call this program for the compiler.
pub(crate) fn wrap(cargo: &mut Command) -> std::io::Result<()> {
    cargo.env("RUSTC_WORKSPACE_WRAPPER", env::current_exe()?).env(MARK, "1");
    Ok(())
}

/// Whether cargo called this program for the compiler.
pub(crate) fn is_called() -> bool {
    env::var_os(MARK).is_some()
}

/// Calls the compiler: it is the first argument.
pub(crate) fn call() -> ExitCode {
    let mut args = env::args_os().skip(1);
    let compiler = args.next().unwrap_or_else(|| "rustc".into());
    match Command::new(compiler).args(args).env("RUSTC_BOOTSTRAP", "1").status() {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: could not call the compiler: {error}");
            ExitCode::FAILURE
        }
    }
}
