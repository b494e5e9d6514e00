//! Findings of charts with curves, in words.

use ftbench_schema::units::{self, TimeUnit};
use ftbench_schema::{Estimate, Model};

use super::measured::{Line, series_name};
use crate::chart::words::on_interpreters;

/// Maximum number of shares named in a title.
const MOST_NAMED: usize = 3;

/// Writes a rate as labels have it: `52.3 k/s`.
pub(crate) fn per_second(rate: f64) -> String {
    format!("{}/s", with_prefix(rate))
}

/// Writes a rate in a sentence: `52.3 k units/s`.
fn units_per_second(rate: f64) -> String {
    format!("{} units/s", with_prefix(rate))
}

/// Writes a rate with its interval: `52.3 k units/s [51.9, 52.8]`.
pub(super) fn per_second_with_interval(rate: Estimate) -> String {
    let (divisor, prefix) = prefix(rate.estimate);
    with_interval(rate, 1.0 / divisor, &format!("{prefix} units/s"))
}

/// Writes a duration with its interval: `120 ms [118, 122]`.
pub(super) fn duration_with_interval(seconds: Estimate) -> String {
    let unit = TimeUnit::for_typical(seconds.estimate);
    with_interval(seconds, unit.from_seconds(1.0), &format!(" {}", unit.symbol()))
}

fn with_interval(value: Estimate, factor: f64, unit: &str) -> String {
    let decimals = units::decimals_for(value.estimate * factor, 3);
    let number = |value: f64| units::number(value * factor, decimals);
    format!(
        "{}{unit} [{}, {}]",
        number(value.estimate),
        number(value.low),
        number(value.high)
    )
}

/// Three digits of a large number, and the prefix of its unit.
fn with_prefix(rate: f64) -> String {
    let (divisor, prefix) = prefix(rate);
    let value = rate / divisor;
    format!("{}{prefix}", units::number(value, units::decimals_for(value, 3)))
}

/// The prefix of the unit of a rate, and its factor.
fn prefix(rate: f64) -> (f64, &'static str) {
    match rate {
        large if large >= 1e9 => (1e9, " G"),
        large if large >= 1e6 => (1e6, " M"),
        large if large >= 1e4 => (1e3, " k"),
        _ => (1.0, ""),
    }
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

/// `least time with 3.13t threads, 181 ms at 2 workers`.
pub(super) fn makespan(lines: &[Line<'_>]) -> String {
    let values = lines
        .iter()
        .flat_map(|line| line.values.iter().map(move |value| (line, value)));
    let shortest = values.min_by(|(_, (_, a)), (_, (_, b))| a.estimate.total_cmp(&b.estimate));
    shortest.map_or_else(nothing, |(line, (count, time))| {
        format!(
            "least time with {}, {} at {}",
            series_name(line),
            units::duration(time.estimate),
            workers(*count)
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
    let shares: Vec<(f64, String)> = lines
        .iter()
        .filter(|line| line.model == first.model && last(line) == Some(most))
        .filter_map(|line| Some((line.values.last()?.1.estimate, line.place(20))))
        .collect();
    share_words(first.model, &workers(most), shares)
}

/// `threads use 97 % of 16 workers on 3.13t and 3.14t, 5 % on 3.13`, from shares and the interpreters that reach them.
pub(super) fn share_words(model: Model, workers: &str, mut shares: Vec<(f64, String)>) -> String {
    shares.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut alike: Vec<(String, Vec<String>)> = Vec::new();
    for (share, place) in shares {
        let share = units::per_cent(share, 0);
        match alike.last_mut() {
            Some((known, places)) if *known == share => places.push(place),
            _ => alike.push((share, vec![place])),
        }
    }
    let more: usize = alike
        .iter()
        .skip(MOST_NAMED)
        .map(|(_, places)| places.len())
        .sum();
    let mut of = format!(" of {workers}");
    let mut named: Vec<String> = alike
        .iter()
        .take(MOST_NAMED)
        .map(|(share, places)| format!("{share}{} {}", std::mem::take(&mut of), on_interpreters(places)))
        .collect();
    if more > 0 {
        named.push(format!("less on {more} more"));
    }
    format!("{model} use {}", named.join(", "))
}

/// `with threads, 3.13t is fastest: 1.76x as fast as serial on 3.13, at 2 workers`.
pub(super) fn interpreters(lines: &[Line<'_>], model: Model, baseline: Option<&str>) -> String {
    best(lines).map_or_else(nothing, |best| {
        let speed = baseline.map_or_else(
            || units_per_second(best.value),
            |baseline| format!("{} as fast as serial on {baseline}", units::times(best.value)),
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
    fn large_rates_have_prefixes() {
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
