//! The page of a fleet: one HTML file without scripts that needs nothing else, as that of a history.

use serde::Serialize;

use super::{charts, words};
use crate::chart::{self, ChartError, JoinError};
use crate::page::{self, PageError};
use crate::table::Table;
use ftbench_analyse::fleet::{Fleet, Member};
use ftbench_schema::text;

const PAGE: &str = include_str!("../../assets/fleet/page.html");
const STYLE: &str = include_str!("../../assets/fleet/style.css");

/// Maximum number of workloads with charts: more make the page slow to open.
const MAX_CHARTED: usize = 40;

/// A page could not be made.
#[derive(Debug, thiserror::Error)]
pub enum FleetPageError {
    /// The template engine refused.
    #[error(transparent)]
    Page(#[from] PageError),
    /// A chart could not be drawn.
    #[error(transparent)]
    Chart(#[from] ChartError),
    /// Runs that cannot be in one chart.
    #[error(transparent)]
    Join(#[from] JoinError),
}

#[derive(Serialize)]
struct Page {
    opening: String,
    missing: Vec<String>,
    machines: Rows,
    claims: Vec<String>,
    node_effects: Vec<String>,
    kind_differences: Vec<String>,
    comparisons: Rows,
    unlike: Vec<String>,
    workloads: Vec<Workload>,
    method: String,
}

/// A table as texts.
#[derive(Serialize)]
struct Rows {
    headings: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl From<Table> for Rows {
    fn from(table: Table) -> Self {
        Self {
            headings: table.headings().map(str::to_owned).collect(),
            rows: table.texts().collect(),
        }
    }
}

#[derive(Serialize)]
struct Workload {
    name: String,
    figures: Rows,
    /// The drawings, as SVG.
    charts: Vec<String>,
}

/// Makes the page as HTML. `members` are those that the fleet was analysed from.
///
/// # Errors
/// When a chart cannot be drawn, or the template engine refuses.
pub fn html(fleet: &Fleet, members: &[Member]) -> Result<String, FleetPageError> {
    let mut workloads = Vec::new();
    for (number, name) in words::workloads(fleet).into_iter().enumerate() {
        let charts = if number < MAX_CHARTED {
            charts::of_workload(fleet, members, name)?
        } else {
            Vec::new()
        };
        workloads.push(Workload {
            name: text::line(name),
            figures: words::figures(fleet, name, usize::MAX).into(),
            charts: charts.iter().map(chart::page_svg).collect::<Result<_, _>>()?,
        });
    }
    let drawings = workloads.iter().flat_map(|workload| &workload.charts);
    let style = page::style(drawings.map(String::as_str))?;
    let page = Page {
        opening: words::opening(fleet),
        missing: words::missing(fleet),
        machines: words::machines(fleet).into(),
        claims: words::claims(fleet),
        node_effects: words::node_effects(fleet),
        kind_differences: words::kind_differences(fleet),
        comparisons: words::comparisons(fleet).into(),
        unlike: words::unlike(fleet),
        workloads,
        method: words::method(fleet, false),
    };
    Ok(page::fill_page(PAGE, &page, &format!("{style}{STYLE}"), &[])?)
}
