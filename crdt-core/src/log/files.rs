//! A log in a directory. The one file of the core that knows the standard library.

extern crate std;

use super::storage::Storage;
use alloc::vec::Vec;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

const LOG: &str = "log";
const BESIDE: &str = "log.new";
const LOCK: &str = "lock";

/// A log in a directory of its own: `log`, `log.new` while it is being compacted, and `lock`.
///
/// One store at a time has it open; a second one is refused, in this process or another. Files are synced with `fsync`, and so is the directory after a file was
/// created or renamed.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
    /// Held as long as it is open.
    _lock: File,
    /// Open for appending, once it was asked for.
    log: Option<File>,
}

impl Directory {
    /// Opens a directory, which is created if need be.
    ///
    /// # Errors
    /// What the file system says; [`io::ErrorKind::WouldBlock`] if somebody else has it open.
    pub fn open(path: impl AsRef<Path>) -> io::Result<Self> {
        let path = path.as_ref().to_path_buf();
        fs::create_dir_all(&path)?;
        let lock = File::create(path.join(LOCK))?;
        lock.try_lock()?;
        if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            sync_directory(parent)?;
        }
        Ok(Self { path, _lock: lock, log: None })
    }

    fn log(&mut self) -> io::Result<&mut File> {
        if self.log.is_none() {
            self.log = Some(OpenOptions::new().append(true).open(self.path.join(LOG))?);
        }
        self.log.as_mut().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

impl Storage for Directory {
    type Error = io::Error;

    fn read(&mut self) -> io::Result<Option<Vec<u8>>> {
        read(&self.path.join(LOG))
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.log()?.write_all(bytes)
    }

    fn cut(&mut self, len: u64) -> io::Result<()> {
        self.log()?.set_len(len)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.log()?.sync_all()
    }

    fn write_beside(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut file = File::create(self.path.join(BESIDE))?;
        file.write_all(bytes)?;
        file.sync_all()
    }

    fn read_beside(&mut self) -> io::Result<Option<Vec<u8>>> {
        read(&self.path.join(BESIDE))
    }

    fn swap(&mut self) -> io::Result<()> {
        self.log = None;
        fs::rename(self.path.join(BESIDE), self.path.join(LOG))?;
        sync_directory(&self.path)
    }

    fn remove_beside(&mut self) -> io::Result<()> {
        match fs::remove_file(self.path.join(BESIDE)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}

/// Makes safe which files a directory has. Where directories cannot be opened (Windows), renaming is safe by itself.
fn sync_directory(path: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(path)?.sync_all() } else { Ok(()) }
}
