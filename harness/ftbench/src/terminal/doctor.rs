//! The doctor's report, for the terminal and for programs.

use anstyle::Style as Ansi;

use crate::doctor::{Report, Severity, Verdict};
use ftbench_present::style::{BLUE, CYAN, DIM, GREEN, RED, Style, YELLOW, hanging};
use ftbench_schema::text;

/// The width of lines if the terminal's is unknown: narrow, because remedies are copied into issues.
const DEFAULT_WIDTH: u16 = 80;

/// Formats the report as indented JSON with a final newline.
///
/// # Errors
/// If serialisation fails, which never happens for a report.
pub fn json(report: &Report) -> Result<String, serde_json::Error> {
    Ok(serde_json::to_string_pretty(report)? + "\n")
}

/// Renders the verdict, then the findings in their order: those to fix with effect and remedy, the others in one line
/// each.
#[must_use]
pub fn render(report: &Report, style: Style) -> String {
    let style = Style {
        width: style.width.or(Some(DEFAULT_WIDTH)),
        ..style
    };
    let words = report.findings.iter().map(|finding| word(finding.severity).len());
    let label_width = words.max().unwrap_or(0);
    let mut lines = vec![headline(report, style), String::new()];
    let mut above: Option<Severity> = None;
    for finding in &report.findings {
        let in_full = finding.severity >= Severity::Note;
        if above.is_some_and(|above| in_full || above >= Severity::Note) {
            lines.push(String::new());
        }
        above = Some(finding.severity);
        let label = format!("{:<label_width$}", word(finding.severity));
        let label = style.paint(colour(finding.severity), &label);
        let found = text::line(&format!("{}: {}", finding.check, finding.found));
        lines.push(hanging(&label, label_width, &found, style));
        if !in_full {
            continue;
        }
        let below = |message: &str| hanging(&" ".repeat(label_width), label_width, message, style);
        lines.extend(finding.effect.as_ref().map(|effect| below(&text::line(effect))));
        lines.extend(finding.remedy.as_ref().map(|remedy| {
            let remedy = text::line(&format!("fix: {remedy}"));
            style.paint(CYAN, &below(&remedy))
        }));
    }
    lines.join("\n") + "\n"
}

const fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Ok => "ok",
        Severity::Unknown => "unknown",
        Severity::Note => "note",
        Severity::Warning => "warning",
        Severity::Spoils => "spoils",
    }
}

const fn colour(severity: Severity) -> Ansi {
    match severity {
        Severity::Ok => GREEN,
        Severity::Unknown => DIM,
        Severity::Note => BLUE,
        Severity::Warning => YELLOW,
        Severity::Spoils => RED,
    }
}

fn headline(report: &Report, style: Style) -> String {
    let count = |severity: Severity| {
        report
            .findings
            .iter()
            .filter(|finding| finding.severity == severity)
            .count()
    };
    let warnings = match count(Severity::Warning) {
        0 => "no warnings".to_owned(),
        some => text::counted(some, "warning"),
    };
    let (colour, sentence) = match report.verdict {
        Verdict::Fit => (GREEN, "nothing here spoils a comparison".to_owned()),
        Verdict::WithCare => (YELLOW, format!("nothing here spoils a comparison; {warnings}")),
        Verdict::Spoiled => {
            let spoiling = match count(Severity::Spoils) {
                1 => "1 finding spoils".to_owned(),
                some => format!("{some} findings spoil"),
            };
            (RED, format!("{spoiling} comparisons on this machine; {warnings}"))
        }
    };
    style.paint(colour.bold(), &sentence)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::doctor::facts::Facts;
    use crate::doctor::fixtures;

    fn report(facts: &Facts) -> Report {
        Report::new(fixtures::machine(), facts)
    }

    fn plain(facts: &Facts) -> String {
        let style = Style {
            colour: false,
            width: Some(80),
        };
        render(&report(facts), style)
    }

    #[test]
    fn the_report_on_a_quiet_workstation_fits_a_screen() {
        insta::assert_snapshot!(plain(&fixtures::quiet_workstation()), @r"
        nothing here spoils a comparison

        ok cores: 4 of 4 cores can be used
        ok cpu_quota: no limit on CPU time
        ok cpuset: 4 of 4 PUs (0-3)
        ok smt: one hardware thread per core
        ok isolated_cpus: none: other tasks may run between the workers
        ok frequency_governor: performance (acpi-cpufreq)
        ok turbo: off: one busy core runs no faster than all of them
        ok thermal: x86_pkg_temp at 41 °C, limit 100 °C
        ok power: no battery
        ok load: other programs use 0.0 % of 4 PUs, 0.0 other tasks are runnable
        ok steal: 0.0 % of the CPU time demanded since boot; too idle to measure now
        ok virtualisation: Maker Workstation 1
        ok memory: 24.0 GiB of 32.0 GiB available for 4 cores
        ok swap: no swap space
        ok numa_balancing: 1 NUMA node
        ok transparent_huge_pages: madvise
        ok aslr: on
        ok clock_source: tsc
        ok hardware_counters: can be read (perf_event_paranoid 2)
        ok disk_space: 100 GiB free in /home/a/bench
        ok interpreters: 3.14.2, 3.14.2t
        ok debug_build: none
        ok build_differences: none besides the GIL
        ");
    }

    #[test]
    fn the_worst_findings_come_first() {
        insta::assert_snapshot!(plain(&fixtures::busy_virtual_machine()), @r"
        4 findings spoil comparisons on this machine; 2 warnings

        spoils  cpu_quota: 1.5 CPUs' worth of time for 4 cores
                When the workers together have used up the quota, the kernel stops them
                all until the next period: more workers look slower than they are.
                fix: raise the quota ('docker update --cpus 4 CONTAINER', or the pod's
                CPU limit), or stay below it with '-n'

        spoils  load: other programs use 88.0 % of 4 PUs, 3.0 other tasks are runnable
                Few workers still find free PUs and many do not: curves bend because of
                the load, not because of the GIL, and pairing cannot cancel that.
                fix: stop other programs ('top' shows them), or bind to other PUs with
                '--pin LIST'

        spoils  steal: 9.1 % of the CPU time demanded now, 5.8 % since boot
                The hypervisor gives these PUs to other guests in bursts, which hit one
                cell of a pair and not the other, and many workers more than one.
                fix: measure when the host is quieter, or on an instance with dedicated
                cores

        spoils  build_differences: 3.14.2 and 3.14.2t differ in more than the GIL: PGO
                on 3.14.2 only
                What separates their times may come from how they were built, not from
                the GIL.
                fix: 'ftbench python install 3.14 3.14t' installs a matching pair

        warning turbo: on
                One busy core runs faster than many do, so speedups are lower than the
                code allows. Use 'ceiling_fraction', in which the boost cancels.
                fix: 'echo 1 | sudo tee /sys/devices/system/cpu/intel_pstate/no_turbo'

        warning virtualisation: a virtual machine: QEMU Standard PC
                Neighbours, frequency and the true layout of cores cannot be seen from
                here. Compare within a run, never times from different hours or
                instances.
                fix: for absolute times, use a machine of your own

        note    transparent_huge_pages: always
                Memory is allocated in pages of 2 MiB where possible: fewer TLB misses,
                but memory peaks look larger, and which process gets huge pages is
                partly chance.
                fix: only if memory figures matter: 'echo madvise | sudo tee
                /sys/kernel/mm/transparent_hugepage/enabled'

        note    hardware_counters: the kernel found no performance monitoring unit
                Times are not affected. Instructions, cycles and cache misses cannot be
                shown beside them.
                fix: in a virtual machine, let the host provide one (libvirt: <pmu
                state='on'/>)

        unknown frequency_governor: no cpufreq policy covers these PUs: the hypervisor
                or the firmware sets the frequency without reporting it
        ok      cores: 4 of 4 cores can be used
        ok      cpuset: 4 of 4 PUs (0-3)
        ok      smt: one hardware thread per core
        ok      isolated_cpus: none: other tasks may run between the workers
        ok      thermal: x86_pkg_temp at 41 °C, limit 100 °C
        ok      power: no battery
        ok      memory: 24.0 GiB of 32.0 GiB available for 4 cores
        ok      swap: no swap space
        ok      numa_balancing: 1 NUMA node
        ok      aslr: on
        ok      clock_source: tsc
        ok      disk_space: 100 GiB free in /home/a/bench
        ok      interpreters: 3.14.2, 3.14.2t
        ok      debug_build: none
        ");
    }

    #[test]
    fn lines_stay_within_the_terminal() {
        for facts in [
            fixtures::quiet_workstation(),
            fixtures::busy_virtual_machine(),
            fixtures::unreadable_system(),
        ] {
            for width in [60, 80, 200] {
                let style = Style {
                    colour: false,
                    width: Some(width),
                };
                let longest = render(&report(&facts), style)
                    .lines()
                    .map(|line| line.chars().count())
                    .max();
                assert!(
                    longest.unwrap() <= usize::from(style.text_width()),
                    "{longest:?} at {width}"
                );
            }
        }
    }

    #[test]
    fn colour_means_severity_and_foreign_text_is_harmless() {
        let mut facts = fixtures::quiet_workstation();
        facts.activity.product = "\u{1b}[2JMaker".to_owned();
        let coloured = render(
            &report(&facts),
            Style {
                colour: true,
                width: None,
            },
        );
        assert!(
            coloured.contains("\u{1b}[") && !coloured.contains("\u{1b}[2J"),
            "{coloured:?}"
        );
        assert!(!plain(&facts).contains('\u{1b}'));
    }

    #[test]
    fn json_has_the_documented_keys() {
        let value: serde_json::Value =
            serde_json::from_str(&json(&report(&fixtures::busy_virtual_machine())).unwrap()).unwrap();
        let keys = |value: &serde_json::Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        assert_eq!(keys(&value), ["schema", "machine", "findings", "verdict"]);
        assert_eq!(value["verdict"], "spoiled");
        let first = &value["findings"][0];
        assert_eq!(keys(first), ["check", "severity", "found", "effect", "remedy"]);
        assert_eq!(
            (&first["check"], &first["severity"]),
            (&"cpu_quota".into(), &"spoils".into())
        );
        let quiet = serde_json::to_value(report(&fixtures::quiet_workstation())).unwrap();
        assert_eq!(quiet["verdict"], "fit");
        assert!(quiet["findings"][0]["remedy"].is_null());
    }
}
