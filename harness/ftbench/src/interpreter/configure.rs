//! The arguments of CPython's `configure`, as `sysconfig` keeps them in `CONFIG_ARGS`. Pure.

/// The value of an option such as `with-lto`: `Some("")` for an option without a value, `None` for one that was not
/// given. The last occurrence counts.
#[must_use]
pub fn option<'a>(arguments: &'a str, name: &str) -> Option<&'a str> {
    arguments
        .split_whitespace()
        .map(|word| word.trim_matches(['\'', '"']))
        .filter_map(|word| word.strip_prefix("--")?.strip_prefix(name))
        .filter_map(|rest| {
            if rest.is_empty() {
                Some("")
            } else {
                rest.strip_prefix('=')
            }
        })
        .next_back()
}

/// Whether an option was given with a value other than `no`.
#[must_use]
pub fn has(arguments: &str, name: &str) -> bool {
    option(arguments, name).is_some_and(|value| value != "no")
}

/// Whether there is a JIT. The value `interpreter` builds its intermediate code without machine code.
#[must_use]
pub fn has_jit(arguments: &str) -> bool {
    option(arguments, "enable-experimental-jit").is_some_and(|value| value != "no" && value != "interpreter")
}
