use super::record::BadRecord;
use super::*;
use crate::bytes::{crc32c, crc32c_on};
use crate::codec::Limits;
use crate::dice::Dice;
use crate::error::DecodeError;
use alloc::vec::Vec;

/// A log of some records, and where each starts.
fn sample(count: usize) -> (Vec<u8>, Vec<usize>) {
    let mut log = Vec::new();
    let mut writer = LogWriter::start(7, &mut log);
    let mut starts = Vec::new();
    for n in 0..count {
        starts.push(log.len());
        let payload: Vec<u8> = (0..n * 5).map(|at| at.to_le_bytes()[0]).collect();
        writer.append(RecordKind::DELTA, &payload, &mut log);
    }
    assert_eq!(writer.len_bytes(), log.len() as u64);
    (log, starts)
}

/// How many records were read, and what came then.
fn read(log: &[u8]) -> (usize, Option<(u64, BadRecord)>, Option<TornTail>) {
    let mut reader = LogReader::new(log, &Limits::DEFAULT).unwrap();
    let mut count = 0;
    loop {
        match reader.read() {
            Some(Ok(_)) => count += 1,
            Some(Err(error)) => return (count, Some(error), reader.torn_tail()),
            None => return (count, None, reader.torn_tail()),
        }
    }
}

#[test]
fn a_log_that_is_cut_anywhere_loses_its_last_record_and_no_other() {
    let (log, starts) = sample(6);
    for len in starts[0]..log.len() {
        let whole = starts.iter().filter(|&&start| start <= len).count() - 1;
        let torn = TornTail { offset: starts[whole] as u64, bytes: (len - starts[whole]) as u64 };
        let torn = Some(torn).filter(|torn| torn.bytes > 0);
        assert_eq!(read(&log[..len]), (whole, None, torn), "{len} bytes");
        // What stands there instead may be zeros, or what stood there before.
        let mut zeros = log[..len].to_vec();
        zeros.resize(log.len() + 9, 0);
        if zeros.starts_with(&log) {
            continue;
        }
        let (count, error, torn) = read(&zeros);
        assert_eq!((count, error), (whole, None), "{len} bytes");
        assert_eq!(torn.map(|torn| torn.offset), Some(starts[whole] as u64));
    }
    for len in 0..starts[0] {
        assert!(LogReader::new(&log[..len], &Limits::DEFAULT).is_err(), "{len} bytes");
    }
}

#[test]
fn a_bad_record_in_front_of_a_good_one_is_an_error_with_its_offset() {
    let (log, starts) = sample(6);
    for at in starts[0]..log.len() {
        let mut bad = log.clone();
        bad[at] ^= 0x10;
        let record = starts.iter().filter(|&&start| start <= at).count() - 1;
        let offset = starts[record] as u64;
        if record == 5 {
            let torn = TornTail { offset, bytes: log.len() as u64 - offset };
            assert_eq!(read(&bad), (record, None, Some(torn)), "byte {at}");
        } else {
            assert_eq!(read(&bad), (record, Some((offset, BadRecord::Damaged)), None), "byte {at}");
        }
    }
    for at in 0..starts[0] {
        let mut bad = log.clone();
        bad[at] ^= 0x10;
        assert!(LogReader::new(&bad, &Limits::DEFAULT).is_err(), "byte {at} of the header");
    }
}

#[test]
fn records_do_not_change_places_files_or_numbers() {
    let mut log = Vec::new();
    let mut writer = LogWriter::start(7, &mut log);
    let start = log.len();
    for payload in [b"one", b"two", b"six"] {
        writer.append(RecordKind::DELTA, payload, &mut log);
    }
    let len = (log.len() - start) / 3;
    let record = |n: usize| &log[start + n * len..start + (n + 1) * len];
    let header = &log[..start];
    for (order, sound) in
        [(&[0, 1, 2][..], 3), (&[0, 2, 1], 1), (&[1, 0], 0), (&[0, 0], 1), (&[0, 1, 2, 2], 3), (&[2], 0)]
    {
        let parts: Vec<&[u8]> = core::iter::once(header).chain(order.iter().map(|&n| record(n))).collect();
        let (count, _, _) = read(&parts.concat());
        assert_eq!(count, sound, "{order:?}");
    }
    let (mut other, mut writer) = (Vec::new(), LogWriter::start(8, &mut Vec::new()));
    writer.append(RecordKind::DELTA, b"one", &mut other);
    assert_ne!(other, record(0), "a log's records are its own");
}

#[test]
fn features_kinds_and_lengths_that_are_too_new_or_too_much_are_told() {
    let (mut log, _) = sample(2);
    log[6] = 2;
    let checksum = crc32c(&log[..22]).to_le_bytes();
    log[22..26].copy_from_slice(&checksum);
    let refused = LogReader::new(&log, &Limits::DEFAULT).map(|_| ());
    assert_eq!(refused, Err(DecodeError::UnsupportedFeatures(2)));
    // Optional ones are no matter.
    (log[6], log[10]) = (0, 0xff);
    let checksum = crc32c(&log[..22]).to_le_bytes();
    log[22..26].copy_from_slice(&checksum);
    assert_eq!(read(&log).0, 2);
    let mut limits = Limits::DEFAULT;
    limits.max_record_bytes = 4;
    let mut reader = LogReader::new(&log, &limits).unwrap();
    assert!(reader.next().is_some_and(|record| record.is_ok()));
    assert!(reader.next().is_some_and(|record| record.is_err()));
    assert!(reader.next().is_none());
    assert_eq!(RecordKind::optional(b'D'), None);
    assert_eq!(RecordKind::optional(b'a').map(RecordKind::letter), Some(b'a'));
}

#[test]
fn junk_is_gone_through_once() {
    let (mut log, _) = sample(3);
    let sound = log.len();
    let mut dice = Dice(1);
    log.extend((0..4 << 20).map(|_| u8::try_from(dice.below(256)).unwrap()));
    let (count, error, torn) = read(&log);
    assert_eq!((count, error), (3, None));
    assert_eq!(torn.map(|torn| torn.offset), Some(sound as u64));
    // Each byte starts a record by its head; all are as long as can be, and none is sound.
    log.truncate(sound);
    let len = 8 << 20;
    let mut at = sound;
    while at < len {
        let mut record = u32::try_from((len - at) / 2).unwrap().to_le_bytes().to_vec();
        record.push(b'D');
        let seed = crc32c_on(crc32c(&7u64.to_le_bytes()), &(at as u64).to_le_bytes());
        let check = crc32c_on(seed, &record).to_le_bytes();
        record.extend_from_slice(&check[..2]);
        log.extend_from_slice(&record);
        at += record.len();
    }
    let (count, error, _) = read(&log);
    assert_eq!(
        (count, error),
        (3, Some((sound as u64, BadRecord::Damaged))),
        "who makes so many heads gets an error"
    );
}
