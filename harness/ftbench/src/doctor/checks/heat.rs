//! Heat and power: what makes a processor slower than it wants to be.

use super::{Check, Finding};
use crate::doctor::Severity;
use crate::doctor::facts::{Activity, Heat, Power, ThermalZone, Untold};
use ftbench_schema::text::counted;

/// How near to its limit a zone may come before that is worth saying, degrees Celsius. Idle machines are 30 and more
/// degrees below; within 5 the first busy seconds reach it.
const NEAR_CELSIUS: f64 = 5.0;

/// Throttling now spoils: all cores at work make more heat than one, so it comes with the number of workers and is taken
/// for bad scaling. Proof of it is a counter that moves (`thermal_throttle`, in
/// `Documentation/ABI/testing/sysfs-devices-system-cpu` for x86) or a cooling device of the processor that is not at
/// rest (`Documentation/driver-api/thermal/sysfs-api.rst`). A temperature is no proof, since firmwares and `thermald` set
/// limits (trip points) as they like, so it only warns.
pub fn thermal(heat: &Heat, activity: &Activity) -> Finding {
    let check = Check::Thermal;
    let cooler = "cool it: free the vents, wait, or measure fewer cores ('-n')";
    let effect = "The processor slows down to stay cool, the more so the more cores are busy: what is heat looks like bad \
                  scaling.";
    let mut counts = activity
        .moments
        .iter()
        .filter_map(|moment| moment.throttle_events);
    let before = counts.next();
    let after = counts.next_back().or(before);
    if let (Some(before), Some(after)) = (before, after)
        && after > before
    {
        let found = format!("throttled {} while we looked", counted(after - before, "time"));
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
        .effect("The cooling has not kept up before; a long run on all cores may meet that again.")
        .remedy(cooler);
    }
    let hottest = heat.zones.iter().max_by(|a, b| a.celsius.total_cmp(&b.celsius));
    match (hottest, after) {
        (Some(zone), _) => Finding::ok(check, reading(zone)),
        (None, Some(_)) => Finding::ok(check, "never throttled since boot"),
        (None, None) => {
            let why = "there are neither thermal zones nor throttle counters: in a virtual machine only the host knows";
            Finding::unknown(check, &Untold::Other(why.to_owned()))
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

/// On battery, firmwares lower the power that a package may draw, often in steps as the charge falls
/// (`Documentation/ABI/testing/sysfs-class-power`); `low-power` does the same on purpose
/// (`Documentation/userspace-api/sysfs-platform_profile.rst`). Both press on many cores more than on one, as turbo does,
/// and like turbo the ceiling feels them too, so they warn.
pub fn power(power: &Power) -> Finding {
    let check = Check::Power;
    let effect = "The firmware caps the power that the processor may draw, which many busy cores feel more than one: \
                  speedups come out low.";
    if power.discharging {
        return Finding::new(check, Severity::Warning, "running on battery")
            .effect(effect)
            .remedy("plug it in");
    }
    match power.profile.as_deref() {
        Some("low-power") => Finding::new(check, Severity::Warning, "the platform profile is low-power")
            .effect(effect)
            .remedy("'powerprofilesctl set performance', or 'echo performance | sudo tee /sys/firmware/acpi/platform_profile'"),
        _ if power.battery => Finding::ok(check, "plugged in"),
        _ => Finding::ok(check, "no battery"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::made_up;

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
        let mut activity = made_up::quiet_workstation().activity;
        activity.moments.truncate(counts.len());
        for (moment, count) in activity.moments.iter_mut().zip(counts) {
            moment.throttle_events = Some(*count);
        }
        thermal(&heat, &activity)
    }

    #[test]
    fn throttling_spoils_when_it_is_proven() {
        let rising = judged(vec![], &[], &[7, 7, 9]);
        assert_eq!(
            (rising.severity, rising.found.as_str()),
            (Severity::Spoils, "throttled 2 times while we looked")
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
    fn a_cool_machine_is_fine_and_a_silent_one_unknown() {
        let cool = judged(vec![zone(38.0, None), zone(45.4, Some(100.0))], &[], &[0, 0]);
        assert_eq!(
            (cool.severity, cool.found.as_str()),
            (Severity::Ok, "x86_pkg_temp at 45 °C, limit 100 °C")
        );
        assert_eq!(judged(vec![], &[], &[0]).found, "never throttled since boot");
        assert_eq!(judged(vec![], &[], &[]).severity, Severity::Unknown);
    }

    #[test]
    fn batteries_and_thrift_warn() {
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
