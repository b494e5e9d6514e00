#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::interpreter::fixtures::Folder as Root;
use crate::machine::discovery::samples;

/// The required lines, in the format of kernels since 3.14.
const MEMINFO: &str = "\
MemTotal: 2048 kB
MemFree: 100 kB
MemAvailable: 1024 kB
Buffers: 0 kB
Cached: 0 kB
SwapCached: 0 kB
Active: 0 kB
Inactive: 0 kB
SwapTotal: 512 kB
SwapFree: 128 kB
Dirty: 0 kB
Writeback: 0 kB
AnonPages: 0 kB
Mapped: 0 kB
Slab: 0 kB
PageTables: 0 kB
Committed_AS: 0 kB
VmallocTotal: 0 kB
VmallocUsed: 0 kB
VmallocChunk: 0 kB
";

fn system(files: &[(&str, &str)]) -> (Root, System) {
    let root = Root::new();
    for (path, text) in files {
        root.file(path, text);
    }
    let system = System::at(root.path());
    (root, system)
}

#[test]
fn facts_of_a_laptop_are_read() {
    let policy = "sys/devices/system/cpu/cpufreq/policy0";
    let zone = "sys/class/thermal/thermal_zone0";
    let (_root, system) = system(&[
        (&format!("{policy}/affected_cpus"), "0 4\n"),
        (&format!("{policy}/scaling_driver"), "intel_pstate\n"),
        (&format!("{policy}/scaling_governor"), "powersave\n"),
        (
            &format!("{policy}/energy_performance_preference"),
            "balance_power\n",
        ),
        ("sys/devices/system/cpu/intel_pstate/no_turbo", "0\n"),
        (&format!("{zone}/type"), "x86_pkg_temp\n"),
        (&format!("{zone}/temp"), "61000\n"),
        (&format!("{zone}/trip_point_0_type"), "passive\n"),
        (&format!("{zone}/trip_point_0_temp"), "-274000\n"),
        (&format!("{zone}/trip_point_1_type"), "active\n"),
        (&format!("{zone}/trip_point_1_temp"), "50000\n"),
        (&format!("{zone}/trip_point_2_type"), "hot\n"),
        (&format!("{zone}/trip_point_2_temp"), "97500\n"),
        (&format!("{zone}/trip_point_3_type"), "critical\n"),
        (&format!("{zone}/trip_point_3_temp"), "105000\n"),
        ("sys/class/thermal/cooling_device0/type", "Processor\n"),
        ("sys/class/thermal/cooling_device0/cur_state", "2\n"),
        ("sys/class/thermal/cooling_device1/type", "intel_powerclamp\n"),
        ("sys/class/thermal/cooling_device1/cur_state", "-1\n"),
        ("sys/class/thermal/cooling_device2/type", "Fan\n"),
        ("sys/class/thermal/cooling_device2/cur_state", "3\n"),
        ("sys/class/power_supply/AC/type", "Mains\n"),
        ("sys/class/power_supply/BAT0/type", "Battery\n"),
        ("sys/class/power_supply/BAT0/status", "Discharging\n"),
        ("sys/class/power_supply/mouse/type", "Battery\n"),
        ("sys/class/power_supply/mouse/scope", "Device\n"),
        ("sys/firmware/acpi/platform_profile", "low-power\n"),
    ]);
    let frequency = system.frequency();
    assert_eq!((frequency.intel_no_turbo, frequency.boost), (Some(false), None));
    let expected = FrequencyPolicy {
        pus: vec![0, 4],
        driver: "intel_pstate".to_owned(),
        governor: "powersave".to_owned(),
        preference: Some("balance_power".to_owned()),
    };
    assert_eq!(frequency.policies, [expected]);
    let heat = system.heat();
    assert_eq!(heat.slowing, ["Processor"]);
    let zone = ThermalZone {
        name: "x86_pkg_temp".to_owned(),
        celsius: 61.0,
        limit_celsius: Some(97.5),
    };
    assert_eq!(heat.zones, [zone]);
    let power = system.power();
    assert_eq!(
        (power.battery, power.discharging, power.profile.as_deref()),
        (true, true, Some("low-power"))
    );
}

#[test]
fn battery_of_a_mouse_does_not_count() {
    let (_root, system) = system(&[
        ("sys/class/power_supply/mouse/type", "Battery\n"),
        ("sys/class/power_supply/mouse/scope", "Device\n"),
        ("sys/class/power_supply/mouse/status", "Discharging\n"),
    ]);
    assert!(!system.power().battery && !system.power().discharging);
}

#[test]
fn counters_are_read() {
    let throttle = "sys/devices/system/cpu/cpu0/thermal_throttle";
    let (_root, system) = system(&[
        (
            "proc/stat",
            "cpu  11 2 3 40 5 6 7 8 1 0\ncpu0 10 2 3 40 5 6 7 8 1 0\ncpu2 1 0 0 0 0 0 0 0 0 0\nintr 5 0 0\nprocs_running 3\n",
        ),
        ("proc/vmstat", "nr_free_pages 100\npswpin 5\npswpout 7\n"),
        (&format!("{throttle}/core_throttle_count"), "2\n"),
        (&format!("{throttle}/package_throttle_count"), "3\n"),
        ("proc/loadavg", "1.62 0.50 0.10 2/402 13669\n"),
        (
            "proc/cpuinfo",
            "processor\t: 0\nflags\t\t: fpu hypervisor tsc\n\nprocessor\t: 1\nflags\t\t: fpu\n",
        ),
        ("sys/class/dmi/id/sys_vendor", "QEMU\n"),
        ("sys/class/dmi/id/product_name", "Standard PC\n"),
    ]);
    let moment = system.moment();
    let ticks = |busy, idle, steal| Ticks { busy, idle, steal };
    let stat = moment.stat.clone().unwrap();
    assert_eq!(
        stat.pus,
        BTreeMap::from([(0, ticks(28, 45, 8)), (2, ticks(1, 0, 0))])
    );
    assert_eq!(stat.runnable, Some(3));
    assert_eq!(
        (moment.swapped_pages.clone(), moment.throttle_events),
        (Ok(12), Some(5))
    );
    let activity = system.activity(vec![moment], 0.5);
    assert!((activity.load_average.unwrap() - 1.62).abs() < 1e-6);
    assert!(activity.hypervisor);
    assert_eq!(activity.product, "QEMU Standard PC");
}

#[test]
fn settings_are_read() {
    let (_root, system) = system(&[
        ("proc/meminfo", MEMINFO),
        ("proc/sys/vm/swappiness", "60\n"),
        ("proc/sys/kernel/numa_balancing", "1\n"),
        (
            "sys/kernel/mm/transparent_hugepage/enabled",
            "always [madvise] never\n",
        ),
        ("proc/sys/kernel/randomize_va_space", "2\n"),
        ("proc/self/personality", "00040000\n"),
        ("proc/sys/kernel/perf_event_paranoid", "-1\n"),
        (
            "sys/devices/system/clocksource/clocksource0/current_clocksource",
            "tsc\n",
        ),
        ("sys/bus/event_source/devices/cpu/type", "4\n"),
        ("sys/devices/system/cpu/isolated", "2-3,6\n"),
        ("sys/devices/system/cpu/nohz_full", "(null)\n"),
    ]);
    let memory = system.memory();
    let kib = |count: u64| count * 1024;
    let sizes = MemorySizes {
        total_bytes: kib(2048),
        available_bytes: kib(1024),
        swap_total_bytes: kib(512),
        swap_used_bytes: kib(384),
    };
    assert_eq!(memory.sizes, Ok(sizes));
    assert_eq!((memory.swappiness, memory.numa_balancing), (Ok(60), Ok(1)));
    assert_eq!(memory.huge_pages.as_deref(), Ok("madvise"));
    let kernel = system.kernel();
    assert_eq!((kernel.randomize_va_space, kernel.layout_is_fixed), (Ok(2), true));
    assert_eq!(
        (kernel.perf_event_paranoid, kernel.clock_source.as_deref()),
        (Ok(-1), Ok("tsc"))
    );
    assert_eq!(kernel.monitoring_units, ["cpu"]);
    let cores = system.cores(&samples::one_pu(), Ok(Some(1.5)));
    assert_eq!(
        (cores.isolated, cores.tickless),
        (Ok(vec![2, 3, 6]), Ok(Vec::new()))
    );
    assert_eq!(cores.quota, Ok(Some(1.5)));
}

#[test]
fn missing_and_malformed_files_are_reported_with_their_paths() {
    let (_root, system) = system(&[("proc/sys/vm/swappiness", "many\n"), ("proc/stat", "intr 5\n")]);
    insta::assert_snapshot!(system.memory().swappiness.unwrap_err(), @r#"cannot parse /proc/sys/vm/swappiness: "many""#);
    insta::assert_snapshot!(system.memory().sizes.unwrap_err(), @"/proc/meminfo does not exist");
    insta::assert_snapshot!(system.moment().stat.unwrap_err(), @r#"cannot parse /proc/stat: "intr 5""#);
    assert!(system.frequency().policies.is_empty());
    assert_eq!(system.moment().throttle_events, None);
}

#[test]
fn free_space_of_the_results_folder_is_read() {
    let root = Root::new();
    let found = folder(root.path());
    assert!(found.writable && found.free_bytes.is_ok());
    let gone = folder(&root.path().join("gone"));
    assert!(!gone.writable && gone.free_bytes.is_err());
}

#[test]
fn this_machine_can_be_read() {
    let system = System::at(Path::new("/"));
    assert!(!system.moment().stat.unwrap().pus.is_empty());
    assert!(system.memory().sizes.unwrap().total_bytes > 0);
    assert!(system.activity(Vec::new(), 0.0).load_average.unwrap() >= 0.0);
}

proptest! {
    #[test]
    fn parsers_accept_or_refuse_any_text(text in "\\PC{0,60}|[0-9,\\-]{0,20}|(cpu[0-9]? [0-9 ]{0,30}\n){0,3}") {
        let _ = pu_list(&text);
        let _ = stat(&text);
        let _ = chosen(&text);
        let _ = switch(&text);
    }

    #[test]
    fn pu_lists_round_trip(pus in proptest::collection::btree_set(0_u32..500, 0..40)) {
        let pus: Vec<u32> = pus.into_iter().collect();
        prop_assert_eq!(pu_list(&crate::machine::topology::list_of_pus(&pus)), Some(pus));
    }
}
