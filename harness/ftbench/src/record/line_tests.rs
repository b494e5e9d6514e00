#![allow(clippy::unwrap_used, clippy::panic)]

use proptest::prelude::*;

use super::*;
use ftbench_fixtures::records::{cell, trial};
use ftbench_schema::Model;

fn trial_with(number: u64, output: &str) -> Trial {
    Trial {
        trial: number,
        output_tail: Some(output.to_owned()),
        ..trial(&cell("3.13", Model::Threads, 2), 3, 120)
    }
}

fn line_of(trial: &Trial) -> Vec<u8> {
    let mut line = encode(trial).unwrap();
    assert_eq!(line.pop(), Some(b'\n'));
    line
}

fn legacy(trial: &Trial) -> Vec<u8> {
    serde_json::to_vec(trial).unwrap()
}

fn fault(line: &[u8], checksums: Checksums) -> String {
    match decode::<Trial>(line, checksums) {
        Decoded::Intact(_) => panic!("intact"),
        Decoded::Damaged { fault, .. } => fault.to_string(),
    }
}

fn saved(line: &[u8], checksums: Checksums) -> Vec<u64> {
    match decode::<Trial>(line, checksums) {
        Decoded::Intact(_) => panic!("intact"),
        Decoded::Damaged { saved, .. } => saved.iter().map(|(_, trial)| trial.trial).collect(),
    }
}

#[test]
fn a_line_is_json_and_its_checksum_is_that_of_zlib() {
    let line = line_of(&trial_with(7, "x"));
    let value: serde_json::Value = serde_json::from_slice(&line).unwrap();
    assert_eq!(value["trial"], 7);
    let text = String::from_utf8(line).unwrap();
    let (content, rest) = text.split_once(",\"crc32\":\"").unwrap();
    assert_eq!(rest, format!("{:08x}\"}}", crc32fast::hash(content.as_bytes())));
    // The check value that every catalogue of checksums gives for the CRC-32 of zlib.
    assert_eq!(crc32fast::hash(b"123456789"), 0xcbf4_3926);
}

#[test]
fn lines_without_a_checksum_count_only_where_checksums_are_optional() {
    let line = legacy(&trial_with(7, "x"));
    assert_eq!(
        decode(&line, Checksums::Optional),
        Decoded::Intact(trial_with(7, "x"))
    );
    assert_eq!(fault(&line, Checksums::Required), "it has no checksum");
}

#[test]
fn every_fault_is_reported() {
    let good = line_of(&trial_with(7, "x"));
    let altered = String::from_utf8(good.clone())
        .unwrap()
        .replace("\"trial\":7", "\"trial\":8");
    assert_eq!(
        fault(altered.as_bytes(), Checksums::Optional),
        "its checksum does not match"
    );
    assert_eq!(fault(b" \0", Checksums::Required), "it has no checksum");
    for empty in [&b""[..], b"  \t\r"] {
        assert_eq!(fault(empty, Checksums::Optional), "it is empty");
    }
    let mut newer = trial_with(7, "x");
    newer.schema = SCHEMA_VERSION + 1;
    let too_new = format!(
        "it has format {}; this ftbench reads up to {SCHEMA_VERSION}",
        SCHEMA_VERSION + 1
    );
    assert_eq!(fault(&line_of(&newer), Checksums::Required), too_new);
    assert_eq!(fault(b"{\"schema\":2,\"new\":1}", Checksums::Optional), too_new);
    assert!(fault(b"nonsense", Checksums::Optional).contains("line 1 column"));
}

#[test]
fn a_torn_line_costs_only_itself() {
    for checksums in [Checksums::Required, Checksums::Optional] {
        let of = |trial: &Trial| match checksums {
            Checksums::Required => line_of(trial),
            Checksums::Optional => legacy(trial),
        };
        let (first, second) = (of(&trial_with(1, "{\"schema\":1}")), of(&trial_with(2, "x")));
        let torn = [&first[..first.len() / 2], &second].concat();
        assert_eq!(saved(&torn, checksums), [2]);
        let joined = [&first[..], &second].concat();
        assert_eq!(saved(&joined, checksums), [1, 2]);
        let instead_of_the_end = [&first[..], b"\0", &second].concat();
        assert_eq!(saved(&instead_of_the_end, checksums), [1, 2]);
        let holes = [&b"\0\0\0\0"[..], &second].concat();
        assert_eq!(saved(&holes, checksums), [2]);
    }
}

proptest! {
    #[test]
    fn an_encoded_trial_is_decoded_unchanged(number: u64, output: String, round: u32) {
        let trial = Trial { round, ..trial_with(number, &output) };
        prop_assert_eq!(decode(&line_of(&trial), Checksums::Required), Decoded::Intact(trial));
    }

    #[test]
    fn no_altered_line_passes(output in ".{0,40}", at: prop::sample::Index, flip in 1_u8..=255) {
        let trial = trial_with(5, &output);
        let mut line = line_of(&trial);
        let at = at.index(line.len());
        line[at] ^= flip;
        if let Decoded::Intact(decoded) = decode::<Trial>(&line, Checksums::Required) {
            // The change is another spelling of the same digit.
            prop_assert_eq!(decoded, trial);
        }
    }

    #[test]
    fn arbitrary_bytes_are_damaged(bytes in prop::collection::vec(any::<u8>(), 0..200), checked: bool) {
        let checksums = if checked { Checksums::Required } else { Checksums::Optional };
        prop_assert!(matches!(decode::<Trial>(&bytes, checksums), Decoded::Damaged { .. }), "intact");
    }
}
