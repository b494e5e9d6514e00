//! The output of `ftbench explain`.

use std::fmt::Write;

use super::style::Style;
use super::table::{Cell as Entry, Column, Table, Tone};
use ftbench_analyse::worst::Scaled;
use ftbench_schema::units::{TimeUnit, per_cent, times};
use ftbench_schema::{CategoryTime, Cell, Contended, Estimate, Explanation, Host, SamplingCost, text, units};

/// Categories with less than this share of the time, with one worker and with all, are left out of the table.
const MIN_SHARE: f64 = 0.01;

/// A cost of sampling above this share is reported as a warning, unless the interval includes none.
const MAX_COST: f64 = 0.05;

/// The category of workers that are ready to run, as `ftbench-explain` names it.
const WAITING: &str = "waiting for a PU";

/// Above this share of time in that category there is a warning.
const MAX_WAITING: f64 = 0.2;

/// A workload scales if the whole interval of the rise is below this share of the time with one worker.
const SCALES_WITHIN: f64 = 0.1;

/// Decimals of times.
const DECIMALS: usize = 2;

/// The line that announces the measurements.
#[must_use]
pub fn opening(cell: &Cell, rounds: u32) -> String {
    format!(
        "{} on {}: 1 and {} threads, with and without looking at them, in {}",
        cell.workload,
        cell.interpreter_label(),
        cell.workers,
        text::counted(rounds, "round")
    )
}

/// The line that says which curves of a run are measured again.
#[must_use]
pub fn worst(curves: &[Scaled]) -> String {
    let described = curves.iter().map(|curve| {
        format!(
            "{} on {} ({} with {} threads)",
            curve.cell.workload,
            curve.cell.interpreter_label(),
            times(curve.speedup),
            curve.cell.workers
        )
    });
    let described: Vec<String> = described.collect();
    format!("scaled worst in the run: {}", described.join(", "))
}

/// The explanation as text.
#[must_use]
pub fn explanation(explanation: &Explanation, style: Style) -> String {
    let interpreter = Host::Spawn.label(&explanation.interpreter, explanation.arm.as_deref());
    let mut text = format!("{} on {interpreter}\n", explanation.workload);
    text.push_str(&verdict(explanation));
    text.push_str("\n\n");
    // Without rows, a table has no text.
    for table in [time(explanation), contended(&explanation.contended)] {
        let table = table.list(style);
        if !table.is_empty() {
            text.push_str(&table);
            text.push_str("\n\n");
        }
    }
    text.push_str(&cost(&explanation.cost));
    if !explanation.has_symbols {
        text.push_str(
            "warning: this build has no symbols (it is stripped): what CPython's functions without names do is unknown, \
             such as collecting garbage and waiting for the GIL\n",
        );
    }
    if let Some(share) = waiting_share(explanation).filter(|share| *share > MAX_WAITING) {
        let share = per_cent(share, 0);
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "warning: workers waited for a PU in {share} of their time; other programs use them, so repeat this when the \
             machine is quiet"
        );
    }
    text
}

/// The share of all workers' time in which they were ready to run and did not.
fn waiting_share(explanation: &Explanation) -> Option<f64> {
    let waiting = explanation.time.iter().find(|time| time.category == WAITING)?;
    Some(waiting.all_workers_ns.estimate / explanation.total.all_workers_ns.estimate)
}

/// What the time of all categories together says.
fn verdict(explanation: &Explanation) -> String {
    let CategoryTime {
        one_worker_ns,
        all_workers_ns,
        rise_ns,
        ..
    } = &explanation.total;
    let ratio = all_workers_ns.estimate / one_worker_ns.estimate;
    let workers = explanation.workers;
    let mut words = format!(
        "a unit of work takes {} the workers' time with {workers} threads that it takes with one: a speedup of {}",
        times(ratio),
        units::number(f64::from(workers) / ratio, 2)
    );
    let scales = rise_ns.high <= SCALES_WITHIN * one_worker_ns.estimate;
    if scales {
        words.push_str("; it scales");
    } else if rise_ns.low <= 0.0 {
        words.push_str("; the rise is not shown, because its interval includes 0");
    } else if explanation.contended.is_empty() && !explanation.gil_enabled {
        words.push_str("; no single object or lock that several workers use is seen in 1 % of the looks");
    }
    if (scales || rise_ns.low > 0.0)
        && let Some(most) = explanation.time.iter().find(|time| time.rise_ns.low > 0.0)
    {
        let _ = write!(words, "; what rises most: {}", name(most));
    }
    if let Some(module) = &explanation.gil_enabled_by {
        let _ = write!(
            words,
            "\nthe GIL was on, because the module {module} does not support running without it"
        );
    } else if explanation.gil_enabled {
        words.push_str("\nthe GIL was on");
    }
    words
}

fn time(explanation: &Explanation) -> Table {
    let total = &explanation.total;
    let shown = |time: &&CategoryTime| {
        time.one_worker_ns.estimate >= MIN_SHARE * total.one_worker_ns.estimate
            || time.all_workers_ns.estimate >= MIN_SHARE * total.all_workers_ns.estimate
    };
    let rows: Vec<&CategoryTime> = explanation.time.iter().filter(shown).chain([total]).collect();
    let unit = TimeUnit::for_typical(total.one_worker_ns.estimate * 1e-9);
    let figures = |heading: &str, value: fn(&CategoryTime) -> Estimate| {
        Column::figures(heading, rows.iter().map(|row| interval(value(row), unit)))
    };
    let rise = rows.iter().map(|row| {
        let rises = row.rise_ns.low > 0.0;
        Entry::from(interval(row.rise_ns, unit)).toned(if rises { Tone::Bad } else { Tone::Plain })
    });
    Table::new(vec![
        Column::words("workers' time per unit", rows.iter().map(|row| name(row))),
        figures(&format!("1 thread ({})", unit.symbol()), |row| row.one_worker_ns),
        figures(&format!("{} threads", explanation.workers), |row| {
            row.all_workers_ns
        }),
        Column::figures("rise", rise),
    ])
}

fn name(row: &CategoryTime) -> String {
    match &row.detail {
        Some(detail) => format!("{}: {detail}", row.category),
        None => row.category.clone(),
    }
}

fn interval(estimate: Estimate, unit: TimeUnit) -> String {
    let in_unit = |ns: f64| unit.format(ns * 1e-9, DECIMALS);
    format!(
        "{} [{}, {}]",
        in_unit(estimate.estimate),
        in_unit(estimate.low),
        in_unit(estimate.high)
    )
}

fn contended(contended: &[Contended]) -> Table {
    let object = |one: &Contended| match (&one.object, &one.type_name) {
        (Some(path), _) => path.clone(),
        (None, Some(kind)) => format!("a short-lived {kind}"),
        (None, None) => "not an object".to_owned(),
    };
    Table::new(vec![
        Column::words("contended", contended.iter().map(object)),
        Column::words(
            "type",
            contended
                .iter()
                .map(|one| one.type_name.clone().unwrap_or_default()),
        ),
        Column::words("part", contended.iter().map(|one| one.field.clone())),
        Column::figures("share", contended.iter().map(|one| per_cent(one.share, 1))),
        Column::figures("workers", contended.iter().map(|one| one.workers)),
        Column::words("in", contended.iter().map(|one| one.functions.join(", "))),
    ])
}

fn cost(cost: &SamplingCost) -> String {
    let times = |estimate: Estimate| {
        format!(
            "{} [{}, {}]",
            units::number(estimate.estimate, 3),
            units::number(estimate.low, 3),
            units::number(estimate.high, 3)
        )
    };
    let mut words = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(
        words,
        "cost of looking at the workers {} times: samples took {} times as long with one worker, {} with all",
        cost.samples,
        times(cost.one_worker),
        times(cost.all_workers)
    );
    let is_high = |estimate: Estimate| estimate.estimate > 1.0 + MAX_COST && estimate.low > 1.0;
    if is_high(cost.one_worker) || is_high(cost.all_workers) {
        words.push_str("warning: that is so much that the time by category may not be that without it\n");
    }
    if cost.lost > 0 {
        let _ = writeln!(words, "warning: there was no room for {} of them", cost.lost);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn exactly(value: f64) -> Estimate {
        Estimate {
            estimate: value,
            low: value,
            high: value,
        }
    }

    fn time_in(category: &str, one: f64, all: f64) -> CategoryTime {
        CategoryTime {
            category: category.to_owned(),
            detail: None,
            one_worker_ns: exactly(one),
            all_workers_ns: exactly(all),
            rise_ns: exactly(all - one),
        }
    }

    fn example() -> Explanation {
        Explanation {
            workload: "list_read".to_owned(),
            interpreter: "3.14t".to_owned(),
            arm: None,
            gil_enabled: false,
            has_symbols: true,
            gil_enabled_by: None,
            workers: 2,
            rounds: 5,
            total: time_in("all", 1000.0, 2500.0),
            time: vec![
                time_in("shared reference counts", 400.0, 1850.0),
                CategoryTime {
                    detail: Some("PyDict_SetItem".to_owned()),
                    ..time_in("CPython's locks", 0.0, 50.0)
                },
                time_in("interpreter", 596.0, 596.0),
                time_in("allocation", 4.0, 4.0),
            ],
            contended: vec![
                Contended {
                    object: Some("list_read.SHARED".to_owned()),
                    type_name: Some("list".to_owned()),
                    size_bytes: Some(64),
                    field: "shared reference count".to_owned(),
                    share: 0.61,
                    workers: 2,
                    functions: vec!["work".to_owned()],
                },
                Contended {
                    object: None,
                    type_name: None,
                    size_bytes: None,
                    field: "used by type_lookup".to_owned(),
                    share: 0.02,
                    workers: 2,
                    functions: Vec::new(),
                },
            ],
            cost: SamplingCost {
                one_worker: exactly(1.01),
                all_workers: exactly(1.02),
                samples: 4321,
                lost: 0,
            },
        }
    }

    #[test]
    fn explanation_shows_time_objects_and_cost() {
        insta::assert_snapshot!(explanation(&example(), Style::default()), @r"
        list_read on 3.14t
        a unit of work takes 2.50x the workers' time with 2 threads that it takes with one: a speedup of 0.80; what rises most: shared reference counts

        workers' time per unit               1 thread (µs)          2 threads               rise
        shared reference counts          0.40 [0.40, 0.40]  1.85 [1.85, 1.85]  1.45 [1.45, 1.45]
        CPython's locks: PyDict_SetItem  0.00 [0.00, 0.00]  0.05 [0.05, 0.05]  0.05 [0.05, 0.05]
        interpreter                      0.60 [0.60, 0.60]  0.60 [0.60, 0.60]  0.00 [0.00, 0.00]
        all                              1.00 [1.00, 1.00]  2.50 [2.50, 2.50]  1.50 [1.50, 1.50]

        contended         type  part                     share  workers  in
        list_read.SHARED  list  shared reference count  61.0 %        2  work
        not an object           used by type_lookup      2.0 %        2

        cost of looking at the workers 4321 times: samples took 1.010 [1.010, 1.010] times as long with one worker, 1.020 [1.020, 1.020] with all
        ");
    }

    #[test]
    fn gil_is_reported_with_the_module_that_switched_it_on() {
        let mut example = example();
        example.contended.clear();
        let without = explanation(&example, Style::default());
        assert!(without.contains("no single object or lock"), "{without}");
        example.gil_enabled = true;
        let on = explanation(&example, Style::default());
        assert!(on.contains("\nthe GIL was on\n"), "{on}");
        assert!(!on.contains("no single object"), "{on}");
        example.gil_enabled_by = Some("old_extension".to_owned());
        let by = explanation(&example, Style::default());
        assert!(by.contains("because the module old_extension"), "{by}");
    }

    #[test]
    fn scaling_workload_is_said_to_scale_and_costly_sampling_is_a_warning() {
        let mut example = example();
        example.total.rise_ns.low = -1.0;
        let undecided = explanation(&example, Style::default());
        assert!(undecided.contains("the rise is not shown"), "{undecided}");
        example.total.rise_ns.high = 99.0;
        example.contended.clear();
        example.cost.all_workers = exactly(1.06);
        example.cost.lost = 3;
        example.has_symbols = false;
        example.time.push(time_in("waiting for a PU", 0.0, 600.0));
        let shown = explanation(&example, Style::default());
        assert!(shown.contains("; it scales"), "{shown}");
        assert!(!shown.contains("contended"), "{shown}");
        assert!(shown.contains("warning: that is so much"), "{shown}");
        assert!(shown.contains("no room for 3"), "{shown}");
        assert!(shown.contains("this build has no symbols"), "{shown}");
        assert!(shown.contains("waited for a PU in 24 % of their time"), "{shown}");
    }
}
