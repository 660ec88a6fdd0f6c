//! The sample crates in their folder: a workspace of their own, so that all share the versions of what they depend on.

use std::{
    env, fs, io,
    path::{self, Path, PathBuf},
    time::SystemTime,
};

use crate::{
    cargo::{cargo, run},
    failure::Failure,
    framework::Framework,
    service::Method,
    sources,
};

/// Where the sample crates are.
#[derive(Debug)]
pub(crate) struct Samples {
    folder: PathBuf,
}

impl Samples {
    /// Writes all of them.
    pub(crate) fn write(methods: &[Method]) -> Result<Self, Failure> {
        let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| repository.join("target"), PathBuf::from);
        let folder =
            path::absolute(target.join("codegen")).map_err(|error| Failure::file(&target, &error))?;
        let samples = Self { folder };
        samples.file("Cargo.toml", include_str!("templates/workspace.toml"))?;
        // rustfmt's own defaults, whatever the folders above say.
        samples.file("rustfmt.toml", "")?;
        for framework in Framework::ALL {
            let manifest = framework.manifest(&repository.join("rpcnet"));
            samples.file(&format!("{framework}/Cargo.toml"), &manifest)?;
            for (path, text) in sources::files(framework, methods) {
                samples.file(&format!("{framework}/{path}"), &text)?;
            }
        }
        Ok(samples)
    }

    fn file(&self, path: &str, text: &str) -> Result<(), Failure> {
        let path = self.folder.join(path);
        let write = || {
            fs::create_dir_all(path.parent().unwrap_or(&self.folder))?;
            fs::write(&path, text)
        };
        write().map_err(|error| Failure::file(&path, &error))
    }

    /// Chooses the versions of the dependencies and downloads them: nothing after this needs the network.
    pub(crate) fn fetch(&self) -> Result<(), Failure> {
        run(&mut cargo(self, ["fetch"]), "fetch what the sample crates depend on").map(drop)
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// What cargo builds into.
    pub(crate) fn target(&self) -> PathBuf {
        self.folder.join("target")
    }

    /// The program built of a crate, in cargo's folder for the profile.
    pub(crate) fn program(&self, framework: Framework, profile: &str) -> PathBuf {
        self.target().join(profile).join(framework.package() + env::consts::EXE_SUFFIX)
    }

    /// The source files of a crate.
    pub(crate) fn written(&self, framework: Framework) -> [PathBuf; 2] {
        ["main.rs", "types.rs"].map(|name| self.folder.join(framework.name()).join("src").join(name))
    }

    /// Makes cargo compile the crate again.
    pub(crate) fn touch(&self, framework: Framework) -> Result<(), Failure> {
        let [main, _] = self.written(framework);
        let touched = fs::File::options().append(true).open(&main);
        let touched = touched.and_then(|file| file.set_modified(SystemTime::now()));
        touched.map_err(|error| Failure::file(&main, &error))
    }

    /// The version that cargo chose of a dependency.
    pub(crate) fn version(&self, dependency: &str) -> Result<String, Failure> {
        let path = self.folder.join("Cargo.lock");
        let lock = fs::read_to_string(&path).map_err(|error| Failure::file(&path, &error))?;
        let version = locked(&lock, dependency).map(str::to_owned);
        version.ok_or_else(|| Failure::file(&path, &io::Error::other(format!("no `{dependency}` in it"))))
    }
}

/// The version of a package in a lock file.
fn locked<'l>(lock: &'l str, package: &str) -> Option<&'l str> {
    let (_, rest) = lock.split_once(&format!("name = \"{package}\"\nversion = \""))?;
    rest.split('"').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_in_the_lock_file() {
        let lock = "[[package]]\nname = \"tonic-build\"\nversion = \"0.1.0\"\n\n[[package]]\nname = \"tonic\"\nversion = \"0.2.0\"\n";
        assert_eq!(locked(lock, "tonic"), Some("0.2.0"));
        assert_eq!(locked(lock, "prost"), None);
    }
}
