//! Builds the crate again when a Python file that it embeds has changed: `include_dir!` alone does not notice.

fn main() {
    for folder in ["worker/ftbench_worker", "../workloads", "../scripts"] {
        println!("cargo::rerun-if-changed={folder}");
    }
}
