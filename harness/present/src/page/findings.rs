//! What a reader should know first, as the page says it.

use itertools::Itertools;
use serde::Serialize;

use super::cells::verdict_dress;
use crate::arms;
use crate::headline::{self, Finding, Verdict};
use crate::strength;
use ftbench_schema::{CellStatus, Model, Summary, text, units};

/// How one model scales on one interpreter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Statement {
    /// What it is about.
    pub subject: String,
    /// The model's family, which its colour stands for.
    pub family: &'static str,
    /// What is found.
    pub clauses: Vec<Clause>,
    /// How sure the verdict is, or what it takes to reach one, where there is one verdict.
    pub strength: Option<String>,
}

/// Part of a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Clause {
    /// Its words.
    pub text: String,
    /// Its class: `faster`, `flat`, `slower`, `unclear`, or not at all.
    pub tone: &'static str,
}

/// Lists the findings of a summary; workloads are named where there are several.
#[must_use]
pub fn of(summary: &Summary, name_workloads: bool) -> Vec<Statement> {
    headline::findings(summary)
        .iter()
        .map(|finding| statement(finding, name_workloads))
        .collect()
}

/// Compares the versions of the code.
#[must_use]
pub fn of_arms(summary: &Summary) -> Vec<Statement> {
    let statement = |found: arms::Comparison| {
        let mut clauses = Vec::new();
        for (position, clause) in found.clauses.into_iter().enumerate() {
            if position > 0 {
                clauses.push(Clause {
                    text: "; ".to_owned(),
                    tone: "",
                });
            }
            clauses.push(Clause {
                text: clause.words,
                tone: verdict_dress(clause.verdict).0,
            });
        }
        Statement {
            subject: found.subject,
            family: Model::Serial.name(),
            clauses,
            strength: None,
        }
    };
    arms::comparisons(summary).into_iter().map(statement).collect()
}

/// Stand around clauses while a sentence is put together; foreign text cannot hold them, because [`text::line`] replaces
/// control characters.
const BEGIN: char = '\u{1}';
const END: char = '\u{2}';

fn statement(finding: &Finding, name_workloads: bool) -> Statement {
    let place = |verdict: Verdict| Verdict::ALL.iter().position(|known| *known == verdict);
    let sentence = finding.sentence(name_workloads, |clause| {
        format!(
            "{BEGIN}{}{}{END}",
            place(clause.verdict).unwrap_or(0),
            clause.words
        )
    });
    let mut clauses = Vec::new();
    for piece in sentence.split(END) {
        let (before, dressed) = piece.split_once(BEGIN).unwrap_or((piece, ""));
        let mut marked = dressed.chars();
        let verdict = marked
            .next()
            .and_then(|place| Verdict::ALL.get(place.to_digit(10)? as usize).copied());
        let plain = Clause {
            text: before.to_owned(),
            tone: "",
        };
        let with_verdict = verdict.map(|verdict| Clause {
            text: marked.as_str().to_owned(),
            tone: verdict_dress(verdict).0,
        });
        clauses.extend([Some(plain), with_verdict].into_iter().flatten());
    }
    clauses.retain(|clause| !clause.text.is_empty());
    let mut readings = finding.parts.iter().flat_map(|part| &part.readings);
    let strength = match (readings.next(), readings.next()) {
        (Some(only), None) => Some(strength::words(only)),
        _ => None,
    };
    Statement {
        subject: finding.subject(),
        family: finding.model.family().name(),
        clauses,
        strength,
    }
}

/// Lists the findings on one workload.
#[must_use]
pub fn of_workload(summary: &Summary, workload: &str) -> Vec<Statement> {
    let mut of_it = summary.clone();
    of_it.cells.retain(|cell| cell.workload == workload);
    of(&of_it, false)
}

/// Every workload by every curve, each at its largest number of workers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Matrix {
    /// The headings of the columns, in two lines.
    pub columns: Vec<MatrixColumn>,
    /// The rows, one for each workload.
    pub rows: Vec<MatrixRow>,
}

/// One model on one interpreter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MatrixColumn {
    /// The interpreter's tag.
    pub interpreter: String,
    /// The model.
    pub model: &'static str,
    /// The model's family, which the colour stands for.
    pub family: &'static str,
}

/// The speedups of one workload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MatrixRow {
    /// Its name.
    pub workload: String,
    /// Its position in the page.
    pub position: usize,
    /// The speedups, one for each column; `None` where there is none.
    pub places: Vec<Option<MatrixPlace>>,
}

/// One speedup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MatrixPlace {
    /// The speedup.
    pub text: String,
    /// The speedup in words, with its interval and the number of workers.
    pub words: String,
    /// The number of workers; shown where it is not the same in the whole table.
    pub workers: u32,
    /// The style class.
    pub tone: &'static str,
    /// The sign that shows the verdict without colour.
    pub sign: &'static str,
    /// How sure the verdict is, or what it takes to reach one.
    pub strength: String,
}

/// Tabulates speedups at the largest number of workers; `None` for a single workload, whose findings say everything.
#[must_use]
pub fn matrix(summary: &Summary, workloads: &[String]) -> Option<Matrix> {
    let models: Vec<Model> = Model::ALL
        .into_iter()
        .filter(|model| *model != Model::Serial)
        .collect();
    let findings = headline::of_models(summary, &models);
    let row = |(position, workload): (usize, &String)| MatrixRow {
        workload: text::line(workload),
        position,
        places: findings.iter().map(|finding| place(finding, workload)).collect(),
    };
    let mut rows: Vec<MatrixRow> = workloads.iter().enumerate().map(row).collect();
    rows.retain(|row| row.places.iter().any(Option::is_some));
    (rows.len() > 1).then(|| Matrix {
        columns: findings
            .iter()
            .map(|finding| MatrixColumn {
                interpreter: text::line(&finding.interpreter),
                model: finding.model.name(),
                family: finding.model.family().name(),
            })
            .collect(),
        rows,
    })
}

fn place(finding: &Finding, workload: &str) -> Option<MatrixPlace> {
    let (workers, reading) = finding.parts.iter().find_map(|part| {
        let reading = part
            .readings
            .iter()
            .find(|reading| reading.workload == workload)?;
        Some((part.workers, reading))
    })?;
    let (tone, sign) = verdict_dress(reading.verdict);
    Some(MatrixPlace {
        text: units::times(reading.speedup.estimate),
        words: format!(
            "{}: {} at {workers} workers",
            finding.subject(),
            headline::with_interval(reading.speedup)
        ),
        workers,
        tone,
        sign,
        strength: strength::words(reading),
    })
}

/// Lists the workloads of a summary, in the order of its cells.
#[must_use]
pub fn workloads(summary: &Summary) -> Vec<String> {
    let cells = summary.cells.iter();
    let shown = cells.filter(|cell| cell.status != CellStatus::Skipped);
    shown.map(|cell| cell.workload.clone()).unique().collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use ftbench_fixtures::summaries;

    #[test]
    fn clauses_say_what_the_sentence_says() {
        let summary = summaries::suite();
        let statements = of(&summary, true);
        let findings = headline::findings(&summary);
        assert_eq!(statements.len(), findings.len());
        for (statement, finding) in statements.iter().zip(&findings) {
            let words: String = statement
                .clauses
                .iter()
                .map(|clause| clause.text.as_str())
                .collect();
            assert_eq!(words, finding.sentence(true, |clause| clause.words.clone()));
        }
        let tones: Vec<&str> = statements
            .first()
            .unwrap()
            .clauses
            .iter()
            .map(|clause| clause.tone)
            .collect();
        assert_eq!(tones, ["flat", "", "faster", ""]);
    }

    #[test]
    fn the_matrix_has_a_place_for_every_speedup() {
        let summary = summaries::suite();
        let matrix = matrix(&summary, &workloads(&summary)).unwrap();
        assert_eq!((matrix.columns.len(), matrix.rows.len()), (4, 5));
        let fetch = matrix
            .rows
            .iter()
            .find(|row| row.workload == "http_fetch")
            .unwrap();
        let place = fetch.places.first().unwrap().as_ref().unwrap();
        assert_eq!(
            (
                place.text.as_str(),
                place.workers,
                place.sign,
                place.strength.as_str()
            ),
            ("8.20x", 16, "▲", "at least 8.08x")
        );
    }

    #[test]
    fn one_workload_needs_no_matrix() {
        let summary = summaries::many_cores();
        assert!(matrix(&summary, &workloads(&summary)).is_none());
    }

    #[test]
    fn hostile_names_do_not_break_a_sentence() {
        let mut summary = summaries::two_cores();
        for cell in &mut summary.cells {
            cell.workload.push_str("\u{1}9\u{2}");
        }
        let statements = of(&summary, true);
        assert!(
            statements
                .iter()
                .all(|statement| statement.clauses.iter().any(|clause| !clause.tone.is_empty()))
        );
    }
}
