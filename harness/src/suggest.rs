//! What somebody may have meant by a word that names nothing.

/// How alike two words must be (Jaro-Winkler, 0 to 1) to be worth suggesting. A letter too much, too few or swapped
/// in a word of four letters stays above it.
const WORTH_SUGGESTING: f64 = 0.75;

/// How many suggestions help rather than bury.
const MOST_SUGGESTIONS: usize = 3;

/// The candidates most like `word`, best first; none that are not much like it.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut alike: Vec<(f64, &str)> = candidates
        .into_iter()
        .map(|candidate| {
            (
                strsim::jaro_winkler(&word.to_lowercase(), &candidate.to_lowercase()),
                candidate,
            )
        })
        .filter(|(likeness, _)| *likeness >= WORTH_SUGGESTING)
        .collect();
    alike.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    alike.dedup_by(|a, b| a.1 == b.1);
    alike
        .into_iter()
        .take(MOST_SUGGESTIONS)
        .map(|(_, candidate)| candidate.to_owned())
        .collect()
}

/// A clause to follow the naming of the unknown word: empty, or `; did you mean 'a' or 'b'?`.
#[must_use]
pub fn did_you_mean(nearest: &[String]) -> String {
    let quoted: Vec<String> = nearest.iter().map(|word| format!("'{word}'")).collect();
    match quoted.split_last() {
        None => String::new(),
        Some((last, [])) => format!(" (did you mean {last}?)"),
        Some((last, others)) => format!(" (did you mean {} or {last}?)", others.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_likeliest_comes_first_and_strangers_stay_away() {
        assert_eq!(
            nearest("thread", ["serial", "asyncio-threads", "threads"]),
            ["threads"]
        );
        assert_eq!(nearest("FIBB", ["nbody", "fib"]), ["fib"]);
        assert!(nearest("zzz", ["serial", "threads"]).is_empty());
    }

    #[test]
    fn suggestions_read_as_a_sentence() {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        assert_eq!(did_you_mean(&[]), "");
        assert_eq!(did_you_mean(&words(&["a"])), " (did you mean 'a'?)");
        assert_eq!(
            did_you_mean(&words(&["a", "b", "c"])),
            " (did you mean 'a', 'b' or 'c'?)"
        );
    }
}
