//! The history as `--format json` prints it; `docs/history.md` describes the keys.

use serde::Serialize;

use ftbench_analyse::history::History;
use ftbench_schema::SCHEMA_VERSION;

/// Formats the history as indented JSON with a final newline.
///
/// # Errors
/// If serialisation fails, which never happens for a history from the analysis.
pub fn render(history: &History) -> Result<String, serde_json::Error> {
    #[derive(Serialize)]
    struct Versioned<'a> {
        schema: u32,
        #[serde(flatten)]
        history: &'a History,
    }
    let mut text = serde_json::to_string_pretty(&Versioned {
        schema: SCHEMA_VERSION,
        history,
    })?;
    text.push('\n');
    Ok(text)
}
