//! The progress of a run: on a terminal a bar below the figures so far, plain lines elsewhere, nothing when quiet.
//!
//! Nothing is drawn unless the run calls, which it does between groups of trials, while no sample is being taken.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use ftbench_present::style::Style;
use ftbench_schema::{Cell, text};

/// The minimum time between two lines if standard error is not a terminal.
const LINE_INTERVAL: Duration = Duration::from_secs(15);

/// The width that the bar's line must fit, in characters: that of the narrowest usual terminal.
const LINE_WIDTH: usize = 80;
const BAR_WIDTH: usize = 12;
/// The bar's line, and the blank line between it and the table.
const LINES_BELOW_TABLE: u16 = 2;
/// The minimum time between two tables.
const TABLE_INTERVAL: Duration = Duration::from_secs(1);
/// The maximum share of a run's time that tables may take: 1 in this many.
const TABLE_SHARE: u32 = 200;
/// The minimum length to which a workload's name is shortened.
const MIN_NAME_LENGTH: usize = 4;

/// The outcome of a trial.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The outcome in a word or two, for the bar: `203 ms`, `failed`.
    pub brief: String,
    /// The outcome in full, for a separate line.
    pub full: String,
}

/// Shows the progress of a run on standard error.
#[derive(Debug)]
pub struct Progress {
    bar: Option<ProgressBar>,
    lines: bool,
    verbose: bool,
    planned: u64,
    done: u64,
    /// Trials of earlier sessions, which do not count for the estimate of the time left.
    before: u64,
    started: Instant,
    last_line: Instant,
    latest: Option<String>,
    /// Whether tables are coloured.
    colour: bool,
    /// When the next table may be made.
    next_table: Instant,
}

/// The size of the terminal, in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct WindowSize {
    columns: u16,
    rows: u16,
}

impl Progress {
    /// Creates the display, which shows nothing if `quiet`, and a line for every trial if `verbose`. `colour` is whether
    /// tables are coloured.
    #[must_use]
    pub fn new(quiet: bool, verbose: bool, colour: bool) -> Self {
        let is_dumb = std::env::var_os("TERM").is_some_and(|value| value == "dumb");
        let terminal = std::io::stderr().is_terminal() && !is_dumb;
        let target = (terminal && !quiet).then(ProgressDrawTarget::stderr);
        Self {
            lines: !terminal && !quiet,
            verbose,
            colour,
            ..Self::on(target)
        }
    }

    /// Creates a display that draws a bar there, if anywhere.
    fn on(target: Option<ProgressDrawTarget>) -> Self {
        let bar = target.map(|target| {
            let bar = ProgressBar::with_draw_target(None, target);
            bar.set_style(style("{spinner} {msg}"));
            bar
        });
        let now = Instant::now();
        Self {
            bar,
            lines: false,
            verbose: false,
            planned: 0,
            done: 0,
            before: 0,
            started: now,
            last_line: now,
            latest: None,
            colour: false,
            next_table: now,
        }
    }

    /// Shows what happens before the trials.
    pub fn remark(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.set_message(text.to_owned()),
            None if self.lines => write_line(text),
            None => {}
        }
    }

    /// Starts the trials: `planned` in all, of which `before` were run in earlier sessions.
    pub fn begin(&mut self, planned: u64, before: u64) {
        self.planned = planned.max(before);
        (self.done, self.before) = (before, before);
        self.started = Instant::now();
        self.last_line = self.started;
        if let Some(bar) = &self.bar {
            bar.set_length(self.planned);
            bar.set_position(before);
            bar.set_style(style(&bar_line()));
        }
    }

    /// Replaces the table above the bar by the one that `make` returns for the terminal's style and for this number of
    /// lines, or by none. Does nothing without a terminal, or if tables would take much of the run's time.
    pub fn show_table(&mut self, make: impl FnOnce(Style, u16) -> Option<String>) {
        if let Some(size) = window_size() {
            self.show_table_on(size, make);
        }
    }

    fn show_table_on(&mut self, size: WindowSize, make: impl FnOnce(Style, u16) -> Option<String>) {
        let begun = Instant::now();
        let Some(bar) = self.bar.as_ref().filter(|_| begun >= self.next_table) else {
            return;
        };
        let style_of_table = Style {
            colour: self.colour,
            width: Some(size.columns),
        };
        let height = size.rows.saturating_sub(LINES_BELOW_TABLE + 1);
        match make(style_of_table, height) {
            Some(table) => {
                bar.set_style(style(&format!("{{prefix}}\n\n{}", bar_line())));
                bar.set_prefix(table);
            }
            None => bar.set_style(style(&bar_line())),
        }
        let pause = TABLE_INTERVAL.max(begun.elapsed() * TABLE_SHARE);
        self.next_table = Instant::now() + pause;
    }

    /// Shows that the trials of a group begin.
    pub fn group_starts(&self, cells: &[&Cell]) {
        if let (Some(bar), Some(first)) = (&self.bar, cells.first()) {
            let counts = format!("{}/{}", self.done, self.planned).len();
            let room = LINE_WIDTH.saturating_sub(BAR_WIDTH + 1 + counts + 2);
            let latest = self.latest.as_deref();
            bar.set_message(message(self.time_left(), first, cells.len(), latest, room));
        }
    }

    /// Counts a finished trial.
    pub fn trial_ends(&mut self, cell: &Cell, round: u32, outcome: Outcome) {
        self.done += 1;
        if let Some(bar) = &self.bar {
            bar.inc(1);
        }
        if self.verbose {
            self.above(&format!("round {} {cell}: {}", round + 1, outcome.full));
        } else if self.lines && self.last_line.elapsed() >= LINE_INTERVAL {
            self.last_line = Instant::now();
            write_line(&format!(
                "{} of {} trials, {}",
                self.done,
                self.planned,
                self.time_left().unwrap_or_default()
            ));
        }
        self.latest = Some(outcome.brief);
    }

    /// Changes the number of trials that are expected in all.
    pub fn expect(&mut self, trials: u64) {
        self.planned = trials.max(self.done);
        if let Some(bar) = &self.bar {
            bar.set_length(self.planned);
        }
    }

    /// Writes a line above the bar that stays.
    pub fn above(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.println(line),
            None if self.lines || self.verbose => write_line(line),
            None => {}
        }
    }

    /// Removes the bar.
    pub fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    /// An estimate of the time left; `None` before the first trial is finished.
    fn time_left(&self) -> Option<String> {
        let own = self.done.saturating_sub(self.before);
        if own == 0 {
            return None;
        }
        // Every round has the same cells, so the mean of the trials so far is a fair estimate.
        let mean_s = self.started.elapsed().as_secs_f64() / own as f64;
        let left = self.planned.saturating_sub(self.done);
        Some(format!("{} left", minutes_and_seconds(mean_s * left as f64)))
    }
}

/// The text beside the bar, in at most `room` characters if possible; only the workload's name is shortened.
fn message(
    time_left: Option<String>,
    cell: &Cell,
    cells: usize,
    latest: Option<&str>,
    room: usize,
) -> String {
    let compose = |cell: &Cell| {
        let what = match cells {
            1 => cell.to_string(),
            _ => format!("{}, {cells} cells in turn", cell.workload),
        };
        let parts = [
            time_left.clone(),
            Some(text::line(&what)),
            latest.map(|latest| format!("last {}", text::line(latest))),
        ];
        parts.into_iter().flatten().collect::<Vec<String>>().join("  ")
    };
    let excess = compose(cell).chars().count().saturating_sub(room);
    let name = cell.workload.chars().count();
    let mut shorter = cell.clone();
    shorter.workload = text::shorten(&cell.workload, name.saturating_sub(excess).max(MIN_NAME_LENGTH));
    compose(&shorter)
}

/// Formats a duration in whole seconds, which are enough for an estimate.
pub(super) fn minutes_and_seconds(duration_s: f64) -> String {
    let seconds = Duration::try_from_secs_f64(duration_s.ceil())
        .unwrap_or(Duration::MAX)
        .as_secs();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

/// The template of the bar's line.
fn bar_line() -> String {
    format!("{{bar:{BAR_WIDTH}.green/238}} {{pos}}/{{len}}  {{wide_msg}}")
}

/// The size of the terminal behind standard error now; `None` if it does not report it.
fn window_size() -> Option<WindowSize> {
    let size = rustix::termios::tcgetwinsize(std::io::stderr()).ok()?;
    let (columns, rows) = (size.ws_col, size.ws_row);
    (columns > 0 && rows > 0).then_some(WindowSize { columns, rows })
}

pub(super) fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("━━─")
}

/// Writes a line to standard error. `eprintln!` would panic if the pipe is closed or the disk is full.
pub(super) fn write_line(line: &str) {
    // Progress that cannot be shown is not a reason to stop measuring.
    let _ = writeln!(std::io::stderr(), "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use indicatif::InMemoryTerm;

    use ftbench_fixtures::records::cell_of;
    use ftbench_schema::Model;

    #[test]
    fn the_text_beside_the_bar_keeps_model_workers_and_result() {
        let mut cell = cell_of("nbody", "3.13t", Model::Threads, 2);
        assert_eq!(message(None, &cell, 1, None, 60), "nbody 3.13t threads x2");
        assert_eq!(message(None, &cell, 12, None, 60), "nbody, 12 cells in turn");
        let left = Some("12 min 20 s left".to_owned());
        assert_eq!(
            message(left.clone(), &cell, 1, Some("203 ms"), 60),
            "12 min 20 s left  nbody 3.13t threads x2  last 203 ms"
        );
        cell.workload = "matrix_multiplication_by_blocks".to_owned();
        let short = message(left, &cell, 1, Some("203 ms"), 60);
        assert_eq!(
            short,
            "12 min 20 s left  matrix_mult… 3.13t threads x2  last 203 ms"
        );
        assert_eq!(short.chars().count(), 60);
    }

    fn on_screen(columns: u16, rows: u16) -> (Progress, InMemoryTerm) {
        let screen = InMemoryTerm::new(rows, columns);
        let target = ProgressDrawTarget::term_like(Box::new(screen.clone()));
        let mut progress = Progress::on(Some(target));
        progress.begin(10, 0);
        (progress, screen)
    }

    /// A table of this many lines, at most as many as there is room for.
    fn table(lines: u16, height: u16) -> Option<String> {
        let lines: Vec<String> = (1..=lines.min(height))
            .map(|line| format!("row {line}"))
            .collect();
        (!lines.is_empty()).then(|| lines.join("\n"))
    }

    #[test]
    fn table_above_the_bar_is_replaced_and_cleared() {
        let size = WindowSize {
            columns: 60,
            rows: 12,
        };
        let (mut progress, screen) = on_screen(size.columns, size.rows);
        let cell = cell_of("fib", "3.13t", Model::Threads, 2);
        progress.show_table_on(size, |_, height| table(3, height));
        progress.group_starts(&[&cell]);
        assert_eq!(
            screen.contents(),
            "row 1\nrow 2\nrow 3\n\n──────────── 0/10  fib 3.13t threads x2"
        );
        progress.show_table_on(size, |_, _| unreachable!("a table was shown just now"));
        progress.next_table = Instant::now();
        progress.show_table_on(size, |style, height| {
            assert_eq!((style.width, height), (Some(60), 9));
            table(20, height)
        });
        progress.group_starts(&[&cell]);
        let shown = screen.contents();
        assert!(
            shown.starts_with("row 1\n") && shown.contains("row 9\n\n"),
            "{shown}"
        );
        assert!(shown.ends_with("fib 3.13t threads x2"), "{shown}");
        progress.next_table = Instant::now();
        progress.show_table_on(size, |_, _| None);
        progress.group_starts(&[&cell]);
        assert_eq!(screen.contents(), "──────────── 0/10  fib 3.13t threads x2");
        progress.end();
        assert_eq!(screen.contents(), "");
    }

    #[test]
    fn line_above_stays_above_the_table() {
        let size = WindowSize {
            columns: 60,
            rows: 12,
        };
        let (mut progress, screen) = on_screen(size.columns, size.rows);
        progress.show_table_on(size, |_, height| table(2, height));
        progress.above("gave up fib: it keeps failing");
        assert!(
            screen
                .contents()
                .starts_with("gave up fib: it keeps failing\nrow 1\nrow 2\n\n")
        );
    }

    #[test]
    fn no_table_is_made_without_a_terminal() {
        let size = WindowSize {
            columns: 60,
            rows: 12,
        };
        Progress::new(true, false, false).show_table_on(size, |_, _| unreachable!("it is quiet"));
    }

    #[test]
    fn time_left_is_shown_in_whole_seconds() {
        assert_eq!(minutes_and_seconds(0.2), "1 s");
        assert_eq!(minutes_and_seconds(80.0), "1 min 20 s");
        assert_eq!(minutes_and_seconds(7260.0), "2 h 1 min");
        assert_eq!(minutes_and_seconds(-1.0), minutes_and_seconds(f64::NAN));
    }
}
