//! Bytes from outside as a log: as what follows its header, and as records under right checksums that are damaged then.

use crdt_core::codec::Limits;
use crdt_core::log::{LogError, LogReader, LogStore, LogWriter, RecordKind};
use crdt_core::{Doc, ReplicaId};
use crdt_testkit::storage::Disk;

const LIMITS: Limits = Limits::DEFAULT;
const KINDS: [u8; 4] = *b"DSaz";

type Record<'a> = (u64, u8, &'a [u8]);

/// Both.
pub(crate) fn check(bytes: &[u8]) {
    let mut log = Vec::new();
    LogWriter::start(7, &mut log);
    log.extend_from_slice(bytes);
    let (records, bad) = read(&log);
    let sum: usize = records.iter().map(|(.., payload)| payload.len()).sum();
    assert!(sum <= bytes.len() && bad.is_none_or(|offset| offset < log.len() as u64));
    made(bytes);
}

/// A log of the records that the bytes tell: kind, length, payload; the last two bytes say what is damaged.
fn made(bytes: &[u8]) {
    let Some((rest, &[way, place])) = bytes.split_last_chunk() else { return };
    let mut log = Vec::new();
    let mut writer = LogWriter::start(7, &mut log);
    let (mut rest, mut told) = (rest, Vec::new());
    while let [kind, len, tail @ ..] = rest {
        let (payload, tail) = tail.split_at(usize::from(*len).min(tail.len()));
        let kind = KINDS[usize::from(*kind) % KINDS.len()];
        told.push((log.len() as u64, kind, payload));
        let kind = match kind {
            b'D' => RecordKind::DELTA,
            b'S' => RecordKind::SNAPSHOT,
            letter => RecordKind::optional(letter).expect("a lower-case letter"),
        };
        writer.append(kind, payload, &mut log);
        assert_eq!(writer.len_bytes(), log.len() as u64);
        rest = tail;
    }
    assert_eq!(read(&log), (told.clone(), None), "what was written is read");
    damaged(&log, &told, way, place);
    stored(&log);
}

/// Whatever is damaged, what is read is what was written, from the start on; and no stored record is lost silently.
fn damaged(log: &[u8], told: &[Record<'_>], way: u8, place: u8) {
    let at = log.len() * usize::from(place) / 256;
    let mut changed = log.to_vec();
    if way == 0 {
        changed.truncate(at);
    } else {
        changed[at] ^= way;
    }
    let Ok(mut reader) = LogReader::new(&changed, &LIMITS) else {
        assert!(told.first().is_none_or(|&(offset, ..)| (at as u64) < offset), "the header is sound");
        return;
    };
    // The record that was hit, and how many stand in front of it.
    let sound = told.partition_point(|&(offset, ..)| offset <= at as u64).saturating_sub(1);
    for &expected in &told[..sound] {
        let record = reader.next().expect("it is there").expect("it is sound");
        assert_eq!((record.offset, record.kind.letter(), record.payload), expected);
    }
    let Some(&(offset, ..)) = told.get(sound) else { return };
    match reader.next() {
        Some(Ok(record)) => panic!("a damaged record was read: {record:?}"),
        Some(Err(found)) => assert!(found == offset && way != 0, "the damaged one is named"),
        None => {
            let torn = reader.torn_tail().map(|tail| (tail.offset, tail.bytes));
            let tail = changed.len() as u64 - offset;
            assert_eq!(torn.unwrap_or((offset, 0)), (offset, tail));
            assert!(way == 0 || sound + 1 == told.len(), "a record behind a bad one was cut off");
        }
    }
}

/// Opened as a document: refused with the log as it is, or a document that is found again after everything.
fn stored(log: &[u8]) {
    // A fuzzer sees what is compared with, and then operations come under the names of those who open the log.
    if (0..4).any(|time| log.windows(8).any(|part| part == replica(time).get().to_le_bytes())) {
        return;
    }
    let disk = Disk::new(1);
    disk.set_log(log.to_vec());
    let (store, doc) = match LogStore::open(disk.clone(), replica(0), LIMITS) {
        Ok((store, doc, report)) => {
            assert_eq!(report.torn_tail, None);
            (store, doc)
        }
        Err(error) => {
            assert!(matches!(error, LogError::Record { .. }), "{error:?}");
            assert_eq!(disk.log().as_deref(), Some(log), "a refused log is left as it is");
            return;
        }
    };
    drop(store);
    let (mut store, again) = reopened(&disk, 1);
    assert_same(&again, &doc);
    let mut doc = again;
    let mut transaction = doc.transaction();
    transaction.insert(0, "x").expect("position 0 exists");
    let delta = transaction.commit();
    store.append(&delta).expect("an own delta is stored");
    drop(store);
    let (mut store, again) = reopened(&disk, 2);
    // A snapshot may lie about its order; then others come to another (decision 0008).
    if again.text() == doc.text() {
        assert_same(&again, &doc);
    }
    let before = disk.log();
    match store.compact(&again) {
        Ok(()) => {
            drop(store);
            assert_same(&reopened(&disk, 3).1, &again);
        }
        Err(_) => assert_eq!(disk.log(), before, "a compaction that fails leaves the log as it is"),
    }
}

/// Whoever opens a copy issues operations under a name that nobody had.
fn replica(time: u64) -> ReplicaId {
    ReplicaId::new(0x7e57_5eed_0b0b_a11c ^ time)
}

fn reopened(disk: &Disk, time: u64) -> (LogStore<Disk>, Doc) {
    let (store, doc, _) =
        LogStore::open(disk.clone(), replica(time), LIMITS).expect("what was opened opens again");
    (store, doc)
}

fn assert_same(doc: &Doc, expected: &Doc) {
    assert_eq!((doc.text(), doc.runs()), (expected.text(), expected.runs()));
    assert_eq!((doc.version(), doc.pending()), (expected.version(), expected.pending()));
}

/// All sound records, and where one is damaged.
fn read(log: &[u8]) -> (Vec<Record<'_>>, Option<u64>) {
    let mut reader = LogReader::new(log, &LIMITS).expect("the header is sound");
    let mut records: Vec<Record<'_>> = Vec::new();
    for record in reader.by_ref() {
        match record {
            Ok(record) => {
                assert!(records.last().is_none_or(|&(offset, ..)| offset < record.offset));
                records.push((record.offset, record.kind.letter(), record.payload));
            }
            Err(offset) => return (records, Some(offset)),
        }
    }
    (records, reader.torn_tail().map(|tail| tail.offset))
}
