//! Checks heat and power, which may slow down the processor.

use super::{Check, Finding};
use crate::doctor::Severity;
use crate::doctor::facts::{Activity, Heat, Power, ThermalZone, Unknown};
use ftbench_schema::text::counted;

/// The distance to its limit below which a zone is a warning, degrees Celsius. Idle machines are 30 degrees or more
/// below the limit; within 5 degrees, the first busy seconds reach it.
const NEAR_CELSIUS: f64 = 5.0;

/// Checks for throttling. Throttling now spoils: many busy cores produce more heat than one, so it grows with the
/// number of workers and looks like bad scaling. Proof is a counter that increases (`thermal_throttle`, in
/// `Documentation/ABI/testing/sysfs-devices-system-cpu` for x86) or an active cooling device of the processor
/// (`Documentation/driver-api/thermal/sysfs-api.rst`). A temperature is not proof, because firmware and `thermald` set
/// limits (trip points) in different ways, so it is only a warning.
pub fn thermal(heat: &Heat, activity: &Activity) -> Finding {
    let check = Check::Thermal;
    let cooler = "cool it: free the vents, wait, or measure fewer cores ('-n')";
    let effect = "The processor slows down to stay cool, more so the more cores are busy: heat looks like bad scaling.";
    let mut counts = activity
        .moments
        .iter()
        .filter_map(|moment| moment.throttle_events);
    let before = counts.next();
    let after = counts.next_back().or(before);
    if let (Some(before), Some(after)) = (before, after)
        && after > before
    {
        let found = format!("throttled {} during the check", counted(after - before, "time"));
        return Finding::new(check, Severity::Spoils, found)
            .effect(effect)
            .remedy(cooler);
    }
    if !heat.slowing.is_empty() {
        let found = format!(
            "cooling by slowing the processor now: {}",
            heat.slowing.join(", ")
        );
        return Finding::new(check, Severity::Spoils, found)
            .effect(effect)
            .remedy(cooler);
    }
    let near = heat
        .zones
        .iter()
        .filter(|zone| margin(zone).is_some_and(|margin| margin < NEAR_CELSIUS))
        .min_by(|a, b| {
            margin(a)
                .partial_cmp(&margin(b))
                .unwrap_or(std::cmp::Ordering::Equal)
        });
    if let Some(zone) = near {
        return Finding::new(check, Severity::Warning, reading(zone))
            .effect(effect)
            .remedy(cooler);
    }
    if let Some(events) = after.filter(|events| *events > 0) {
        return Finding::new(
            check,
            Severity::Note,
            format!("throttled {} since boot, not now", counted(events, "time")),
        )
        .effect("The cooling has been insufficient before; a long run on all cores may be throttled again.")
        .remedy(cooler);
    }
    let hottest = heat.zones.iter().max_by(|a, b| a.celsius.total_cmp(&b.celsius));
    match (hottest, after) {
        (Some(zone), _) => Finding::ok(check, reading(zone)),
        (None, Some(_)) => Finding::ok(check, "never throttled since boot"),
        (None, None) => {
            let why = "no thermal zones and no throttle counters exist: in a virtual machine, only the host has them";
            Finding::unknown(check, &Unknown::Other(why.to_owned()))
        }
    }
}

fn margin(zone: &ThermalZone) -> Option<f64> {
    zone.limit_celsius.map(|limit| limit - zone.celsius)
}

fn reading(zone: &ThermalZone) -> String {
    let limit = zone.limit_celsius.map(|limit| format!(", limit {limit:.0} °C"));
    format!(
        "{} at {:.0} °C{}",
        zone.name,
        zone.celsius,
        limit.unwrap_or_default()
    )
}

/// Checks the power supply. On battery, firmware lowers the power that a package may draw, often in steps as the charge
/// falls (`Documentation/ABI/testing/sysfs-class-power`); the profile `low-power` does so on purpose
/// (`Documentation/userspace-api/sysfs-platform_profile.rst`). Both affect many cores more than one, as turbo does, and
/// like turbo they affect the ceiling too, so they are only a warning.
pub fn power(power: &Power) -> Finding {
    let check = Check::Power;
    let effect = "The firmware limits the power of the processor, which affects many busy cores more than one: \
                  speedups are too low.";
    if power.discharging {
        return Finding::new(check, Severity::Warning, "running on battery")
            .effect(effect)
            .remedy("plug it in");
    }
    match power.profile.as_deref() {
        Some("low-power") => Finding::new(check, Severity::Warning, "the platform profile is low-power")
            .effect(effect)
            .remedy(
                "'powerprofilesctl set performance', or 'echo performance | sudo tee \
                 /sys/firmware/acpi/platform_profile'",
            ),
        _ if power.battery => Finding::ok(check, "plugged in"),
        _ => Finding::ok(check, "no battery"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::fixtures;

    fn zone(celsius: f64, limit_celsius: Option<f64>) -> ThermalZone {
        ThermalZone {
            name: "x86_pkg_temp".to_owned(),
            celsius,
            limit_celsius,
        }
    }

    fn judged(zones: Vec<ThermalZone>, slowing: &[&str], counts: &[u64]) -> Finding {
        let heat = Heat {
            zones,
            slowing: slowing.iter().map(|&name| name.to_owned()).collect(),
        };
        let mut activity = fixtures::quiet_workstation().activity;
        activity.moments.truncate(counts.len());
        for (moment, count) in activity.moments.iter_mut().zip(counts) {
            moment.throttle_events = Some(*count);
        }
        thermal(&heat, &activity)
    }

    #[test]
    fn throttling_spoils_only_if_it_is_proven() {
        let rising = judged(vec![], &[], &[7, 7, 9]);
        assert_eq!(
            (rising.severity, rising.found.as_str()),
            (Severity::Spoils, "throttled 2 times during the check")
        );
        assert_eq!(judged(vec![], &["Processor"], &[0, 0]).severity, Severity::Spoils);
        assert_eq!(
            judged(vec![zone(99.0, Some(90.0))], &[], &[0, 0]).severity,
            Severity::Warning
        );
        assert_eq!(
            judged(vec![zone(40.0, None)], &[], &[3, 3]).severity,
            Severity::Note
        );
    }

    #[test]
    fn cool_machine_is_ok_and_one_without_sensors_is_unknown() {
        let cool = judged(vec![zone(38.0, None), zone(45.4, Some(100.0))], &[], &[0, 0]);
        assert_eq!(
            (cool.severity, cool.found.as_str()),
            (Severity::Ok, "x86_pkg_temp at 45 °C, limit 100 °C")
        );
        assert_eq!(judged(vec![], &[], &[0]).found, "never throttled since boot");
        assert_eq!(judged(vec![], &[], &[]).severity, Severity::Unknown);
    }

    #[test]
    fn battery_and_low_power_profile_are_warnings() {
        let severity = |battery, discharging, profile: Option<&str>| {
            let profile = profile.map(str::to_owned);
            power(&Power {
                battery,
                discharging,
                profile,
            })
            .severity
        };
        assert_eq!(severity(true, true, None), Severity::Warning);
        assert_eq!(severity(true, false, Some("low-power")), Severity::Warning);
        assert_eq!(severity(true, false, Some("balanced")), Severity::Ok);
        assert_eq!(severity(false, false, None), Severity::Ok);
    }
}
