//! Where things lie in the repository.

use std::env;
use std::path::{Path, PathBuf};

/// The folders of this repository that the commands read and write.
#[derive(Clone, Debug)]
pub(crate) struct Project {
    pub(crate) root: PathBuf,
    pub(crate) target: PathBuf,
}

impl Project {
    /// Finds the repository this program was compiled in.
    pub(crate) fn find() -> Result<Self, String> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .map(Path::to_path_buf)
            .ok_or("xtask does not lie in a repository")?;
        let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
        let target = if target.is_absolute() { target } else { root.join(target) };
        Ok(Self { root, target })
    }

    /// A path below the root.
    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.root.join(below)
    }

    /// The npm package.
    pub(crate) fn js(&self) -> PathBuf {
        self.path("js")
    }

    /// The demo page.
    pub(crate) fn editor(&self) -> PathBuf {
        self.path("examples/editor")
    }

    /// Where the wasm module and its glue are written for `js/` to use.
    pub(crate) fn wasm_out(&self) -> PathBuf {
        self.path("js/wasm")
    }

    /// The relay's program in a Cargo profile folder (`debug`, `release`).
    pub(crate) fn relay(&self, profile_folder: &str) -> PathBuf {
        self.target.join(profile_folder).join(format!("crdt-relay{}", env::consts::EXE_SUFFIX))
    }

    /// Notes about what is already done.
    pub(crate) fn stamps(&self) -> PathBuf {
        self.path(".xtask/stamps")
    }
}
