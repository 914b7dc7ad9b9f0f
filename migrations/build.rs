//! The steps are read while compiling: a changed step compiles this crate again, and changes its fingerprint.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher as _};
use std::io::Write as _;
use std::path::Path;

fn main() -> std::io::Result<()> {
    let mut hasher = DefaultHasher::new();
    hash(Path::new("sql"), &mut hasher)?;
    let mut cargo = std::io::stdout();
    writeln!(cargo, "cargo:rerun-if-changed=sql")?;
    writeln!(cargo, "cargo:rustc-env=MIGRATIONS_FINGERPRINT={:016x}", hasher.finish())
}

fn hash(folder: &Path, hasher: &mut DefaultHasher) -> std::io::Result<()> {
    let mut paths = std::fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()?;
    paths.sort();
    for path in paths {
        if path.is_dir() {
            hash(&path, hasher)?;
        } else {
            path.hash(hasher);
            std::fs::read(&path)?.hash(hasher);
        }
    }
    Ok(())
}
