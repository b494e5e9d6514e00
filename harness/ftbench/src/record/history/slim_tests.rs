use super::*;
use ftbench_fixtures::{records, summaries};
use ftbench_schema::{CeilingFacts, Summary};

fn summary() -> Summary {
    let mut summary = summaries::two_cores();
    let mut fib = records::workload("fib");
    fib.ceiling = Some(CeilingFacts::of(Kernel::Integer));
    summary.workloads = vec![fib, records::workload("nbody")];
    let packages = [("numpy", "2.3.1"), ("mpmath", "1.3.0")];
    summary.environments = vec![records::environment("3.13t", &packages)];
    summary
}

fn parsed(bytes: &[u8]) -> Result<HistoryRun, ReadError> {
    parse(bytes, "night", Metric::Time, &Keys::default())
}

#[test]
fn the_fields_of_a_history_are_read() {
    let run = parsed(&serde_json::to_vec(&summary()).unwrap()).unwrap();
    assert_eq!(run.folder, "night");
    assert_eq!(run.profile, "quick");
    let settings = RunSettings {
        pin: "cores".to_owned(),
        target_sample_s: 0.06,
    };
    assert_eq!(run.settings, Some(settings));
    assert_eq!(run.workloads["fib"].kernel, Some(Kernel::Integer));
    assert_eq!(run.workloads["nbody"].kernel, None);
    assert_eq!(run.environments.len(), 1);
    assert_eq!(run.environments[0].packages, "mpmath 1.3.0, numpy 2.3.1");
    assert!(!run.readings.is_empty());
}

#[test]
fn a_summary_without_settings_and_packages_is_read() {
    let mut value = serde_json::to_value(summary()).unwrap();
    value.as_object_mut().unwrap().remove("environments");
    let run = value["run"].as_object_mut().unwrap();
    run.remove("pin");
    run.remove("target_sample_s");
    for workload in value["workloads"].as_array_mut().unwrap() {
        workload.as_object_mut().unwrap().remove("ceiling");
    }
    let run = parsed(&serde_json::to_vec(&value).unwrap()).unwrap();
    assert!(run.settings.is_none() && run.environments.is_empty());
    assert_eq!(run.workloads["fib"].kernel, None);
}

#[test]
fn a_newer_format_is_reported_whatever_its_keys_are() {
    let error = parsed(br#"{"schema": 2, "night": []}"#).unwrap_err();
    assert!(error.to_string().contains("use a newer ftbench"), "{error}");
    let error = parsed(br#"{"schema": 1, "night": []}"#).unwrap_err();
    assert!(error.to_string().contains("is damaged"), "{error}");
}
