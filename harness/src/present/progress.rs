//! How far a run is: a bar on a terminal, plain lines elsewhere, nothing when quiet.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::record::schema::Cell;

/// Elsewhere than on a terminal, a line is written no more often than this.
const LINE_INTERVAL: Duration = Duration::from_secs(15);

/// Shows how far a run is, on standard error.
#[derive(Debug)]
pub struct Progress {
    bar: Option<ProgressBar>,
    lines: bool,
    verbose: bool,
    planned: u64,
    done: u64,
    started: Instant,
    last_line: Instant,
}

impl Progress {
    /// Shows nothing when `quiet`; when `verbose`, a line for every trial.
    #[must_use]
    pub fn new(quiet: bool, verbose: bool) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let bar = (terminal && !quiet).then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            bar.set_style(style("{spinner} {msg}"));
            bar
        });
        let now = Instant::now();
        Self {
            bar,
            lines: !terminal && !quiet,
            verbose,
            planned: 0,
            done: 0,
            started: now,
            last_line: now,
        }
    }

    /// Says what is going on before the trials.
    pub fn remark(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.set_message(text.to_owned()),
            None if self.lines => write_line(text),
            None => {}
        }
    }

    /// The trials begin.
    pub fn begin(&mut self, planned: u64) {
        self.planned = planned;
        self.started = Instant::now();
        self.last_line = self.started;
        if let Some(bar) = &self.bar {
            bar.set_length(planned);
            bar.set_style(style("{bar:24.green/238} {pos}/{len} trials  {wide_msg}"));
        }
    }

    /// A trial begins.
    pub fn trial_starts(&self, cell: &Cell, round: u32) {
        if let Some(bar) = &self.bar {
            bar.set_message(format!("{}  round {}  {cell}", self.time_left(), round + 1));
        }
    }

    /// A trial is over; `outcome` says how it went, in a few words.
    pub fn trial_ends(&mut self, cell: &Cell, round: u32, outcome: &str) {
        self.done += 1;
        if let Some(bar) = &self.bar {
            bar.inc(1);
        }
        if self.verbose {
            self.above(&format!("round {} {cell}: {outcome}", round + 1));
        } else if self.lines && self.last_line.elapsed() >= LINE_INTERVAL {
            self.last_line = Instant::now();
            write_line(&format!(
                "{} of {} trials, {}",
                self.done,
                self.planned,
                self.time_left()
            ));
        }
    }

    /// So many trials are expected in all.
    pub fn expect(&mut self, trials: u64) {
        self.planned = trials.max(self.done);
        if let Some(bar) = &self.bar {
            bar.set_length(self.planned);
        }
    }

    /// Writes a line that stays.
    pub fn above(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.println(line),
            None if self.lines || self.verbose => write_line(line),
            None => {}
        }
    }

    /// Takes the bar away.
    pub fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn time_left(&self) -> String {
        if self.done == 0 {
            return "estimating the time left".to_owned();
        }
        // Every round has the same cells, so the mean of the trials so far is a fair guess.
        let mean_s = self.started.elapsed().as_secs_f64() / self.done as f64;
        let left = self.planned.saturating_sub(self.done);
        format!("{} left", minutes_and_seconds(mean_s * left as f64))
    }
}

/// Whole seconds are enough for a guess.
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

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("━━─")
}

#[allow(
    clippy::print_stderr,
    reason = "the edge: progress is what this module is for"
)]
fn write_line(line: &str) {
    eprintln!("{line}");
}

#[cfg(test)]
mod tests {
    use super::minutes_and_seconds;

    #[test]
    fn time_left_is_told_in_whole_seconds() {
        assert_eq!(minutes_and_seconds(0.2), "1 s");
        assert_eq!(minutes_and_seconds(80.0), "1 min 20 s");
        assert_eq!(minutes_and_seconds(7260.0), "2 h 1 min");
        assert_eq!(minutes_and_seconds(-1.0), minutes_and_seconds(f64::NAN));
    }
}
