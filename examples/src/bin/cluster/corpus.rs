//! The files below a folder, cut into pieces, each with what it must come to.

use std::{
    fmt, fs,
    io::{self, Read},
    path::{Path, PathBuf},
};

use bytes::Bytes;

use crate::work::{PIECE_BYTES_MAX, Packed};

/// What there is to work on. Never empty.
#[derive(Debug)]
pub(crate) struct Corpus {
    /// The folder.
    pub(crate) folder: PathBuf,
    /// The pieces of all files, in the order of their paths.
    pub(crate) pieces: Vec<Piece>,
    /// How many files they come from.
    pub(crate) files: usize,
    /// How many files and folders could not be read.
    pub(crate) unreadable: usize,
    /// Whether there was more than is worked on.
    pub(crate) cut: bool,
}

/// A piece of a file.
#[derive(Debug)]
pub(crate) struct Piece {
    /// Its bytes.
    pub(crate) bytes: Bytes,
    /// What it comes to, computed here, so that checking an answer costs a comparison and not the work again.
    pub(crate) expected: Packed,
}

/// Why there is nothing to work on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CorpusError {
    #[error("cannot read the input folder {}: {source}", folder.display())]
    Unreadable {
        /// The folder.
        folder: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    #[error(
        "nothing to work on in {}: it holds no readable file with content (names that begin with a dot, folders that \
         hold {CACHE_TAG} and links are skipped)",
        folder.display()
    )]
    Empty {
        /// The folder.
        folder: PathBuf,
    },
}

/// What marks a folder as a cache that can be made again, such as cargo's `target`: <https://bford.info/cachedir/>.
const CACHE_TAG: &str = "CACHEDIR.TAG";

impl Corpus {
    /// How much is worked on, over and over: packed within half a second when the program starts, and kept in memory by
    /// it together with what it comes to.
    const BYTES_MAX: usize = 16 * 1024 * 1024;
    /// How many entries of folders are looked at, so that a disk of empty files ends too.
    const ENTRIES_MAX: usize = 100_000;

    /// Reads the files below a folder and computes what their pieces come to.
    pub(crate) fn read(folder: &Path) -> Result<Self, CorpusError> {
        let unreadable = |source| CorpusError::Unreadable { folder: folder.to_owned(), source };
        let folder = folder.canonicalize().map_err(unreadable)?;
        // The folder that was asked for is read whatever its name is and whatever it holds.
        let entries = sorted_entries(&folder).map_err(unreadable)?;
        let mut corpus = Self { folder, pieces: Vec::new(), files: 0, unreadable: 0, cut: false };
        corpus.walk(entries);
        match corpus.pieces.is_empty() {
            true => Err(CorpusError::Empty { folder: corpus.folder }),
            false => Ok(corpus),
        }
    }

    /// The sum of the pieces, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.pieces.iter().map(|piece| piece.bytes.len()).sum()
    }

    /// Takes in files, folder by folder. Sorted by path, so that two runs work on the same.
    fn walk(&mut self, top: Vec<fs::DirEntry>) {
        let mut waiting = top;
        waiting.reverse();
        let (mut seen, mut bytes) = (0, 0);
        while let Some(entry) = waiting.pop() {
            seen += 1;
            if bytes >= Self::BYTES_MAX || seen > Self::ENTRIES_MAX {
                self.cut = true;
                return;
            }
            if entry.file_name().as_encoded_bytes().starts_with(b".") {
                continue;
            }
            let taken = match entry.file_type() {
                Ok(kind) if kind.is_dir() => folder(&entry.path()).map(|entries| {
                    waiting.extend(entries.into_iter().rev());
                    0
                }),
                Ok(kind) if kind.is_file() => self.take(&entry.path(), Self::BYTES_MAX - bytes),
                // A link may lead in a circle, and a pipe may never end.
                Ok(_) => Ok(0),
                Err(error) => Err(error),
            };
            match taken {
                Ok(taken) => bytes += taken,
                Err(_) => self.unreadable += 1,
            }
        }
    }

    /// Takes in a file, up to so many bytes; what could be read of one that fails is kept.
    fn take(&mut self, path: &Path, bytes_max: usize) -> io::Result<usize> {
        let length = fs::metadata(path)?.len();
        let mut file = fs::File::open(path)?.take(bytes_max as u64);
        let mut taken = 0;
        loop {
            let mut bytes = Vec::new();
            file.by_ref().take(PIECE_BYTES_MAX as u64).read_to_end(&mut bytes)?;
            if bytes.is_empty() {
                break;
            }
            self.files += usize::from(taken == 0);
            taken += bytes.len();
            self.pieces.push(Piece { expected: Packed::of(&bytes), bytes: bytes.into() });
        }
        self.cut |= length > taken as u64;
        Ok(taken)
    }
}

impl fmt::Display for Corpus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (pieces, files, kib) = (self.pieces.len(), self.files, self.bytes().div_ceil(1024));
        write!(f, "{pieces} pieces of {files} files, {kib} KiB, from {}", self.folder.display())?;
        if self.cut {
            f.write_str("; there is more, which is left out")?;
        }
        if self.unreadable > 0 {
            write!(f, "; {} files or folders could not be read", self.unreadable)?;
        }
        Ok(())
    }
}

/// The entries of a folder, none if it is a cache.
fn folder(path: &Path) -> io::Result<Vec<fs::DirEntry>> {
    let entries = sorted_entries(path)?;
    let is_cache = entries.iter().any(|entry| entry.file_name() == CACHE_TAG);
    Ok(if is_cache { Vec::new() } else { entries })
}

fn sorted_entries(folder: &Path) -> io::Result<Vec<fs::DirEntry>> {
    let mut entries: Vec<_> = fs::read_dir(folder)?.collect::<Result<_, _>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder that is gone with the test.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str, files: &[(&str, &[u8])]) -> Self {
            let path = std::env::temp_dir().join(format!("rpcnet-corpus-{name}-{}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            for (file, content) in files {
                let file = path.join(file);
                fs::create_dir_all(file.parent().unwrap()).unwrap();
                fs::write(file, content).unwrap();
            }
            Self(path)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn contents(corpus: &Corpus) -> Vec<&[u8]> {
        corpus.pieces.iter().map(|piece| &piece.bytes[..]).collect()
    }

    #[test]
    fn files_come_in_the_order_of_their_paths_without_hidden_ones_and_caches() {
        let folder = Folder::new(
            "order",
            &[
                ("b/two", b"2"),
                ("a", b"1"),
                ("c", b"3"),
                ("empty", b""),
                (".git/config", b"hidden"),
                ("b/.hidden", b"hidden"),
                ("target/CACHEDIR.TAG", b"Signature"),
                ("target/release/cluster", b"cached"),
            ],
        );
        let corpus = Corpus::read(&folder.0).unwrap();
        assert_eq!(contents(&corpus), [b"1", b"2", b"3"]);
        assert_eq!((corpus.files, corpus.bytes(), corpus.unreadable, corpus.cut), (3, 3, 0, false));
    }

    #[test]
    fn a_file_is_cut_into_pieces_and_each_is_packed() {
        let content: Vec<u8> = (0..PIECE_BYTES_MAX * 2 + 1).map(|n| (n / 1000) as u8).collect();
        let folder = Folder::new("pieces", &[("file", &content)]);
        let corpus = Corpus::read(&folder.0).unwrap();
        let sizes: Vec<_> = corpus.pieces.iter().map(|piece| piece.bytes.len()).collect();
        assert_eq!((sizes, corpus.files), (vec![PIECE_BYTES_MAX, PIECE_BYTES_MAX, 1], 1));
        assert_eq!(contents(&corpus).concat(), content);
        assert!(corpus.pieces.iter().all(|piece| piece.expected == Packed::of(&piece.bytes)));
    }

    #[test]
    fn what_is_beyond_the_bound_is_left_out_and_said_to_be() {
        let content = vec![7; Corpus::BYTES_MAX + 1];
        let folder = Folder::new("bound", &[("large", &content), ("more", b"more")]);
        let corpus = Corpus::read(&folder.0).unwrap();
        assert_eq!((corpus.bytes(), corpus.cut), (Corpus::BYTES_MAX, true));
    }

    #[cfg(unix)]
    #[test]
    fn a_circle_of_links_ends() {
        let folder = Folder::new("circle", &[("a", b"1")]);
        std::os::unix::fs::symlink(&folder.0, folder.0.join("again")).unwrap();
        assert_eq!(contents(&Corpus::read(&folder.0).unwrap()), [b"1"]);
    }

    #[test]
    fn nothing_to_work_on_is_an_error_that_names_the_folder() {
        let folder = Folder::new("nothing", &[("empty", b""), (".hidden", b"hidden")]);
        let missing = folder.0.join("missing");
        for (path, expected) in [
            (&missing, "cannot read the input folder"),
            (&folder.0.join("empty"), "cannot read the input folder"),
            (&folder.0, "nothing to work on in"),
        ] {
            let error = Corpus::read(path).unwrap_err().to_string();
            assert!(error.starts_with(expected) && error.contains(path.to_str().unwrap()), "{error}");
        }
    }
}
