//! Findings of charts with curves, in words.

use ftbench_schema::{Model, units};

use super::measured::{Line, series_name};

/// At most so many series are named in a title.
const MOST_NAMED: usize = 3;

/// A rate, as labels have it: `52.3 k/s`.
pub(super) fn per_second(rate: f64) -> String {
    format!("{}/s", with_prefix(rate))
}

/// The same in a sentence: `52.3 k units/s`.
fn units_per_second(rate: f64) -> String {
    format!("{} units/s", with_prefix(rate))
}

/// Three digits of a large number, and the prefix of its unit.
fn with_prefix(rate: f64) -> String {
    let (value, prefix) = match rate {
        large if large >= 1e9 => (rate / 1e9, " G"),
        large if large >= 1e6 => (rate / 1e6, " M"),
        large if large >= 1e4 => (rate / 1e3, " k"),
        _ => (rate, ""),
    };
    format!("{}{prefix}", units::number(value, units::decimals_for(value, 3)))
}

/// The largest value of all lines: its line, workers and value.
struct Best<'a, 'b> {
    line: &'b Line<'a>,
    workers: u32,
    value: f64,
}

fn best<'a, 'b>(lines: &'b [Line<'a>]) -> Option<Best<'a, 'b>> {
    let values = lines.iter().flat_map(|line| {
        line.values.iter().map(move |(workers, value)| Best {
            line,
            workers: *workers,
            value: value.estimate,
        })
    });
    values.max_by(|a, b| a.value.total_cmp(&b.value))
}

fn workers(count: u32) -> String {
    ftbench_schema::text::counted(usize::try_from(count).unwrap_or(usize::MAX), "worker")
}

/// `most work with 3.13t threads, 5230 units/s at 2 workers`.
pub(super) fn throughput(lines: &[Line<'_>]) -> String {
    best(lines).map_or_else(nothing, |best| {
        format!(
            "most work with {}, {} at {}",
            series_name(best.line),
            units_per_second(best.value),
            workers(best.workers)
        )
    })
}

/// `threads use 96 % of 2 workers on 3.13t, 50 % on 3.13`.
pub(super) fn efficiency(lines: &[Line<'_>]) -> String {
    let Some(first) = lines
        .iter()
        .find(|line| line.model == Model::Threads)
        .or(lines.first())
    else {
        return nothing();
    };
    let last = |line: &Line<'_>| line.values.last().map(|(workers, _)| *workers);
    let Some(most) = last(first) else {
        return nothing();
    };
    let mut shares: Vec<(f64, String)> = lines
        .iter()
        .filter(|line| line.model == first.model && last(line) == Some(most))
        .filter_map(|line| Some((line.values.last()?.1.estimate, line.place(20))))
        .collect();
    shares.sort_by(|a, b| b.0.total_cmp(&a.0));
    let more = shares.len().saturating_sub(MOST_NAMED);
    let mut told: Vec<String> = shares
        .iter()
        .take(MOST_NAMED)
        .map(|(share, place)| format!("{} % on {place}", units::number(share * 100.0, 0)))
        .collect();
    if more > 0 {
        told.push(format!("and {more} more"));
    }
    format!("of {}, {} use {}", workers(most), first.model, told.join(", "))
}

/// `with threads, 3.13t is fastest: 1.76x serial on 3.13, at 2 workers`.
pub(super) fn interpreters(lines: &[Line<'_>], model: Model, baseline: Option<&str>) -> String {
    best(lines).map_or_else(nothing, |best| {
        let speed = baseline.map_or_else(
            || units_per_second(best.value),
            |baseline| format!("{} serial on {baseline}", units::times(best.value)),
        );
        let place = best.line.place(24);
        format!(
            "with {model}, {place} is fastest: {speed}, at {}",
            workers(best.workers)
        )
    })
}

/// `2 processes take 1.9x the memory of 2 threads on 3.13t`.
pub(super) fn memory(lines: &[Line<'_>]) -> String {
    let largest = lines.iter().filter_map(|one| {
        let threads = lines
            .iter()
            .find(|other| other.tag == one.tag && other.arm == one.arm && other.model == Model::Threads)?;
        let (workers, of_processes) = one.values.last()?;
        let (_, of_threads) = threads.values.iter().find(|(count, _)| count == workers)?;
        let processes = one.model.family() == Model::Processes && *workers > 1;
        processes.then(|| {
            (
                of_processes.estimate / of_threads.estimate,
                *workers,
                one.place(24),
            )
        })
    });
    largest.max_by(|a, b| a.0.total_cmp(&b.0)).map_or_else(
        || {
            best(lines).map_or_else(nothing, |best| {
                format!(
                    "at most {}, with {}",
                    units::bytes(best.value),
                    series_name(best.line)
                )
            })
        },
        |(ratio, workers, place)| {
            format!(
                "{workers} processes take {} the memory of {workers} threads on {place}",
                units::times(ratio)
            )
        },
    )
}

fn nothing() -> String {
    "nothing was measured".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_of_every_size_can_be_read() {
        let rates = [0.4, 12.5, 2653.0, 241_549.0, 1e7, 2.5e9];
        assert_eq!(
            rates.map(units_per_second),
            [
                "0.400 units/s",
                "12.5 units/s",
                "2653 units/s",
                "242 k units/s",
                "10.0 M units/s",
                "2.50 G units/s"
            ]
        );
        assert_eq!(rates.map(per_second)[3], "242 k/s");
    }
}
