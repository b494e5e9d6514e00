//! Formatting and sanitising text. Names, reasons and tracebacks come from elsewhere and may contain anything.

use std::fmt::Display;

/// Number of digits of a hash that are shown; git uses about as many for a large repository.
const SHORT_HASH: usize = 10;

/// Sanitises a line of untrusted text: control characters, which could move a terminal's cursor or break a line of a
/// table, and code points that XML forbids (XML 1.0, production 2) become U+FFFD; line ends and tabs become spaces.
#[must_use]
pub fn line(text: &str) -> String {
    text.chars()
        .map(|character| match character {
            '\n' | '\r' | '\t' => ' ',
            '\u{fffe}' | '\u{ffff}' => '\u{fffd}',
            // Bidirectional controls can make text read as something else (Unicode TR 36).
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
            other if other.is_control() => '\u{fffd}',
            other => other,
        })
        .collect()
}

/// Splits untrusted text into lines and sanitises each.
pub fn lines(text: &str) -> impl DoubleEndedIterator<Item = String> {
    text.lines().map(line)
}

/// Shortens text to at most this many characters, ending with an ellipsis if something is cut off.
#[must_use]
pub fn shorten(text: &str, max_characters: usize) -> String {
    if text.chars().count() <= max_characters {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(max_characters.saturating_sub(1)).collect();
    short.truncate(short.trim_end().len());
    short.push('…');
    short
}

/// Escapes the special characters of XML and HTML, for text and attributes.
#[must_use]
pub fn escape_markup(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// Sanitises a line of text and escapes the special characters of Markdown, its tables and HTML (CommonMark 0.31, 2.4).
#[must_use]
pub fn escape_markdown(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in line(text).chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\\' | '`' | '*' | '_' | '~' | '[' | ']' | '|' | '@' | '#' => {
                escaped.push('\\');
                escaped.push(character);
            }
            other => escaped.push(other),
        }
    }
    escaped
}

/// Makes the first letter a capital one.
#[must_use]
pub fn capitalised(words: &str) -> String {
    let mut letters = words.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    format!("{first}{}", letters.as_str())
}

/// Formats a count with its noun: `1 worker`, `2 workers`.
#[must_use]
pub fn counted(count: impl Display + PartialEq + From<u8>, noun: &str) -> String {
    let plural = if count == 1.into() { "" } else { "s" };
    format!("{count} {noun}{plural}")
}

/// Joins names to a phrase: `a`, `a and b`, `a, b and c`; empty for none.
#[must_use]
pub fn all_of(names: &[impl AsRef<str>]) -> String {
    joined(names, "and")
}

/// Joins names to a phrase: `a`, `a or b`, `a, b or c`; empty for none.
#[must_use]
pub fn one_of(names: &[impl AsRef<str>]) -> String {
    joined(names, "or")
}

fn joined(names: &[impl AsRef<str>], word: &str) -> String {
    let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    match names.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} {word} {last}", rest.join(", ")),
        _ => names.concat(),
    }
}

/// The letter of the thing with this number: `A` to `Z`, then `AA`, `AB` and so on.
#[must_use]
pub fn letter(mut number: usize) -> String {
    let mut letters = Vec::new();
    loop {
        // Below 26.
        letters.push(char::from(b'A' + (number % 26) as u8));
        if number < 26 {
            break;
        }
        number = number / 26 - 1;
    }
    letters.iter().rev().collect()
}

/// The verb after a count of things: `was` for one, else `were`.
#[must_use]
pub fn was(count: impl PartialEq + From<u8>) -> &'static str {
    if count == 1.into() { "was" } else { "were" }
}

/// Shortens a hash for display; other text is returned unchanged.
#[must_use]
pub fn short_hash(hash: &str) -> &str {
    let is_hash = hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    hash.get(..SHORT_HASH).filter(|_| is_hash).unwrap_or(hash)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn terminal_controls_are_replaced() {
        assert_eq!(line("a\u{1b}[2Jb\nc\u{202e}d"), "a\u{fffd}[2Jb c\u{fffd}d");
    }

    #[test]
    fn long_text_is_cut_at_a_word_end() {
        assert_eq!(shorten("threads on 3.13", 9), "threads…");
        assert_eq!(shorten("threads", 7), "threads");
        assert_eq!(shorten("threads", 0), "…");
    }

    #[test]
    fn markdown_syntax_is_escaped() {
        assert_eq!(
            escape_markdown("it's <b> #1 [x](y) @a"),
            r"it's &lt;b&gt; \#1 \[x\](y) \@a"
        );
    }

    #[test]
    fn counts_take_a_plural_and_hashes_are_shortened() {
        assert_eq!(counted(1_u32, "worker"), "1 worker");
        assert_eq!(counted(0_usize, "worker"), "0 workers");
        assert_eq!(short_hash("0123456789abcdef"), "0123456789");
        assert_eq!(short_hash("feature/branch-name"), "feature/branch-name");
        assert_eq!(short_hash("abc"), "abc");
    }

    #[test]
    fn names_are_joined_to_phrases() {
        assert_eq!(one_of(&[""; 0]), "");
        assert_eq!(one_of(&["a"]), "a");
        assert_eq!(one_of(&["a", "b"]), "a or b");
        assert_eq!(one_of(&["a", "b", "c"]), "a, b or c");
        assert_eq!(all_of(&["a", "b", "c"]), "a, b and c");
    }

    #[test]
    fn letters_continue_after_z() {
        assert_eq!(
            [0, 25, 26, 51, 52, 701, 702].map(letter),
            ["A", "Z", "AA", "AZ", "BA", "ZZ", "AAA"]
        );
    }

    proptest! {
        #[test]
        fn no_special_character_is_left(text in any::<String>(), max_characters in 0usize..40) {
            let escaped = escape_markup(&line(&text));
            let special = ['<', '>', '"', '\'', '\n', '\u{1b}'];
            prop_assert!(!escaped.contains(special));
            prop_assert!(shorten(&text, max_characters).chars().count() <= max_characters.max(1));
        }
    }
}
