//! The history as `--format json` prints it; `docs/history.md` describes the keys.

use serde::Serialize;

use ftbench_analyse::history::History;
use ftbench_schema::SCHEMA_VERSION;

/// The history as indented JSON, ending with a line end.
///
/// # Errors
/// When serde refuses, which no history that the analysis makes gives cause for.
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
