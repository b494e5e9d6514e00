//! Pictures as the escape sequences with which terminals show them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Bytes of base64 in one sequence: "the maximum size of each chunk", kitty's graphics protocol.
const KITTY_CHUNK_BYTES: usize = 4096;

/// A PNG for kitty, Ghostty and other terminals with kitty's graphics protocol
/// (<https://sw.kovidgoyal.net/kitty/graphics-protocol/>). The terminal is asked not to answer.
#[must_use]
pub fn kitty(png: &[u8]) -> String {
    let encoded = STANDARD.encode(png);
    let chunks: Vec<&[u8]> = encoded.as_bytes().chunks(KITTY_CHUNK_BYTES).collect();
    let mut sequences = String::with_capacity(encoded.len() + 32 * chunks.len());
    for (position, chunk) in chunks.iter().enumerate() {
        let first = if position == 0 { "a=T,f=100,q=2," } else { "q=2," };
        let more = u8::from(position + 1 < chunks.len());
        sequences.push_str(&format!("\u{1b}_G{first}m={more};"));
        // Base64 is ASCII.
        sequences.push_str(&String::from_utf8_lossy(chunk));
        sequences.push_str("\u{1b}\\");
    }
    sequences + "\n"
}

/// A PNG for iTerm2 and WezTerm (<https://iterm2.com/documentation-images.html>).
#[must_use]
pub fn iterm2(png: &[u8]) -> String {
    let size = png.len();
    format!(
        "\u{1b}]1337;File=inline=1;size={size}:{}\u{7}\n",
        STANDARD.encode(png)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kitty_gets_chunks_of_which_all_but_the_last_announce_more() {
        assert_eq!(kitty(b"png"), "\u{1b}_Ga=T,f=100,q=2,m=0;cG5n\u{1b}\\\n");
        let png: Vec<u8> = (0..=255).cycle().take(7000).collect();
        let sequences = kitty(&png);
        let chunks: Vec<&str> = sequences.trim_end().split_terminator("\u{1b}\\").collect();
        let heads = chunks.iter().filter_map(|chunk| chunk.split_once(';'));
        let (heads, payloads): (Vec<&str>, Vec<&str>) = heads.unzip();
        assert_eq!(
            heads,
            ["\u{1b}_Ga=T,f=100,q=2,m=1", "\u{1b}_Gq=2,m=1", "\u{1b}_Gq=2,m=0"]
        );
        assert!(payloads.iter().all(|payload| payload.len() <= KITTY_CHUNK_BYTES));
        assert_eq!(STANDARD.decode(payloads.concat()).ok(), Some(png));
    }

    #[test]
    fn iterm2_gets_the_size_in_bytes() {
        assert_eq!(iterm2(b"png"), "\u{1b}]1337;File=inline=1;size=3:cG5n\u{7}\n");
    }
}
