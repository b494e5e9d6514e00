//! Rebuilds the crate when a file that it embeds has changed, which `include_dir!` alone does not notice.

use std::path::Path;

fn main() {
    for name in ["worker", "workloads"] {
        let link = Path::new("embedded").join(name);
        // Cargo looks at the time of a link, not at what is behind it.
        let folder = link.canonicalize().unwrap_or(link);
        println!("cargo::rerun-if-changed={}", folder.display());
    }
}
