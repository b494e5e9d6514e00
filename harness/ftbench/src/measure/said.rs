//! What a worker says, in bounds and fit to be shown: it comes from somebody's code, and may be megabytes long. Pure.

use super::failure::TrialFailure;
use super::protocol::Reply;

/// Most bytes of a message that is none which a reason quotes.
const QUOTED_BYTES: usize = 120;

/// Most bytes of the name of a step, a module or a start method.
const NAME_BYTES: usize = 120;

/// Most bytes of an exception in a line.
const ERROR_BYTES: usize = 2 << 10;

/// What Python's fault handler puts before tracebacks at `SIGABRT`, which ftbench sends when the time is up.
const FAULT_HANDLERS_WORDS: &str = "Fatal Python error: Aborted";
/// What that means here.
const TIME_IS_UP_WORDS: &str = "Where it was when the time was up:";
/// Beginnings of lines of the fault handler that say nothing of the workload. Since 3.14 it adds a C stack, of the
/// interpreter's own functions.
const OF_THE_INTERPRETER: [&str; 3] = [
    "  Binary file \"",
    "Current thread's C stack trace",
    "<Cannot show all threads",
];

/// What stands where something was left out.
const LEFT_OUT: &str = "...";

/// The worker said one thing where another was due.
pub(super) fn unexpected(reply: &Reply, wanted: &str) -> TrialFailure {
    TrialFailure::Nonsense(format!("it answered {} where {wanted} was due", described(reply)))
}

/// The beginning of a message.
pub(super) fn described(reply: &Reply) -> String {
    quoted(format!("{reply:?}").as_bytes())
}

/// A name, cut off where it is too long for one.
pub(super) fn name(said: String) -> String {
    within(said, NAME_BYTES)
}

/// An exception, cut off where it is too long.
pub(super) fn error(said: String) -> String {
    within(said, ERROR_BYTES)
}

/// What was printed when the time was up, in ftbench's words.
pub(super) fn where_it_was(printed: &str) -> String {
    let of_the_workload = |line: &&str| {
        !OF_THE_INTERPRETER
            .iter()
            .any(|beginning| line.starts_with(beginning))
    };
    let lines: Vec<&str> = printed.lines().filter(of_the_workload).collect();
    lines
        .join("\n")
        .replacen(FAULT_HANDLERS_WORDS, TIME_IS_UP_WORDS, 1)
}

fn within(said: String, most_bytes: usize) -> String {
    if said.len() <= most_bytes {
        return said;
    }
    let beginning = said
        .get(..said.floor_char_boundary(most_bytes))
        .unwrap_or_default();
    format!("{beginning}{LEFT_OUT}")
}

/// The beginning of what a worker said, fit to be shown: what is no text, or would steer a terminal, is escaped.
pub(super) fn quoted(said: &[u8]) -> String {
    let beginning = said.get(..QUOTED_BYTES).unwrap_or(said);
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

    #[test]
    fn what_the_fault_handler_says_of_the_interpreter_is_left_out() {
        let printed = "Fatal Python error: Aborted\n\n<Cannot show all threads while the GIL is disabled>\n\
                       Stack (most recent call first):\n  File \"a.py\", line 3 in work\n\n\
                       Current thread's C stack trace (most recent call first):\n  Binary file \"/python\", at +0x2\n";
        insta::assert_snapshot!(where_it_was(printed), @r#"
        Where it was when the time was up:

        Stack (most recent call first):
          File "a.py", line 3 in work
        "#);
    }

    #[test]
    fn what_is_quoted_is_text_and_short() {
        assert_eq!(quoted(b"plain \xc3\xa9"), "plain \u{e9}");
        assert_eq!(quoted(b"\x1b[2J\xff\x00"), "\\u{1b}[2J\\xff\\u{0}");
        assert_eq!(quoted(&[b'x'; 500]).len(), QUOTED_BYTES);
    }

    #[test]
    fn a_message_of_megabytes_makes_a_short_reason() {
        let reply = Reply::Failed {
            step: "x".repeat(1 << 20),
            wrong_result: false,
            error: String::new(),
            traceback: String::new(),
        };
        let reason = unexpected(&reply, "sample 3").to_string();
        assert!(reason.len() < 300, "{reason}");
        assert!(reason.ends_with("where sample 3 was due"), "{reason}");
        assert!(error("e".repeat(1 << 20)).len() <= ERROR_BYTES + LEFT_OUT.len());
    }

    proptest! {
        #[test]
        fn what_is_short_stays_and_the_rest_is_its_beginning(said in ".{0,80}") {
            prop_assert_eq!(within(said.clone(), said.len()), said.clone());
            let cut = within(said.clone(), 40);
            prop_assert!(cut.len() <= 40 + LEFT_OUT.len());
            let kept = if said.len() <= 40 { cut.as_str() } else { cut.strip_suffix(LEFT_OUT).unwrap_or_default() };
            prop_assert!(said.starts_with(kept));
        }
    }
}
