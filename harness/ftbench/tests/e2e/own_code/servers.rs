//! Servers beside commands, and figures that are taken from what commands print.

use ftbench_schema::{CellStatus, Model, TrialStatus, WarningKind};

use super::{finished, run_with};
use crate::support::{CommandOutput, Sandbox, allowed_pus, pair};

/// Answers with its number of workers, the PUs that it may use, and its process id.
const SERVER: &str = "
import http.server, os, sys

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        for _ in range(200_000):
            pass
        body = f'workers {sys.argv[2]} pus {len(os.sched_getaffinity(0))} pid {os.getpid()}'.encode()
        self.send_response(200)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass

server = http.server.HTTPServer(('127.0.0.1', int(sys.argv[1])), Handler)
if sys.argv[3:] == ['daemon']:
    if os.fork():
        os._exit(0)
    os.setsid()
server.serve_forever()
";

/// Prints what the server answers, and the PUs of its own.
const CLIENT: &str = "
import os, sys, urllib.request
with urllib.request.urlopen(f'http://127.0.0.1:{sys.argv[1]}/') as answer:
    print(answer.read().decode())
print('client on', sum(1 << pu for pu in os.sched_getaffinity(0)))
";

const READY: (&str, &str) = ("--ready", "http://127.0.0.1:{port}/");
const START: &str = "{python} server.py {port} {workers}";
const ASK: &str = "{python} client.py {port}";

fn run(sandbox: &Sandbox, words: &str, options: &[(&str, &str)]) -> CommandOutput {
    let rounds = if words.contains("--rounds") {
        ""
    } else {
        "--rounds 1"
    };
    run_with(sandbox, &format!("{rounds} --samples 3 {words}"), options)
}

fn sandbox_with_server() -> Sandbox {
    let sandbox = Sandbox::sharing_the_machine();
    sandbox.file("server.py", SERVER);
    sandbox.file("client.py", CLIENT);
    sandbox
}

/// Whether a process with this id runs the server of a test.
fn is_server(process_id: f64) -> bool {
    let line = std::fs::read(format!("/proc/{process_id}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&line).contains("server.py")
}

#[test]
fn server_runs_on_its_own_pus_beside_its_client() {
    let sandbox = sandbox_with_server();
    let pus = allowed_pus();
    let all = pus.len();
    let options = [
        ("--command", ASK),
        ("--with-server", START),
        READY,
        ("--figure", "workers=workers ([0-9]+)"),
        ("--figure", "server_pus=pus ([0-9]+)"),
        ("--figure", "server_id=pid ([0-9]+)"),
        ("--figure", "client_mask=client on ([0-9]+)"),
    ];
    // Fewer rounds have no figures to show.
    let output = run(&sandbox, &format!("-n 1,{all} --rounds 3"), &options);
    let run = finished(&sandbox, output, 0);
    run.all_ok("client.py {port}");
    let manifest = run.manifest();
    let command = manifest.workloads[0].command.as_ref().unwrap();
    let server = command.server.as_ref().unwrap();
    assert_eq!((server.line.as_str(), server.ready.as_str()), (START, READY.1));
    assert_eq!(command.figures[0].pattern, "workers ([0-9]+)");
    let modules: Vec<String> = manifest
        .modules
        .unwrap()
        .into_iter()
        .map(|one| one.name)
        .collect();
    assert_eq!(modules, ["client", "server"]);
    for trial in run.trials() {
        let planned = manifest
            .plan
            .cells
            .iter()
            .find(|planned| planned.cell == trial.cell);
        let planned = planned.unwrap();
        let workers = trial.cell.workers as usize;
        let own = &planned.placement;
        let free: Vec<u32> = pus.iter().copied().filter(|pu| !own.contains(pu)).collect();
        if workers == all {
            assert_eq!(planned.client_placement, [0; 0]);
        } else {
            assert!(!planned.client_placement.is_empty());
            assert!(planned.client_placement.iter().all(|pu| free.contains(pu)));
        }
        let client = if workers == all {
            own
        } else {
            &planned.client_placement
        };
        let mask: u64 = client.iter().map(|pu| 1 << pu).sum();
        for sample in trial.counted_samples() {
            assert_eq!(sample.reported["workers"], workers as f64);
            assert_eq!(sample.reported["server_pus"], workers as f64);
            assert_eq!(sample.reported["client_mask"], mask as f64);
            assert!(!is_server(sample.reported["server_id"]), "it outlives its trial");
            if let Some(noise) = &sample.noise {
                assert_eq!(
                    noise.pus.len(),
                    workers.max(own.len() + planned.client_placement.len())
                );
            }
            if let Some(cost) = &sample.cost {
                assert!(cost.cpu_time_ns > Some(0));
            }
        }
        assert!(trial.extra_threads.is_none());
        assert!(trial.startup_ns > Some(1_000_000), "{:?}", trial.startup_ns);
    }
    let warnings = run.summary().warnings;
    let shares = warnings
        .iter()
        .find(|warning| warning.kind == WarningKind::ClientSharesPus);
    assert_eq!(shares.unwrap().workloads, ["client.py {port}"]);
    run.output.stderr_has(&["leave no PU to their clients"]);
    // The figures are shown.
    for word in ["client mask", "server pus"] {
        assert!(run.output.stdout.contains(word), "{}", run.output.stdout);
    }
    let out = run.folder.to_str().unwrap();
    let shown = sandbox.ftbench(&format!("show {out} --format csv"));
    shown.exits_with(0);
    sandbox.ftbench(&format!("report {out}")).exits_with(0);
    assert!(run.text("report.html").contains(START));
}

#[test]
fn servers_of_one_sweep_have_ports_of_their_own_and_daemons_end_with_their_trials() {
    let sandbox = sandbox_with_server();
    let daemon = format!("{START} daemon");
    let options = [
        ("--command", ASK),
        ("--with-server", daemon.as_str()),
        ("--ready", "tcp://127.0.0.1:{port}"),
        ("--figure", "server_id=pid ([0-9]+)"),
    ];
    let output = run(&sandbox, "-m internal -n 1", &options);
    let run = finished(&sandbox, output, 0);
    run.all_ok("client.py {port}");
    let trials = run.trials();
    assert!(
        trials.iter().all(|trial| trial.group.is_some()),
        "they take turns"
    );
    let mut servers: Vec<String> = Vec::new();
    for trial in &trials {
        let ids: Vec<f64> = trial
            .counted_samples()
            .map(|sample| sample.reported["server_id"])
            .collect();
        assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
        assert!(!is_server(ids[0]), "it outlives its trial");
        servers.push(ids[0].to_string());
    }
    servers.sort();
    servers.dedup();
    assert_eq!(servers.len(), trials.len());
}

#[test]
fn failing_servers_have_their_reasons_and_the_others_are_measured() {
    let sandbox = sandbox_with_server();
    sandbox.file("fibo.py", "def fibo():\n    return sum(range(1000))\n");
    // An address that is taken, by this test.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = format!("tcp://{}", taken.local_addr().unwrap());
    for (server, ready, client, reason, tail) in [
        (
            "sleep 600",
            READY.1,
            ASK,
            "did not answer at http://127.0.0.1:",
            "",
        ),
        (
            "sh -c 'echo no licence; exit 3'",
            READY.1,
            ASK,
            "the server ended with exit status 3 before it answered",
            "no licence",
        ),
        (
            "./no-such-server",
            READY.1,
            ASK,
            "cannot start ./no-such-server",
            "",
        ),
        (
            START,
            taken.as_str(),
            ASK,
            "write {port} in place of the port",
            "",
        ),
        (
            START,
            READY.1,
            "{python} client.py 1",
            "client.py 1 ended with exit status 1",
            "Connection refused",
        ),
    ] {
        let options = [
            ("--command", client),
            ("--with-server", server),
            ("--ready", ready),
            ("--callable", "fibo:fibo"),
        ];
        // Only the first one uses up its time.
        let timeout_s = if server.starts_with("sleep") { 10 } else { 60 };
        let words = format!("-m internal -m serial -n 1 --timeout {timeout_s}");
        let output = run(&sandbox, &words, &options);
        let run = finished(&sandbox, output, 1);
        let (own, others): (Vec<_>, Vec<_>) = run
            .trials()
            .into_iter()
            .partition(|trial| trial.cell.workload != "fibo:fibo");
        assert!(!own.is_empty() && !others.is_empty());
        for trial in own {
            let given = trial.reason.clone().unwrap_or_default();
            assert_eq!(trial.status, TrialStatus::Failed, "{server}: {given}");
            assert!(given.contains(reason), "{server}: {given}");
            let shown = trial.output_tail.unwrap_or_default();
            assert!(shown.contains(tail), "{server}: {shown}");
        }
        assert!(others.iter().all(|trial| trial.status == TrialStatus::Ok));
        std::fs::remove_dir_all(&run.folder).unwrap();
    }
}

#[test]
fn figures_are_taken_from_the_output_of_a_command() {
    let sandbox = Sandbox::sharing_the_machine();
    let options = [
        ("--command", "{python} -c 'print(\"p99: 1 ms, p99: 1,234.5 ms\")'"),
        ("--figure", "p99_ms=p99: ([0-9.,]+) ms"),
    ];
    let output = run(&sandbox, "-n 1", &options);
    let run = finished(&sandbox, output, 0);
    let tag = pair().gil.as_str();
    let name = run.manifest().workloads[0].name.clone();
    let cell = run.cell(&name, tag, Model::Internal, 1);
    assert_eq!(cell.status, CellStatus::Ok);
    assert!(
        run.trials()
            .iter()
            .flat_map(|trial| trial.counted_samples())
            .all(|sample| sample.reported["p99_ms"] == 1234.5)
    );
    std::fs::remove_dir_all(&run.folder).unwrap();
    for (figure, reason) in [
        ("a=(", "'(' is not a valid regular expression"),
        ("a=(.)(.)", "has 2 groups"),
        (
            "a=latency",
            "the output has no figure 'a'; it ended with 'p99: 1 ms",
        ),
        ("a=p99: .* (ms)", "the figure 'a' is 'ms', which is not a number"),
    ] {
        let options = [options[0], ("--figure", figure)];
        let output = self::run(&sandbox, "-n 1", &options);
        let run = finished(&sandbox, output, 1);
        for trial in run.trials() {
            let given = trial.reason.unwrap_or_default();
            assert_eq!(trial.status, TrialStatus::Failed, "{given}");
            assert!(given.contains(reason), "{given}");
        }
        std::fs::remove_dir_all(&run.folder).unwrap();
    }
}

#[test]
fn wrong_options_are_refused_with_the_remedy() {
    let sandbox = Sandbox::new();
    let refused =
        |options: &[(&str, &str)], words: &[&str]| run(&sandbox, "--dry-run", options).refuses(words, 3);
    let command = ("--command", ASK);
    let server = ("--with-server", START);
    refused(&[command, server], &["--ready <URL>"]);
    refused(&[command, READY], &["--with-server <CMD>"]);
    refused(&[server, READY], &["--command <COMMAND>"]);
    refused(&[("--figure", "a=b")], &["--command <COMMAND>"]);
    refused(&[command, ("--figure", "a")], &["NAME=REGEX"]);
    refused(
        &[command, server, ("--ready", "localhost:80")],
        &["http://HOST:PORT/PATH"],
    );
    refused(
        &[command, ("--figure", "a=b"), ("--figure", "a=c")],
        &["'a' is given twice"],
    );
    let many: Vec<String> = (0..17).map(|number| format!("f{number}=x")).collect();
    let mut options = vec![command];
    options.extend(many.iter().map(|figure| ("--figure", figure.as_str())));
    refused(&options, &["17 figures are given", "16 times"]);
}

#[test]
fn dry_run_shows_where_server_and_client_run() {
    let sandbox = sandbox_with_server();
    let options = [("--command", ASK), ("--with-server", START), READY];
    let output = run(&sandbox, "-n 1 --dry-run", &options);
    output.exits_with(0);
    let shown = if allowed_pus().len() > 1 {
        "; client: "
    } else {
        "client.py"
    };
    assert!(output.stdout.contains(shown), "{}", output.stdout);
}

#[test]
fn resumed_run_starts_the_server_again_and_notices_a_changed_one() {
    let sandbox = sandbox_with_server();
    let options = [("--command", ASK), ("--with-server", START), READY];
    let output = run(&sandbox, "-m internal -n 1", &options);
    let run = finished(&sandbox, output, 0);
    // As after a kill before the first trial was written.
    let manifest = run
        .text("run.json")
        .replace("\"status\": \"complete\"", "\"status\": \"running\"");
    std::fs::write(run.folder.join("run.json"), manifest).unwrap();
    std::fs::write(run.folder.join("trials.jsonl"), "").unwrap();
    let changed = format!("{SERVER}\n# changed\n");
    sandbox.file("server.py", changed);
    sandbox
        .ftbench("run --resume out")
        .refuses(&["the module server", "sha256 was"], 4);
    sandbox.file("server.py", SERVER);
    let output = sandbox.ftbench("run --resume out");
    let run = finished(&sandbox, output, 0);
    run.all_ok("client.py {port}");
    assert!(!run.trials().is_empty());
}
