use super::*;
use ftbench_schema::{ExtensionModule, StressedCall};
use proptest::prelude::*;

fn attempt(outcome: Outcome, reason: &str) -> Attempt {
    Attempt {
        outcome,
        reason: reason.to_owned(),
        traceback: String::new(),
    }
}

fn import(module: &str, attempt: Attempt) -> ModuleImport {
    ModuleImport {
        module: module.to_owned(),
        attempt,
        gil_enabled_by: vec![],
        extensions: vec![],
        warnings: vec![],
    }
}

fn works(module: &str) -> ModuleImport {
    import(module, attempt(Outcome::Works, ""))
}

/// An installed package with imports.
fn installed(requires: &[&str], imports: Vec<ModuleImport>) -> PackageOnBuild {
    PackageOnBuild {
        version: Some("1.0".to_owned()),
        requires: requires.iter().map(|&name| name.to_owned()).collect(),
        distribution: Distribution::BuildWheel,
        is_installed: true,
        imports,
        ..PackageOnBuild::default()
    }
}

fn without_wheel(distribution: Distribution) -> PackageOnBuild {
    PackageOnBuild {
        version: Some("1.0".to_owned()),
        distribution,
        newest_with_wheel: Some("0.9".to_owned()),
        ..PackageOnBuild::default()
    }
}

fn on_builds(builds: &[(&str, bool)], packages: Vec<(&str, Vec<PackageOnBuild>)>) -> Compat {
    let mut compat = Compat {
        schema_version: 1,
        ftbench: String::new(),
        started: String::new(),
        platform: String::new(),
        requested: vec![],
        builds: builds
            .iter()
            .map(|&(tag, free_threaded)| CompatBuild {
                tag: tag.to_owned(),
                version: String::new(),
                free_threaded,
            })
            .collect(),
        interrupted: false,
        verdict: CompatVerdict::default(),
        packages: packages
            .into_iter()
            .map(|(name, on)| CompatPackage {
                name: name.to_owned(),
                version: None,
                verdict: CompatVerdict::default(),
                reason: String::new(),
                blocked_by: None,
                is_requested: false,
                required_by: vec![],
                tracker: None,
                builds: builds.iter().map(|(tag, _)| (*tag).to_owned()).zip(on).collect(),
            })
            .collect(),
    };
    judge(&mut compat);
    compat
}

fn free_threaded(packages: Vec<(&str, PackageOnBuild)>) -> Compat {
    let packages = packages.into_iter().map(|(name, on)| (name, vec![on]));
    on_builds(&[("3.14t", true)], packages.collect())
}

fn verdict<'a>(compat: &'a Compat, name: &str) -> (CompatVerdict, &'a str, Option<&'a str>) {
    let package = compat
        .packages
        .iter()
        .find(|package| package.name == name)
        .unwrap();
    (package.verdict, &package.reason, package.blocked_by.as_deref())
}

#[test]
fn a_package_that_imports_has_no_blocker() {
    let compat = free_threaded(vec![
        ("six", installed(&[], vec![works("six")])),
        ("stubs", installed(&[], vec![])),
    ]);
    assert_eq!(verdict(&compat, "six").0, CompatVerdict::NoBlockerFound);
    assert_eq!(verdict(&compat, "stubs").1, "it has no modules");
    assert_eq!(compat.verdict, CompatVerdict::NoBlockerFound);
    let rests_on = compat.packages.first().unwrap().builds.get("3.14t").unwrap();
    assert_eq!(
        rests_on.rests_on,
        [Evidence::Resolved, Evidence::Installed, Evidence::Imported]
    );
}

#[test]
fn what_requires_a_missing_package_is_blocked_by_it() {
    let failed = import(
        "web",
        attempt(Outcome::Fails, "ModuleNotFoundError: No module named 'loop'"),
    );
    let compat = free_threaded(vec![
        ("loop", without_wheel(Distribution::GilOnlyWheel)),
        ("middle", installed(&["loop"], vec![works("middle")])),
        ("web", installed(&["middle"], vec![failed.clone()])),
        ("alone", installed(&[], vec![failed])),
    ]);
    assert_eq!(
        verdict(&compat, "loop"),
        (
            CompatVerdict::NoWheel,
            "1.0 has only wheels for builds with a GIL; 0.9 is the newest version with a wheel",
            None
        )
    );
    let (blocked, _, by) = verdict(&compat, "web");
    assert_eq!((blocked, by), (CompatVerdict::NotTried, Some("loop")));
    assert_eq!(verdict(&compat, "alone").0, CompatVerdict::Fails);
    let names: Vec<&str> = blockers(&compat)
        .iter()
        .map(|package| package.name.as_str())
        .collect();
    assert_eq!(names, ["alone", "loop"], "the worst first");
}

#[test]
fn modules_that_a_package_does_without_do_not_decide() {
    let no_module = |name: &str| attempt(Outcome::Fails, &format!("{NO_MODULE}{name}'"));
    let for_windows = import("a._win", attempt(Outcome::Fails, "ImportError: Windows only"));
    let compat = free_threaded(vec![
        ("a", installed(&[], vec![works("a"), for_windows])),
        (
            "b",
            installed(
                &[],
                vec![works("b"), import("b_driver", no_module("manager.core"))],
            ),
        ),
        (
            "c",
            installed(&[], vec![works("c"), import("c_extra", no_module("a.gone"))]),
        ),
        ("d", installed(&[], vec![import("d", no_module("manager"))])),
        (
            "e",
            installed(
                &[],
                vec![works("e"), import("e.x", attempt(Outcome::Crashes, "SIGSEGV"))],
            ),
        ),
        (
            "f",
            installed(
                &[],
                vec![works("f"), import("f2", attempt(Outcome::Fails, "ValueError"))],
            ),
        ),
    ]);
    let of = |name| verdict(&compat, name).0;
    assert_eq!(
        verdict(&compat, "a").1,
        "1 of its 2 modules cannot be imported: a._win"
    );
    assert_eq!([of("a"), of("b")], [CompatVerdict::NoBlockerFound; 2]);
    assert_eq!([of("c"), of("d"), of("f")], [CompatVerdict::Fails; 3]);
    assert_eq!(of("e"), CompatVerdict::Crashes);
}

#[test]
fn the_gil_is_switched_on_by_the_package_of_the_extension() {
    let switched = |module: &str| ModuleImport {
        gil_enabled_by: vec![GilSwitch {
            extension: "core.fast._x".to_owned(),
            is_established_alone: true,
        }],
        extensions: vec![ExtensionModule {
            module: "core.fast._x".to_owned(),
            gil: GilDeclaration::Nothing,
        }],
        ..works(module)
    };
    let packages = vec![
        ("core", installed(&[], vec![works("core")])),
        ("fast", installed(&[], vec![switched("core.fast")])),
        ("user", installed(&["fast"], vec![switched("user")])),
    ];
    let compat = free_threaded(packages.clone());
    assert_eq!(
        verdict(&compat, "fast"),
        (
            CompatVerdict::GilReenabled,
            "core.fast._x, which declares nothing about the GIL",
            None
        )
    );
    let (switches, _, by) = verdict(&compat, "user");
    assert_eq!((switches, by), (CompatVerdict::GilReenabled, Some("fast")));
    assert_eq!(verdict(&compat, "core").0, CompatVerdict::NoBlockerFound);
    let with_gil = packages.into_iter().map(|(name, on)| (name, vec![on]));
    let compat = on_builds(&[("3.14", false)], with_gil.collect());
    assert_eq!(compat.verdict, CompatVerdict::NoBlockerFound);
}

#[test]
fn crashes_count_more_than_failures() {
    let mut package = installed(&[], vec![import("a", attempt(Outcome::Fails, "ValueError"))]);
    package.calls = vec![StressedCall {
        call: "b.c()".to_owned(),
        attempt: attempt(Outcome::Crashes, "SIGSEGV"),
        threads: 2,
        calls: 0,
        wrong_results: 0,
    }];
    let compat = free_threaded(vec![("a", package)]);
    assert_eq!(
        verdict(&compat, "a"),
        (CompatVerdict::Crashes, "b.c(): SIGSEGV", None)
    );
    let lying = PackageOnBuild {
        foreign_extensions: vec!["a.cpython-314-x86_64-linux-gnu.so".to_owned()],
        ..installed(
            &[],
            vec![import("a", attempt(Outcome::Fails, "ModuleNotFoundError: a.b"))],
        )
    };
    let compat = free_threaded(vec![("a", lying)]);
    assert!(
        verdict(&compat, "a")
            .1
            .ends_with("its wheel has 1 extension module for another build"),
        "{compat:?}"
    );
}

#[test]
fn a_verdict_is_that_of_the_free_threaded_builds() {
    let compat = on_builds(
        &[("3.14", false), ("3.14t", true)],
        vec![
            (
                "a",
                vec![
                    without_wheel(Distribution::SourceOnly),
                    installed(&[], vec![works("a")]),
                ],
            ),
            (
                "b",
                vec![
                    installed(&[], vec![works("b")]),
                    PackageOnBuild {
                        version: Some("2.0".to_owned()),
                        ..installed(&[], vec![works("b")])
                    },
                ],
            ),
        ],
    );
    assert_eq!(verdict(&compat, "a").0, CompatVerdict::NoBlockerFound);
    let differently = resolved_differently(&compat);
    assert_eq!(
        differently
            .iter()
            .map(|one| one.name.as_str())
            .collect::<Vec<_>>(),
        ["b"]
    );
    assert_eq!(compat.packages.get(1).unwrap().version, None);
}

#[test]
fn changes_are_those_of_versions_and_verdicts() {
    let before = free_threaded(vec![
        ("gone", installed(&[], vec![works("gone")])),
        ("same", installed(&[], vec![works("same")])),
        ("wheel", without_wheel(Distribution::SourceOnly)),
    ]);
    let after = free_threaded(vec![
        ("new", installed(&[], vec![works("new")])),
        ("same", installed(&[], vec![works("same")])),
        ("wheel", installed(&[], vec![works("wheel")])),
    ]);
    let found = changes(&before, &after);
    let names: Vec<&str> = found.iter().map(|change| change.name).collect();
    assert_eq!(names, ["gone", "new", "wheel"]);
    assert!(changes(&after, &after).is_empty());
    let other = on_builds(&[("3.15t", true)], vec![]);
    assert!(changes(&before, &other).is_empty(), "no build is in both");
}

proptest! {
    /// Also with packages that require each other in circles.
    #[test]
    fn every_package_of_any_tree_is_judged(
        requires in proptest::collection::vec(proptest::collection::vec(0_usize..6, 0..4), 1..6),
        is_installed in proptest::collection::vec(any::<bool>(), 6),
    ) {
        let packages = requires.iter().zip(&is_installed).enumerate().map(|(number, (requires, is_installed))| {
            let requires: Vec<String> = requires.iter().map(|other| format!("p{other}")).collect();
            let words: Vec<&str> = requires.iter().map(String::as_str).collect();
            let missing = import("m", attempt(Outcome::Fails, "ImportError: x"));
            let on = if *is_installed {
                installed(&words, vec![missing])
            } else {
                without_wheel(Distribution::Nothing)
            };
            (["p0", "p1", "p2", "p3", "p4", "p5"][number], on)
        });
        let compat = free_threaded(packages.collect());
        for package in &compat.packages {
            prop_assert!(!package.reason.is_empty());
            // Who blocks is never blocked itself by lack of a wheel of its own.
            if let Some(blocker) = &package.blocked_by {
                prop_assert_eq!(verdict(&compat, blocker).0, CompatVerdict::NoWheel);
            }
        }
    }
}
