//! Letters as names of kinds of machines.

/// `A` to `Z`, then `AA`, `AB` and so on.
pub(crate) fn letters(mut number: usize) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_continue_after_z() {
        assert_eq!(
            [0, 25, 26, 51, 52, 701, 702].map(letters),
            ["A", "Z", "AA", "AZ", "BA", "ZZ", "AAA"]
        );
    }
}
