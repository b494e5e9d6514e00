//! The summary as `summary.json` and `--format json` hold it.

use ftbench_schema::Summary;

/// Formats the summary as indented JSON with a final newline.
///
/// # Errors
/// If serialisation fails, which never happens for a summary from the analysis.
pub fn summary(summary: &Summary) -> Result<String, serde_json::Error> {
    let mut text = serde_json::to_string_pretty(summary)?;
    text.push('\n');
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ftbench_fixtures::summaries;

    #[test]
    fn a_written_summary_reads_back() {
        let before = summaries::two_cores();
        let text = summary(&before).unwrap_or_default();
        let after: Option<Summary> = serde_json::from_str(&text).ok();
        // Not the floats: serde_json may miss the last bit of one when reading.
        let names = |summary: &Summary| {
            summary
                .cells
                .iter()
                .map(|cell| cell.cell.clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(after.as_ref().map(names), Some(names(&before)));
        assert_eq!(after.map(|after| after.run), Some(before.run));
        assert!(text.ends_with("}\n"));
    }
}
