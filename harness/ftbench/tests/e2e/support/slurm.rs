//! A Slurm cluster on the loopback address: MUNGE, the controller, and several `slurmd`, started without systemd and
//! ended with the test.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use super::Sandbox;
use super::driver::wait_until;

/// Folders of daemons, which a user's `PATH` may lack.
const DAEMONS: [&str; 2] = ["/usr/sbin", "/sbin"];

/// Whether tests on Slurm are to be skipped. Prints a note when they are.
pub fn is_skipped() -> bool {
    let skipped = std::env::var_os("FTBENCH_SKIP_SLURM_TESTS").is_some_and(|value| !value.is_empty());
    if skipped {
        println!("skipped: FTBENCH_SKIP_SLURM_TESTS is set");
    }
    skipped
}

/// A cluster whose nodes are `n0`, `n1` and so on, all of them this machine.
pub struct Cluster {
    folder: PathBuf,
    munge: Option<Child>,
    controller: Option<Child>,
    nodes: Vec<Option<Child>>,
}

impl Cluster {
    /// Starts a cluster in the sandbox and waits until its nodes are idle.
    pub fn start(sandbox: &Sandbox, nodes: usize) -> Self {
        let folder = sandbox.path().join("cluster");
        for name in ["munge", "state", "spool"] {
            std::fs::create_dir_all(folder.join(name)).unwrap();
        }
        let mut cluster = Self {
            folder,
            munge: None,
            controller: None,
            nodes: (0..nodes).map(|_| None).collect(),
        };
        cluster.start_munge();
        std::fs::write(cluster.configuration(), cluster.settings()).unwrap();
        let path = cluster.configuration();
        cluster.controller = Some(cluster.daemon("slurmctld", &["-D", "-f", path.to_str().unwrap()]));
        for node in 0..nodes {
            cluster.start_node(node);
        }
        wait_until("nodes to be idle", || {
            let states = cluster.ask("sinfo", &["--noheader", "--Node", "--format=%T"]);
            states.lines().filter(|state| state.trim() == "idle").count() == nodes
        });
        cluster
    }

    /// The configuration, which Slurm's commands find through `SLURM_CONF`.
    pub fn configuration(&self) -> PathBuf {
        self.folder.join("slurm.conf")
    }

    fn start_munge(&mut self) {
        let path = |name: &str| self.folder.join("munge").join(name).display().to_string();
        // Any secret will do.
        std::fs::write(path("key"), std::process::id().to_string().repeat(64)).unwrap();
        std::fs::set_permissions(path("key"), std::os::unix::fs::PermissionsExt::from_mode(0o400)).unwrap();
        let words: Vec<String> = [
            "key-file=key",
            "socket=socket",
            "pid-file=pid",
            "log-file=log",
            "seed-file=seed",
        ]
        .iter()
        .filter_map(|word| word.split_once('='))
        .map(|(option, name)| format!("--{option}={}", path(name)))
        .collect();
        let mut words: Vec<&str> = words.iter().map(String::as_str).collect();
        // Temporary folders are writable by others, which it would refuse.
        words.extend(["--foreground", "--force", "--num-threads=10"]);
        self.munge = Some(self.daemon("munged", &words));
        wait_until("munged to listen", || Path::new(&path("socket")).exists());
    }

    /// Ends MUNGE, without which nobody can talk to Slurm.
    pub fn stop_munge(&mut self) {
        end(&mut self.munge);
        let _ = std::fs::remove_file(self.folder.join("munge/socket"));
    }

    /// Starts MUNGE again.
    pub fn restart_munge(&mut self) {
        self.start_munge();
    }

    fn settings(&self) -> String {
        let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        let host = host.split('.').next().unwrap_or_default().to_owned();
        let folder = self.folder.display();
        let user = Command::new("id").arg("-un").output().unwrap().stdout;
        let user = String::from_utf8(user).unwrap();
        let user = user.trim();
        // Ports that are free now, and are not given out again soon.
        let listeners: Vec<TcpListener> = (0..=self.nodes.len())
            .map(|_| TcpListener::bind("127.0.0.1:0").unwrap())
            .collect();
        let ports: Vec<u16> = listeners
            .iter()
            .map(|listener| listener.local_addr().unwrap().port())
            .collect();
        let nodes: String = (0..self.nodes.len())
            .map(|node| {
                let port = ports[node + 1];
                format!(
                    "NodeName=n{node} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs=2 Feature=kind State=UNKNOWN\n"
                )
            })
            .collect();
        format!(
            "ClusterName=ftbench\nSlurmctldHost={host}(127.0.0.1)\nSlurmctldPort={}\n\
             CommunicationParameters=NoInAddrAny,NoCtldInAddrAny\nAuthType=auth/munge\n\
             AuthInfo=socket={folder}/munge/socket,cred_expire=5\nSlurmUser={user}\nSlurmdUser={user}\n\
             StateSaveLocation={folder}/state\nSlurmdSpoolDir={folder}/spool/%n\n\
             SlurmctldPidFile={folder}/controller.pid\nSlurmdPidFile={folder}/%n.pid\n\
             SlurmctldLogFile={folder}/controller.log\nSlurmdLogFile={folder}/%n.log\n\
             ProctrackType=proctrack/linuxproc\nTaskPlugin=task/none\nJobAcctGatherType=jobacct_gather/none\n\
             AccountingStorageType=accounting_storage/none\nSelectType=select/cons_tres\n\
             SelectTypeParameters=CR_Core\nSchedulerParameters=bf_interval=1,sched_interval=2\n\
             SwitchType=switch/none\nMpiDefault=none\nReturnToService=2\nJobRequeue=1\nSlurmdTimeout=10\n\
             KillWait=5\nMailProg=/bin/true\n{nodes}PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP\n",
            ports[0]
        )
    }

    fn daemon(&self, program: &str, words: &[&str]) -> Child {
        let log = std::fs::File::create(self.folder.join(format!("{program}-output"))).unwrap();
        let mut command = Command::new(found(program));
        command
            .args(words)
            .env("SLURM_CONF", self.configuration())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log);
        command.spawn().unwrap_or_else(|error| {
            panic!("cannot start {program}: {error}; 'scripts/set-up.sh slurm' installs it, or set FTBENCH_SKIP_SLURM_TESTS=1")
        })
    }

    /// Starts the daemon of a node.
    pub fn start_node(&mut self, node: usize) {
        let name = format!("n{node}");
        let path = self.configuration();
        let daemon = self.daemon("slurmd", &["-D", "-N", &name, "-f", path.to_str().unwrap()]);
        self.nodes[node] = Some(daemon);
    }

    /// Starts the daemon of a node, which must not be running, in a mount name space of its own after these commands,
    /// such as mounts that give the node a small disk or another processor.
    pub fn start_node_with_mounts(&mut self, node: usize, commands: &str) {
        let slurmd = found("slurmd");
        let configuration = self.configuration();
        let script = format!(
            "{commands} && exec {} -D -N n{node} -f {}",
            slurmd.display(),
            configuration.display()
        );
        // A name space of users would keep root from setting the groups of jobs.
        let privileges: &[&str] = if rustix::process::getuid().is_root() {
            &["--mount"]
        } else {
            &["--map-current-user", "--keep-caps", "--mount"]
        };
        let daemon = self.daemon("unshare", &[privileges, &["sh", "-c", &script]].concat());
        self.nodes[node] = Some(daemon);
    }

    /// A path as processes of a running node see it, whose mounts others do not have.
    pub fn on_node(&self, node: usize, path: &Path) -> PathBuf {
        let process = self.nodes[node].as_ref().unwrap().id();
        let root = PathBuf::from(format!("/proc/{process}/root"));
        root.join(path.strip_prefix("/").unwrap())
    }

    /// Kills a node with everything that runs on it, and reports to the controller that it is down.
    pub fn kill_node(&mut self, node: usize) {
        end(&mut self.nodes[node]);
        let name = format!("SLURMD_NODENAME=n{node}");
        self.kill_all(|environment| environment.contains(&name));
        let words = format!("update nodename=n{node} state=down reason=killed");
        self.ask("scontrol", &words.split(' ').collect::<Vec<_>>());
    }

    /// Lets the controller use a node again that was killed and started.
    pub fn resume_node(&mut self, node: usize) {
        let name = format!("n{node}");
        wait_until("the node to be idle", || {
            let state = self.ask(
                "sinfo",
                &["--noheader", "--Node", "--nodes", &name, "--format=%T"],
            );
            // It may register by itself meanwhile.
            if state.trim().starts_with("down") {
                let words = format!("update nodename={name} state=resume");
                self.ask("scontrol", &words.split(' ').collect::<Vec<_>>());
            }
            ["idle", "allocated", "mixed"].contains(&state.trim())
        });
    }

    /// Kills the processes of this cluster's jobs whose environment matches, after the daemons of their steps, which
    /// would report how they ended.
    fn kill_all(&self, is_meant: impl Fn(&str) -> bool) {
        let configuration = format!("SLURM_CONF={}", self.configuration().display());
        let own = std::process::id();
        let processes = std::fs::read_dir("/proc").unwrap().flatten();
        let processes = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
        let meant: Vec<u32> = processes
            .filter(|process| {
                let environment = std::fs::read(format!("/proc/{process}/environ")).unwrap_or_default();
                let environment = String::from_utf8_lossy(&environment);
                *process != own && environment.contains(&configuration) && is_meant(&environment)
            })
            .collect();
        let steps: Vec<u32> = meant.iter().filter_map(|process| step_of(*process)).collect();
        for process in steps.into_iter().chain(meant) {
            if let Some(process) = i32::try_from(process).ok().and_then(Pid::from_raw) {
                // It may have ended already.
                let _ = kill_process(process, Signal::KILL);
            }
        }
    }

    /// The output of one of Slurm's commands; empty if it fails.
    pub fn ask(&self, program: &str, words: &[&str]) -> String {
        let output = Command::new(program)
            .args(words)
            .env("SLURM_CONF", self.configuration())
            .stderr(Stdio::null())
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    /// Waits until a shard's job of the only fleet of the cluster has this state.
    #[track_caller]
    pub fn wait_for(&self, shard: u32, state: &str) {
        wait_until(&format!("shard {shard} to be {state}"), || {
            let jobs = self.ask(
                "squeue",
                &["--noheader", "--array", "--states=all", "--format=%K %T"],
            );
            jobs.lines().any(|line| line.trim() == format!("{shard} {state}"))
        });
    }
}

/// The path of a program, also of a daemon.
fn found(program: &str) -> PathBuf {
    let found = DAEMONS
        .iter()
        .map(|folder| Path::new(folder).join(program))
        .find(|path| path.exists());
    found.unwrap_or_else(|| program.into())
}

/// The daemon of the job step that started a process.
fn step_of(process: u32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name in parentheses may contain anything.
    let (_, fields) = stat.rsplit_once(')')?;
    let parent: u32 = fields.split_whitespace().nth(1)?.parse().ok()?;
    let name = std::fs::read_to_string(format!("/proc/{parent}/comm")).ok()?;
    name.starts_with("slurmstepd").then_some(parent)
}

/// Kills a daemon that may have ended.
fn end(daemon: &mut Option<Child>) {
    if let Some(mut child) = daemon.take() {
        let _ = child.kill();
        let _ = child.wait();
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for node in &mut self.nodes {
            end(node);
        }
        // Jobs and the daemons of their steps.
        self.kill_all(|_| true);
        end(&mut self.controller);
        end(&mut self.munge);
    }
}
