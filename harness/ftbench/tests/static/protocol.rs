//! The driver's side of the stored examples of messages; harness/worker/tests has the worker's.

use std::fmt::Debug;
use std::path::PathBuf;

use ftbench::measure::protocol::{Reply, Request};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::listing::stems;
use crate::paths::harness;

/// The names of all examples, so that a message without one is noticed.
const EXAMPLES: [&str; 16] = [
    "reply_failed",
    "reply_finished",
    "reply_hello",
    "reply_ready",
    "reply_resolved",
    "reply_sample",
    "reply_sampler_opened",
    "reply_samples_saved",
    "reply_sampling_set",
    "request_finish",
    "request_open_sampler",
    "request_prepare",
    "request_resolve",
    "request_sample",
    "request_save_samples",
    "request_set_sampling",
];

fn folder() -> PathBuf {
    harness().join("worker/examples")
}

/// Checks that the example, read as a message and written again, is the same JSON, so no field is lost or renamed.
fn assert_round_trip<M: DeserializeOwned + Serialize + Debug>(text: &str, name: &str) {
    let message: M = serde_json::from_str(text).unwrap_or_else(|error| panic!("{name}: {error}"));
    let before: Value = serde_json::from_str(text).unwrap();
    let after = serde_json::to_value(&message).unwrap();
    assert_eq!(before, after, "{name}: {message:?}");
}

#[test]
fn every_example_survives_a_round_trip() {
    for name in EXAMPLES {
        let text = std::fs::read_to_string(folder().join(format!("{name}.json"))).unwrap();
        if name.starts_with("request_") {
            assert_round_trip::<Request>(&text, name);
        } else {
            assert_round_trip::<Reply>(&text, name);
        }
    }
}

#[test]
fn the_folder_holds_one_example_of_each_message() {
    let names: Vec<String> = stems(&folder()).into_iter().collect();
    assert_eq!(names, EXAMPLES);
}

#[test]
fn a_message_without_a_required_field_is_refused() {
    for name in EXAMPLES {
        let text = std::fs::read_to_string(folder().join(format!("{name}.json"))).unwrap();
        let whole: Value = serde_json::from_str(&text).unwrap();
        let keys: Vec<String> = whole.as_object().unwrap().keys().cloned().collect();
        for key in keys.iter().filter(|key| !whole[key.as_str()].is_null()) {
            let mut partial = whole.clone();
            partial.as_object_mut().unwrap().remove(key);
            let optional = [
                "gil_enabled_by",
                "start_method",
                "import_ns",
                "import_threads",
                "collections",
                "collection_ns",
                "longest_collection_ns",
                "reported",
                "thread_pools",
            ];
            let optional = optional.contains(&key.as_str());
            let read = if name.starts_with("request_") {
                serde_json::from_value::<Request>(partial).is_ok()
            } else {
                serde_json::from_value::<Reply>(partial).is_ok()
            };
            assert_eq!(read, optional, "{name} without {key}");
        }
    }
}
