#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn printed(answer: &Value) -> String {
    format!("\n{MARK}{answer}\n")
}

fn parsed(answer: &Value) -> Answer {
    parse(&printed(answer)).unwrap()
}

fn configured(arguments: &str) -> Value {
    json!({
        "implementation": "CPython", "version": [3, 13, 15, "final", 0], "configuration": {"CONFIG_ARGS": arguments}
    })
}

#[test]
fn flags_and_garbage_collector_are_parsed() {
    let runtime = |free_threaded: u8, thresholds: [u64; 3]| {
        let answer = parsed(&json!({
            "implementation": "CPython", "version": [3, 14, 2, "final", 0],
            "configuration": {"Py_GIL_DISABLED": free_threaded}, "gc_thresholds": thresholds,
            "flags": {"thread_inherit_context": free_threaded == 1, "context_aware_warnings": free_threaded == 1},
        }));
        answer.runtime
    };
    let collector = |free_threaded, thresholds| runtime(free_threaded, thresholds).garbage_collector;
    assert_eq!(collector(0, [2000, 10, 0]), Some(GarbageCollector::Incremental));
    assert_eq!(collector(0, [2000, 10, 10]), Some(GarbageCollector::Generational));
    assert_eq!(collector(1, [2000, 10, 10]), Some(GarbageCollector::FreeThreaded));
    assert_eq!(runtime(1, [2000, 10, 10]).thread_inherit_context, Some(true));
    assert_eq!(runtime(0, [2000, 10, 0]).context_aware_warnings, Some(false));
}

#[test]
fn free_threaded_build_is_parsed() {
    let answer = parsed(&json!({
        "implementation": "CPython", "version": [3, 13, 15, "final", 0], "abiflags": "t", "gil_enabled": false,
        "compiler": "Clang 18.1.8 ", "executable": "/opt/3.13t/bin/python3.13t", "runs_shared_library": false,
        "jit_available": null, "version_text": "3.13.15 (main) [Clang 18.1.8 ]",
        "configuration": {
            "CONFIG_ARGS": "'--disable-gil' '--enable-optimizations' '--with-lto=thin' 'CFLAGS=-g -O2'",
            "Py_GIL_DISABLED": 1, "Py_DEBUG": 0, "Py_ENABLE_SHARED": 1,
            "PY_CORE_CFLAGS": "-O2 -DNDEBUG -O3 -Wl,-O1 -Wall", "CFLAGS": "-O1", "OPT": "-O1"
        }
    }));
    let build = BuildFacts {
        pgo: true,
        lto: true,
        jit: false,
        tail_calls: false,
        debug: false,
        shared: false,
        compiler: "Clang 18.1.8".to_owned(),
        optimisation: "-O3".to_owned(),
    };
    let expected = Answer {
        version: Version::new(3, 13, 15),
        implementation: Implementation::CPython,
        free_threaded: true,
        gil: GilState::Off,
        jit: None,
        build,
        runtime: RuntimeFacts::default(),
        identity: Some(BuildIdentity {
            version_text: "3.13.15 (main) [Clang 18.1.8 ]".to_owned(),
            file: Some("/opt/3.13t/bin/python3.13t".to_owned()),
            sha256: None,
        }),
        executable: Some("/opt/3.13t/bin/python3.13t".into()),
    };
    assert_eq!(answer, expected);
}

#[test]
fn pypy_is_parsed() {
    let answer = parsed(&json!({
        "implementation": "PyPy", "version": [3, 9, 16, "final", 0], "builtin_modules": ["pypyjit"],
        "compiler": "", "version_text": "3.9.16 (7.3.11)\n[PyPy 7.3.11 with GCC 12.2.0]",
        "configuration": {"CONFIG_ARGS": null, "OPT": "-DNDEBUG -O2"}, "runs_shared_library": true
    }));
    assert_eq!(answer.implementation, Implementation::PyPy);
    assert_eq!((answer.free_threaded, answer.gil), (false, GilState::On));
    assert_eq!(answer.build.compiler, "GCC 12.2.0");
    assert_eq!(answer.build.optimisation, "");
    assert!(answer.build.jit && answer.build.shared && !answer.build.pgo && !answer.build.debug);
}

#[test]
fn identity_names_the_shared_library_or_else_the_executable() {
    let file = |more: &Value| {
        let mut answer = configured("");
        for (key, value) in more.as_object().unwrap() {
            answer[key] = value.clone();
        }
        parsed(&answer).identity.and_then(|identity| identity.file)
    };
    assert_eq!(file(&json!({})), None);
    let both = json!({"executable": "/bin/python3", "shared_library": "/lib/libpython3.13.so.1.0"});
    assert_eq!(file(&both).as_deref(), Some("/lib/libpython3.13.so.1.0"));
    let executable = json!({"executable": "/bin/python3", "shared_library": null});
    assert_eq!(file(&executable).as_deref(), Some("/bin/python3"));
}

#[test]
fn configure_options_are_parsed_with_their_values() {
    let build = |arguments: &str| parsed(&configured(arguments)).build;
    assert!(!build("'--enable-optimizations=no' '--with-lto=no'").pgo);
    assert!(!build("'--with-lto=no'").lto);
    assert!(!build("'--with-lto' '--with-lto=no'").lto);
    assert!(build("'--with-lto'").lto && build("'--with-lto=full'").lto);
    assert!(!build("'--without-lto' '--with-lto-something'").lto);
    assert!(build("'--enable-experimental-jit'").jit && build("'--enable-experimental-jit=yes-off'").jit);
    assert!(!build("'--enable-experimental-jit=no'").jit);
    assert!(!build("'--enable-experimental-jit=interpreter'").jit);
    assert!(build("'--with-tail-call-interp'").tail_calls);
    assert!(!build("'--with-tail-call-interp=no'").tail_calls && !build("").tail_calls);
}

#[test]
fn running_process_overrides_its_configuration() {
    let mut answer = configured("'--enable-shared' '--enable-experimental-jit'");
    answer["configuration"]["Py_ENABLE_SHARED"] = json!(1);
    assert!(parsed(&answer).build.shared && parsed(&answer).build.jit);
    answer["runs_shared_library"] = json!(false);
    answer["jit_available"] = json!(false);
    assert!(!parsed(&answer).build.shared && !parsed(&answer).build.jit);
}

#[test]
fn jit_state_follows_configuration_and_variable() {
    let state = |arguments: &str, variable: Option<&str>| {
        let mut answer = configured(arguments);
        answer["jit_variable"] = json!(variable);
        parsed(&answer).jit
    };
    let (on, off) = (Some(JitState::On), Some(JitState::Off));
    assert_eq!(state("", Some("1")), None);
    assert_eq!(state("'--enable-experimental-jit'", None), on);
    assert_eq!(state("'--enable-experimental-jit'", Some("0")), off);
    assert_eq!(state("'--enable-experimental-jit=yes-off'", None), off);
    assert_eq!(state("'--enable-experimental-jit=yes-off'", Some("")), off);
    assert_eq!(state("'--enable-experimental-jit=yes-off'", Some("1")), on);
    assert_eq!(
        state("'--disable-gil' '--enable-experimental-jit'", Some("1")),
        on
    );
    let mut newer = configured("'--enable-experimental-jit=yes-off'");
    newer["jit_available"] = json!(true);
    newer["jit_enabled"] = json!(true);
    assert_eq!(parsed(&newer).jit, on);
    newer["jit_enabled"] = json!(null);
    newer["configuration"]["Py_GIL_DISABLED"] = json!(1);
    assert_eq!(parsed(&newer).jit, off);
}

#[test]
fn debug_and_pre_release_builds_are_parsed() {
    let answer = parsed(&json!({
        "implementation": "CPython", "version": [3, 15, 0, "candidate", 2], "configuration": {"Py_DEBUG": "1"}
    }));
    assert!(answer.build.debug);
    assert_eq!(answer.version.to_string(), "3.15.0rc2");
}

#[test]
fn output_around_the_answer_is_ignored() {
    let answer = format!("welcome!\n{}bye\n", printed(&configured("")));
    assert!(parse(&answer).is_ok());
}

#[test]
fn unusable_answers_are_distinguished() {
    assert_eq!(parse("3.13.15"), Err(BadAnswer::None));
    assert_eq!(parse("ftbench-probe {"), Err(BadAnswer::None));
    let too_old = json!({"implementation": "CPython", "version": [2, 7, 18, "final", 0]});
    assert_eq!(
        parse(&printed(&too_old)),
        Err(BadAnswer::TooOld(Version::new(2, 7, 18)))
    );
    let other = json!({"implementation": "GraalVM", "version": [3, 11, 7, "final", 0]});
    assert_eq!(
        parse(&printed(&other)),
        Err(BadAnswer::UnknownImplementation("GraalVM".to_owned()))
    );
}

proptest! {
    #[test]
    fn parsing_never_panics(text in "(ftbench-probe )?\\PC{0,40}") {
        let _ = parse(&text);
    }
}
