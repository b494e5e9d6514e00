#![allow(clippy::unwrap_used, clippy::panic)]

use std::io::{BufReader, PipeReader, PipeWriter};

use proptest::prelude::*;

use super::*;
use ftbench_schema::{Model, TrialStatus};

/// The driver's end of a worker's pipes.
struct Driver {
    requests: PipeWriter,
    replies: io::Lines<BufReader<PipeReader>>,
    worker: JoinHandle<io::Result<()>>,
}

impl Driver {
    fn start(kernel: Kernel) -> Self {
        let (requests_read, requests) = io::pipe().unwrap();
        let (replies_read, replies) = io::pipe().unwrap();
        let worker = std::thread::spawn(move || serve(kernel, BufReader::new(requests_read), replies));
        let mut driver = Self {
            requests,
            replies: BufReader::new(replies_read).lines(),
            worker,
        };
        let Reply::Hello {
            protocol,
            process_id,
            gil_enabled: false,
            ..
        } = driver.reply()
        else {
            panic!("no greeting")
        };
        assert_eq!((protocol, process_id), (PROTOCOL_VERSION, self::process_id()));
        driver
    }

    fn reply(&mut self) -> Reply {
        serde_json::from_str(&self.replies.next().unwrap().unwrap()).unwrap()
    }

    fn ask(&mut self, request: &Request) -> Reply {
        let line = serde_json::to_string(request).unwrap();
        writeln!(self.requests, "{line}").unwrap();
        self.reply()
    }

    fn prepare(&mut self, workers: u32, units: u64) -> Vec<WorkerIdentity> {
        match self.ask(&prepare(PROTOCOL_VERSION, workers, units)) {
            Reply::Ready { workers, .. } => workers,
            other => panic!("{other:?}"),
        }
    }
}

fn prepare(protocol: u32, workers: u32, units: u64) -> Request {
    Request::Prepare {
        protocol,
        workload: "fib".to_owned(),
        entry: Box::default(),
        model: Model::Threads,
        workers,
        units,
        scaling: Scaling::Strong,
        client_pus: Vec::new(),
        time_limit_s: 60.0,
    }
}

#[test]
fn a_native_trial_follows_the_protocol() {
    for kernel in [Kernel::Integer, Kernel::FloatingPoint] {
        let mut driver = Driver::start(kernel);
        // Twice, as in calibration.
        assert_eq!(driver.prepare(1, 2).len(), 1);
        let identities = driver.prepare(3, 7);
        let mut threads: Vec<i32> = identities.iter().map(|identity| identity.thread_id).collect();
        for number in 0..2 {
            let Reply::Sample {
                sample,
                start_ns,
                end_ns,
                gil_enabled,
                shares,
                ..
            } = driver.ask(&Request::Sample { sample: number })
            else {
                panic!("no sample")
            };
            assert_eq!((sample, gil_enabled), (number, false));
            let of_shares: Vec<i32> = shares.iter().map(|share| share.thread_id).collect();
            assert_eq!(of_shares, threads, "each worker does its own share");
            for share in shares {
                assert!(
                    start_ns <= share.start_ns && share.start_ns <= share.end_ns && share.end_ns <= end_ns
                );
            }
        }
        threads.sort_unstable();
        threads.dedup();
        assert_eq!(threads.len(), 3);
        assert!(matches!(driver.ask(&Request::Finish), Reply::Finished { .. }));
        assert!(driver.worker.join().unwrap().is_ok());
    }
}

#[test]
fn invalid_requests_are_answered_with_a_failure() {
    let requests = [
        (Request::Sample { sample: 0 }, "before it sent 'prepare'"),
        (prepare(99, 1, 1), "the driver speaks protocol 99"),
    ];
    for (request, words) in requests {
        let mut driver = Driver::start(Kernel::Integer);
        match driver.ask(&request) {
            Reply::Failed {
                error,
                status: TrialStatus::Failed,
                ..
            } => assert!(error.contains(words), "{error}"),
            other => panic!("{other:?}"),
        }
        assert!(driver.worker.join().unwrap().is_ok());
    }
}

#[test]
fn a_worker_ends_when_its_driver_goes_away() {
    let mut driver = Driver::start(Kernel::Integer);
    driver.prepare(2, 2);
    drop(driver.requests);
    assert!(driver.worker.join().unwrap().is_ok());
}

proptest! {
    #[test]
    fn shares_differ_by_one_unit_at_most(units in 0_u64..1 << 40, workers in 1_u32..300) {
        let shares = split_units(units, workers, Scaling::Strong);
        prop_assert_eq!(shares.iter().sum::<u64>(), units);
        prop_assert!(shares.iter().max().unwrap() - shares.iter().min().unwrap() <= 1);
        prop_assert!(shares.is_sorted_by(|a, b| a >= b));
        let weak = split_units(units, workers, Scaling::Weak);
        prop_assert!(weak.len() == shares.len() && weak.iter().all(|&share| share == units));
    }
}
