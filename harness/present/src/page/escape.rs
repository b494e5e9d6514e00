//! Makes foreign text harmless where the template's own escaping does not reach.

use linkify::{LinkFinder, LinkKind};
use serde::Serialize;

use ftbench_schema::text;

/// A piece of text, perhaps a link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Piece {
    /// What is shown.
    pub text: String,
    /// Its target: an `http:` or `https:` address and nothing else.
    pub address: Option<String>,
}

/// Splits text into pieces: the addresses of web pages in it, and what stands between them.
#[must_use]
pub fn pieces(foreign: &str) -> Vec<Piece> {
    let line = text::line(foreign);
    let mut finder = LinkFinder::new();
    finder.kinds(&[LinkKind::Url]);
    let is_page = |address: &str| address.starts_with("https://") || address.starts_with("http://");
    finder
        .spans(&line)
        .map(|span| Piece {
            text: span.as_str().to_owned(),
            address: span
                .kind()
                .filter(|_| is_page(span.as_str()))
                .map(|_| span.as_str().to_owned()),
        })
        .collect()
}

/// Quotes a word of a command line for a POSIX shell.
#[must_use]
pub fn shell_word(word: &str) -> String {
    let plain = |character: char| character.is_alphanumeric() || "-_./:=,+@%".contains(character);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", text::line(word).replace('\'', r"'\''"))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_pages_of_the_web_become_links() {
        let links = |text: &str| -> Vec<String> {
            let found = pieces(text);
            assert_eq!(
                found.iter().map(|piece| piece.text.as_str()).collect::<String>(),
                text
            );
            found.into_iter().filter_map(|piece| piece.address).collect()
        };
        assert_eq!(
            links("Benchmarks game (https://example.org/nbody), and http://example.org."),
            ["https://example.org/nbody", "http://example.org"]
        );
        for hostile in [
            "javascript:alert(1)",
            "javascript://example.org/%0aalert(1)",
            "JAVASCRIPT://x.org/%0aalert(1)",
            "data:text/html,<script>alert(1)</script>",
            "vbscript://example.org",
            "file:///etc/passwd",
        ] {
            assert!(links(hostile).is_empty(), "{hostile}");
        }
    }

    #[test]
    fn words_of_a_command_line_can_be_pasted() {
        assert_eq!(shell_word("--pin=cores"), "--pin=cores");
        assert_eq!(shell_word("n*"), "'n*'");
        assert_eq!(shell_word("it's"), r"'it'\''s'");
        assert_eq!(shell_word(""), "''");
    }

    proptest! {
        #[test]
        fn a_link_leads_to_a_page(text in any::<String>()) {
            for address in pieces(&text).into_iter().filter_map(|piece| piece.address) {
                prop_assert!(address.starts_with("http://") || address.starts_with("https://"));
            }
        }
    }
}
