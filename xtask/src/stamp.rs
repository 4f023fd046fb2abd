//! Notes about work that is already done: a hash of everything that went in, kept until one byte of it changes.
//!
//! Contents are hashed and not times, because a checkout sets all times anew.

use std::fs;
use std::path::{Path, PathBuf};

/// Folders that hold results and never sources.
const RESULT_FOLDERS: [&str; 6] = ["node_modules", "dist", "target", "wasm", ".git", ".xtask"];

/// What one piece of work depends on and what it makes.
#[derive(Debug)]
pub(crate) struct Stamp {
    file: PathBuf,
    root: PathBuf,
    hash: Hash,
    outputs: Vec<PathBuf>,
}

impl Stamp {
    pub(crate) fn new(folder: &Path, root: &Path, name: &str) -> Self {
        Self { file: folder.join(name), root: root.to_path_buf(), hash: Hash::new(), outputs: Vec::new() }
    }

    /// The work depends on this text (a version, a setting).
    pub(crate) fn text(mut self, text: &str) -> Self {
        self.hash.part(text.as_bytes());
        self
    }

    /// The work depends on this file, or on every source file below this folder. A missing path counts as such.
    pub(crate) fn input(mut self, path: &Path) -> Result<Self, String> {
        let mut files = Vec::new();
        collect(path, &mut files)?;
        files.sort();
        for file in files {
            // Below the root, so that a moved checkout is still up to date.
            let name = file.strip_prefix(&self.root).unwrap_or(&file);
            self.hash.part(name.to_string_lossy().as_bytes());
            let content =
                fs::read(&file).map_err(|error| format!("cannot read {}: {error}", file.display()))?;
            self.hash.part(&content);
        }
        Ok(self)
    }

    /// The work makes this file or folder; when it is gone the work is to be done again.
    pub(crate) fn output(mut self, path: PathBuf) -> Self {
        self.outputs.push(path);
        self
    }

    /// Was the work done with exactly these inputs, and are its results still there?
    pub(crate) fn is_current(&self) -> bool {
        fs::read_to_string(&self.file).is_ok_and(|text| text.trim() == self.hash.hex())
            && self.outputs.iter().all(|path| path.exists())
    }

    /// Notes that the work is done.
    pub(crate) fn save(&self) -> Result<(), String> {
        let failed = |error| format!("cannot write {}: {error}", self.file.display());
        if let Some(folder) = self.file.parent() {
            fs::create_dir_all(folder).map_err(failed)?;
        }
        fs::write(&self.file, self.hash.hex()).map_err(failed)
    }
}

/// Every source file below `path` (or `path` itself).
pub(crate) fn collect(path: &Path, files: &mut Vec<PathBuf>) -> Result<(), String> {
    if path.is_file() {
        files.push(path.to_path_buf());
        return Ok(());
    }
    if !path.is_dir() {
        return Ok(());
    }
    let failed = |error| format!("cannot list {}: {error}", path.display());
    for entry in fs::read_dir(path).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        if RESULT_FOLDERS.iter().all(|folder| name != *folder) {
            collect(&entry.path(), files)?;
        }
    }
    Ok(())
}

/// FNV-1a, 64 bits: the question is whether a source changed, not whether somebody forged one.
#[derive(Debug)]
struct Hash(u64);

impl Hash {
    fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    /// Mixes in one part; its length goes first, so that parts cannot run into each other.
    fn part(&mut self, bytes: &[u8]) {
        self.mix(&(bytes.len() as u64).to_le_bytes());
        self.mix(bytes);
    }

    fn mix(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    fn hex(&self) -> String {
        format!("{:016x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Stamp;
    use std::fs;
    use std::path::PathBuf;

    /// A folder of its own for each test, below the build folder.
    fn folder(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("xtask-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(path.join("src")).unwrap();
        path
    }

    fn stamp(root: &std::path::Path) -> Stamp {
        Stamp::new(&root.join("stamps"), root, "work")
            .input(&root.join("src"))
            .unwrap()
            .output(root.join("made"))
    }

    #[test]
    fn work_is_current_until_an_input_changes_or_an_output_goes() {
        let root = folder("current");
        fs::write(root.join("src/a"), "one").unwrap();
        fs::write(root.join("made"), "").unwrap();
        assert!(!stamp(&root).is_current(), "never done");
        stamp(&root).save().unwrap();
        assert!(stamp(&root).is_current());
        fs::write(root.join("src/a"), "two").unwrap();
        assert!(!stamp(&root).is_current(), "an input changed");
        stamp(&root).save().unwrap();
        fs::remove_file(root.join("made")).unwrap();
        assert!(!stamp(&root).is_current(), "the output is gone");
        fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn a_renamed_input_is_a_change() {
        let root = folder("renamed");
        fs::write(root.join("src/a"), "one").unwrap();
        fs::write(root.join("made"), "").unwrap();
        stamp(&root).save().unwrap();
        fs::rename(root.join("src/a"), root.join("src/b")).unwrap();
        assert!(!stamp(&root).is_current());
        fs::remove_dir_all(root).unwrap();
    }
}
