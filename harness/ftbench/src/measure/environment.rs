//! The environment variables of a trial: an allow-list of the user's, and those that ftbench sets.

use std::collections::BTreeMap;
use std::path::Path;

/// Variables that set the number of a library's own threads: those of OpenMP, which Arrow follows for computing, BLAS
/// libraries, NumExpr, Numba, rayon, Polars, and Arrow for input and output. They are inherited, because a user who sets
/// them does so on purpose, and recorded, because they change what is measured.
pub const THREAD_COUNT_VARIABLES: [&str; 9] = [
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "RAYON_NUM_THREADS",
    "POLARS_MAX_THREADS",
    "ARROW_IO_THREADS",
];

/// Other variables that are inherited from the user's environment.
const INHERITED: [&str; 13] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "TMPDIR",
    "TZ",
    "LANG",
    "LANGUAGE",
    "LD_LIBRARY_PATH",
    "XDG_CACHE_HOME",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
];

/// Every locale category, such as `LC_ALL`.
const INHERITED_PREFIX: &str = "LC_";

/// A trial's environment without its hash seed. `worker` is the folder that holds the worker's package.
#[must_use]
pub fn cleaned(users: impl IntoIterator<Item = (String, String)>, worker: &Path) -> BTreeMap<String, String> {
    let mut environment: BTreeMap<String, String> = users
        .into_iter()
        .filter(|(name, _)| {
            let is_among = |names: &[&str]| names.contains(&name.as_str());
            is_among(&INHERITED) || is_among(&THREAD_COUNT_VARIABLES) || name.starts_with(INHERITED_PREFIX)
        })
        .collect();
    environment.insert("PYTHONPATH".to_owned(), worker.display().to_string());
    // Without this, `-m` puts the working directory before the standard library (Python 3.11 and later respect it).
    environment.insert("PYTHONSAFEPATH".to_owned(), "1".to_owned());
    // Leaves no files beside the user's, and keeps a trial from finding what an earlier one has compiled.
    environment.insert("PYTHONDONTWRITEBYTECODE".to_owned(), "1".to_owned());
    environment
}

/// The same for a user's environment that is this process's.
#[must_use]
pub fn of_this_process(worker: &Path) -> BTreeMap<String, String> {
    let users = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    cleaned(users, worker)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_that_change_python_are_not_inherited() {
        let users = [
            "PATH",
            "LC_ALL",
            "OMP_NUM_THREADS",
            "PYTHON_GIL",
            "PYTHONPATH",
            "PYTHONWARNINGS",
            "MALLOC_ARENA_MAX",
            "VIRTUAL_ENV",
        ]
        .map(|name| (name.to_owned(), "user".to_owned()));
        let environment = cleaned(users, Path::new("/worker"));
        let names: Vec<&str> = environment.keys().map(String::as_str).collect();
        assert_eq!(
            names,
            [
                "LC_ALL",
                "OMP_NUM_THREADS",
                "PATH",
                "PYTHONDONTWRITEBYTECODE",
                "PYTHONPATH",
                "PYTHONSAFEPATH"
            ]
        );
        assert_eq!(environment.get("PYTHONPATH").map(String::as_str), Some("/worker"));
    }
}
