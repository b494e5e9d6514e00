//! Shortens and escapes the text of a worker, which comes from the user's code and may be megabytes long. Pure.

use super::failure::TrialFailure;
use super::protocol::Reply;
use ftbench_schema::ThreadPool;

/// Maximum length of what a reason quotes from an invalid message, bytes.
const QUOTED_BYTES: usize = 120;

/// Maximum length of the name of a step, a module or a start method, bytes.
const NAME_BYTES: usize = 120;

/// Maximum length of an exception in one line, bytes.
const ERROR_BYTES: usize = 2 << 10;

/// Maximum number of thread pools in a record. A process that uses several numerical packages has two to five.
const MAX_THREAD_POOLS: usize = 16;

/// The heading that Python's fault handler puts above stacks at `SIGABRT`, which ftbench sends at a timeout.
const FAULT_HANDLER_HEADING: &str = "Fatal Python error: Aborted";
/// The heading that replaces it.
const TIMEOUT_HEADING: &str = "Where it was when the time was up:";
/// Prefixes of lines of the fault handler that say nothing about the workload. Since Python 3.14 it adds a C stack of
/// the interpreter's own functions.
const INTERPRETER_LINES: [&str; 3] = [
    "  Binary file \"",
    "Current thread's C stack trace",
    "<Cannot show all threads",
];

/// The beginning of CPython's warning about a module that switches the GIL on (Python/import.c,
/// `_PyImport_EnableGILAndWarn`). The module's name follows.
const GIL_WARNING: &str =
    "RuntimeWarning: The global interpreter lock (GIL) has been enabled to load module '";

/// Marks where text was cut off.
const ELLIPSIS: &str = "...";

/// The failure of a worker that sent this reply where another one was expected.
pub(super) fn unexpected(reply: &Reply, expected: &str) -> TrialFailure {
    TrialFailure::ProtocolViolation(format!(
        "it answered {} where {expected} was expected",
        describe(reply)
    ))
}

/// The beginning of a message, as the worker sent it.
pub(super) fn describe(reply: &Reply) -> String {
    quoted(serde_json::to_string(reply).unwrap_or_default().as_bytes())
}

/// Cuts off a name that is too long.
pub(super) fn name(text: String) -> String {
    shorten(text, NAME_BYTES)
}

/// Keeps the first thread pools of a process, and cuts off what is too long in them.
pub(super) fn thread_pools(pools: Vec<ThreadPool>) -> Vec<ThreadPool> {
    let kept = pools.into_iter().take(MAX_THREAD_POOLS);
    kept.map(|pool| ThreadPool {
        library: name(pool.library),
        file: name(pool.file),
        version: pool.version.map(name),
        threads: pool.threads,
    })
    .collect()
}

/// The module that switched the GIL on, according to CPython's warning in what a program printed.
pub(super) fn gil_enabled_by(printed: &str) -> Option<String> {
    let (_, after) = printed.split_once(GIL_WARNING)?;
    let (module, _) = after.split_once('\'')?;
    Some(name(module.to_owned()))
}

/// Cuts off an exception that is too long.
pub(super) fn error(text: String) -> String {
    shorten(text, ERROR_BYTES)
}

/// Rewrites the output of the fault handler at a timeout: with ftbench's heading, and without the interpreter's own
/// stack.
pub(super) fn rewrite_stacks(printed: &str) -> String {
    let is_of_the_workload = |line: &&str| !INTERPRETER_LINES.iter().any(|prefix| line.starts_with(prefix));
    let lines: Vec<&str> = printed.lines().filter(is_of_the_workload).collect();
    lines
        .join("\n")
        .replacen(FAULT_HANDLER_HEADING, TIMEOUT_HEADING, 1)
}

fn shorten(text: String, max_bytes: usize) -> String {
    if text.len() <= max_bytes {
        return text;
    }
    let beginning = text
        .get(..text.floor_char_boundary(max_bytes))
        .unwrap_or_default();
    format!("{beginning}{ELLIPSIS}")
}

/// The beginning of a worker's message, safe to show: bytes that are not text and control characters are escaped.
pub(super) fn quoted(message: &[u8]) -> String {
    let beginning = message.get(..QUOTED_BYTES).unwrap_or(message);
    beginning
        .utf8_chunks()
        .flat_map(|chunk| {
            let valid = chunk.valid().chars().map(|letter| {
                if letter.is_control() {
                    letter.escape_default().to_string()
                } else {
                    letter.to_string()
                }
            });
            let invalid = chunk.invalid().iter().map(|byte| format!("\\x{byte:02x}"));
            valid.chain(invalid).collect::<Vec<_>>()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use ftbench_schema::TrialStatus;

    #[test]
    fn the_interpreters_own_stack_is_left_out() {
        let printed = "Fatal Python error: Aborted\n\n<Cannot show all threads while the GIL is disabled>\n\
                       Stack (most recent call first):\n  File \"a.py\", line 3 in work\n\n\
                       Current thread's C stack trace (most recent call first):\n  Binary file \"/python\", at +0x2\n";
        insta::assert_snapshot!(rewrite_stacks(printed), @r#"
        Where it was when the time was up:

        Stack (most recent call first):
          File "a.py", line 3 in work
        "#);
    }

    #[test]
    fn the_module_in_the_warning_about_the_gil_is_found() {
        let printed = "reading\n<frozen importlib._bootstrap>:488: RuntimeWarning: The global interpreter lock (GIL) has been \
                       enabled to load module 'a.b', which has not declared that it can run safely without the GIL.\n";
        assert_eq!(gil_enabled_by(printed).as_deref(), Some("a.b"));
        assert_eq!(
            gil_enabled_by("RuntimeWarning: The global interpreter lock 'x'"),
            None
        );
    }

    #[test]
    fn quoted_messages_are_short_and_escaped() {
        assert_eq!(quoted(b"plain \xc3\xa9"), "plain \u{e9}");
        assert_eq!(quoted(b"\x1b[2J\xff\x00"), "\\u{1b}[2J\\xff\\u{0}");
        assert_eq!(quoted(&[b'x'; 500]).len(), QUOTED_BYTES);
    }

    #[test]
    fn a_message_of_megabytes_makes_a_short_reason() {
        let reply = Reply::Failed {
            step: "x".repeat(1 << 20),
            status: TrialStatus::Failed,
            error: String::new(),
            traceback: String::new(),
        };
        let reason = unexpected(&reply, "sample 3").to_string();
        assert!(reason.len() < 300, "{reason}");
        assert!(reason.ends_with("where sample 3 was expected"), "{reason}");
        assert!(error("e".repeat(1 << 20)).len() <= ERROR_BYTES + ELLIPSIS.len());
    }

    proptest! {
        #[test]
        fn short_text_is_kept_and_long_text_is_cut_off(text in ".{0,80}") {
            prop_assert_eq!(shorten(text.clone(), text.len()), text.clone());
            let cut = shorten(text.clone(), 40);
            prop_assert!(cut.len() <= 40 + ELLIPSIS.len());
            let kept = if text.len() <= 40 { cut.as_str() } else { cut.strip_suffix(ELLIPSIS).unwrap_or_default() };
            prop_assert!(text.starts_with(kept));
        }
    }
}
