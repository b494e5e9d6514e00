//! A fleet as `--format json` prints it.

use ftbench_analyse::fleet::Fleet;

/// Formats a fleet as indented JSON with a final newline.
///
/// # Errors
/// If serialisation fails, which never happens for a fleet from the analysis.
pub fn render(fleet: &Fleet) -> Result<String, serde_json::Error> {
    Ok(serde_json::to_string_pretty(fleet)? + "\n")
}
