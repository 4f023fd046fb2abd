//! Logs: whatever was said to be stored is found again, wherever the power fails.

use crdt_core::codec::Limits;
use crdt_core::log::{Directory, LogError, LogReader, LogReport, LogStore, RecordError, RecordKind, Storage};
use crdt_core::{Doc, Json, ReplicaId, VersionVector};
use crdt_testkit::random::Random;
use crdt_testkit::storage::{Disk, DiskError, Fault};

type Store = LogStore<Disk>;

fn open(disk: &Disk, replica: u64) -> Result<(Store, Doc, LogReport), LogError<DiskError>> {
    LogStore::open(disk.clone(), ReplicaId::new(replica), Limits::DEFAULT)
}

/// What somebody does with a log.
#[derive(Clone, Copy, Debug)]
enum Action {
    Append,
    AppendMany,
    Other,
    Compact,
    Reopen,
}

/// What was said to be stored.
#[derive(Clone, Default)]
struct Stored {
    version: VersionVector,
    others: Vec<Vec<u8>>,
}

struct Session {
    disk: Disk,
    open: Option<(Store, Doc)>,
    stored: Stored,
    replica: u64,
    random: Random,
}

impl Session {
    fn new(seed: u64) -> Self {
        let random = Random::new(seed);
        Self { disk: Disk::new(seed), open: None, stored: Stored::default(), replica: 1, random }
    }

    fn edit(random: &mut Random, doc: &mut Doc) -> Vec<u8> {
        let len = doc.len();
        let mut transaction = doc.transaction();
        let position = random.below(len + 1);
        match random.below(5) {
            0 if len > 2 => transaction.delete(position.min(len - 1)..len.min(position + 3)).unwrap(),
            1 if len > 2 => transaction.mark(0..len / 2 + 1, "bold", Json::yes()).unwrap(),
            2 => transaction.set("title", Json::number(7)).unwrap(),
            3 => transaction.insert(position, "long enough to be torn: añb").unwrap(),
            _ => transaction.insert(position, "x").unwrap(),
        }
        transaction.commit()
    }

    /// Opens the log and checks that everything is there that was stored, and nothing but what was said.
    fn open(&mut self) -> Result<(), LogError<DiskError>> {
        self.replica += 1;
        let (store, doc, _) = open(&self.disk, self.replica)?;
        assert!(doc.version().covers(&self.stored.version), "{:?} lacks {:?}", doc, self.stored.version);
        assert_eq!(doc.pending().operations, 0);
        let others: Vec<&Vec<u8>> = store.others().iter().map(|(_, payload)| payload).collect();
        assert!(self.stored.others.iter().all(|other| others.contains(&other)), "{others:?}");
        assert!(others.len() <= self.stored.others.len() + 1);
        doc.assert_invariants();
        // What was on its way may be there: from now on it is.
        self.stored.version = doc.version().clone();
        self.stored.others = store.others().iter().map(|(_, payload)| payload.clone()).collect();
        self.open = Some((store, doc));
        Ok(())
    }

    fn act(&mut self, action: Action) -> Result<(), LogError<DiskError>> {
        if self.open.is_none() || matches!(action, Action::Reopen) {
            self.open = None;
            return self.open();
        }
        let (store, doc) = self.open.as_mut().unwrap();
        match action {
            Action::Append => {
                let delta = Self::edit(&mut self.random, doc);
                store.append(&delta)?;
                self.stored.version = doc.version().clone();
            }
            Action::AppendMany => {
                let deltas: Vec<Vec<u8>> = (0..4).map(|_| Self::edit(&mut self.random, doc)).collect();
                store.append_all(&deltas.iter().map(Vec::as_slice).collect::<Vec<_>>())?;
                self.stored.version = doc.version().clone();
            }
            Action::Other => {
                let payload = self.random.bits().to_le_bytes().to_vec();
                store.append_other(RecordKind::optional(b'z').unwrap(), &payload)?;
                self.stored.others.push(payload);
            }
            Action::Compact => store.compact(doc)?,
            Action::Reopen => unreachable!("done above"),
        }
        Ok(())
    }
}

const ACTIONS: [Action; 16] = [
    Action::Append,
    Action::Append,
    Action::Compact,
    Action::Append,
    Action::Other,
    Action::AppendMany,
    Action::Reopen,
    Action::Append,
    Action::Compact,
    Action::Compact,
    Action::Reopen,
    Action::Append,
    Action::Other,
    Action::Compact,
    Action::AppendMany,
    Action::Append,
];

/// Plays the actions on a disk of which one call fails; whoever fails starts again.
fn crash(seed: u64, failing: Option<(usize, Fault)>) -> Session {
    let mut session = Session::new(seed);
    if let Some((call, fault)) = failing {
        session.disk.fail_at(call, fault);
    }
    session.open().or_else(|error| recover(&mut session, &error)).unwrap();
    for action in ACTIONS {
        if let Err(error) = session.act(action) {
            recover(&mut session, &error).unwrap();
        }
    }
    session.open().or_else(|error| recover(&mut session, &error)).unwrap();
    session
}

fn recover(session: &mut Session, error: &LogError<DiskError>) -> Result<(), LogError<DiskError>> {
    assert_eq!(*error, LogError::Storage(DiskError), "nothing else goes wrong");
    if session.disk.is_down() {
        session.open = None;
        session.disk.restart();
        return session.open();
    }
    if let Some((store, doc)) = &mut session.open {
        // The program goes on, and may find that it must not; if it may, the document is the one that has it all.
        let delta = Session::edit(&mut session.random, doc);
        match store.append(&delta) {
            Err(LogError::Failed) => assert_eq!(store.compact(doc), Err(LogError::Failed)),
            Ok(()) => session.stored.version = doc.version().clone(),
            Err(error) => return Err(error),
        }
    }
    session.open = None;
    session.open()
}

#[test]
fn what_was_stored_is_found_wherever_the_power_fails() {
    let calls = crash(1, None).disk.calls();
    assert!(calls > 40, "{calls}");
    for call in 0..calls {
        for fault in [Fault::Crash, Fault::CrashBehind, Fault::Error] {
            for seed in 0..8 {
                crash(seed, Some((call, fault)));
            }
        }
    }
}

#[test]
fn a_crash_while_recovering_from_a_crash_loses_nothing_either() {
    let calls = crash(1, None).disk.calls();
    for call in 0..calls {
        for later in 1..9 {
            let seed = (call * 9 + later) as u64;
            let mut session = Session::new(seed);
            session.disk.fail_at(call, Fault::Crash);
            let mut is_down = session.open().is_err();
            for action in ACTIONS {
                is_down = is_down || session.act(action).is_err();
            }
            if !is_down {
                continue;
            }
            session.open = None;
            session.disk.restart();
            session.disk.fail_at(session.disk.calls() + later - 1, Fault::Crash);
            if session.open().is_err() {
                session.open = None;
                session.disk.restart();
                session.open().unwrap();
            }
        }
    }
}

#[test]
fn snapshot_and_tail_replay_to_what_everything_replays_to() {
    for seed in 0..40 {
        let (plain, compacted) = (Disk::new(seed), Disk::new(seed));
        let (mut one, mut doc, _) = open(&plain, 1).unwrap();
        let (mut other, _, _) = open(&compacted, 1).unwrap();
        let mut random = Random::new(seed);
        for _ in 0..60 {
            let delta = Session::edit(&mut random, &mut doc);
            one.append(&delta).unwrap();
            other.append(&delta).unwrap();
            if random.chance(10) {
                other.compact(&doc).unwrap();
                assert_eq!(other.tail_bytes(), 0);
            }
        }
        let (_, one, report) = open(&plain, 2).unwrap();
        let (store, other, tail) = open(&compacted, 2).unwrap();
        assert!(tail.deltas <= report.deltas);
        assert!(store.tail_bytes() < store.len_bytes());
        let everything = |doc: &Doc| {
            let delta = doc.delta_since(&VersionVector::new());
            crdt_core::codec::merge_deltas(&[&delta], &Limits::DEFAULT).unwrap()
        };
        assert_eq!(everything(&one), everything(&doc), "seed {seed}");
        assert_eq!(everything(&other), everything(&doc), "seed {seed}");
        assert_eq!((one.runs(), one.version()), (other.runs(), other.version()), "seed {seed}");
    }
}

#[test]
fn a_damaged_record_with_others_behind_it_is_an_error_and_changes_nothing() {
    let disk = Disk::new(1);
    let (mut store, mut doc, _) = open(&disk, 1).unwrap();
    let mut offsets = Vec::new();
    for position in 0..4 {
        offsets.push(store.len_bytes());
        let mut transaction = doc.transaction();
        transaction.insert(position, "x").unwrap();
        let delta = transaction.commit();
        store.append(&delta).unwrap();
    }
    let log = disk.log().unwrap();
    let mut bad = log.clone();
    bad[usize::try_from(offsets[1]).unwrap() + 9] ^= 1;
    disk.set_log(bad.clone());
    let error = open(&disk, 2).map(|_| ()).unwrap_err();
    assert_eq!(error, LogError::Record { offset: offsets[1], error: RecordError::Damaged });
    assert_eq!(disk.log().unwrap(), bad);
    // The same at the end is what a crash leaves.
    let mut torn = log.clone();
    torn[usize::try_from(offsets[3]).unwrap() + 9] ^= 1;
    disk.set_log(torn);
    let (store, doc, report) = open(&disk, 3).unwrap();
    assert_eq!(doc.text(), "xxx");
    let tail = report.torn_tail.unwrap();
    assert_eq!((tail.offset, tail.offset + tail.bytes), (offsets[3], log.len() as u64));
    assert_eq!(
        (disk.log().unwrap(), store.len_bytes()),
        (log[..usize::try_from(tail.offset).unwrap()].to_vec(), tail.offset)
    );
}

#[test]
fn what_must_not_be_written_is_not() {
    let disk = Disk::new(1);
    let (mut store, mut doc, _) = open(&disk, 1).unwrap();
    let before = disk.log();
    assert!(matches!(store.append(b"no delta"), Err(LogError::Delta(_))));
    assert!(matches!(store.append_other(RecordKind::DELTA, b""), Err(LogError::Delta(_))));
    store.append(&doc.transaction().commit()).unwrap();
    store.append_all(&[]).unwrap();
    assert_eq!(disk.log(), before);
    doc.insert(0, "stored").unwrap();
    store.append(&doc.delta_since(&VersionVector::new())).unwrap();
    // A document that lacks some of it is not to take its place.
    assert_eq!(store.compact(&Doc::new(ReplicaId::new(2))), Err(LogError::Lacking));
    store.compact(&doc).unwrap();
    // What waits counts.
    let mut late = Doc::new(ReplicaId::new(3));
    late.apply(&doc.delta_since(&VersionVector::new())).unwrap();
    doc.insert(0, "never seen").unwrap();
    let seen = doc.version().clone();
    doc.insert(0, "waits").unwrap();
    let waits = doc.delta_since(&seen);
    late.apply(&waits).unwrap();
    store.append(&waits).unwrap();
    store.compact(&late).unwrap();
    let (_, opened, _) = open(&disk, 4).unwrap();
    assert_eq!(opened.pending(), late.pending());
    assert_ne!(opened.pending().operations, 0);
}

#[test]
fn unknown_kinds_are_kept_if_they_may_be_and_refused_if_not() {
    let disk = Disk::new(1);
    drop(open(&disk, 1).unwrap());
    // An optional feature of a later version.
    let mut log = disk.log().unwrap();
    log[11] = 4;
    let checksum = crdt_core::bytes::crc32c(&log[..22]).to_le_bytes();
    log[22..26].copy_from_slice(&checksum);
    disk.set_log(log);
    let (mut store, doc, _) = open(&disk, 1).unwrap();
    store.append_other(RecordKind::optional(b'q').unwrap(), b"from the future").unwrap();
    store.append_other(RecordKind::optional(b'r').unwrap(), b"not worth it").unwrap();
    store.retain_others(|(kind, _)| kind.letter() == b'q');
    store.compact(&doc).unwrap();
    assert_eq!(disk.log().unwrap()[11], 4);
    let (store, ..) = open(&disk, 2).unwrap();
    assert_eq!(store.others(), [(RecordKind::optional(b'q').unwrap(), b"from the future".to_vec())]);
    // A second snapshot is in a place where there cannot be one.
    let mut log = disk.log().unwrap();
    let mut reader = LogReader::new(&log, &Limits::DEFAULT).unwrap();
    assert_eq!(reader.by_ref().count(), 2);
    let mut writer = reader.into_writer();
    let offset = log.len() as u64;
    writer.append(RecordKind::SNAPSHOT, &doc.encode_snapshot(), &mut log);
    disk.set_log(log);
    let error = open(&disk, 3).map(|_| ()).unwrap_err();
    assert_eq!(error, LogError::Record { offset, error: RecordError::UnknownKind(b'S') });
}

#[test]
fn a_directory_keeps_a_document_and_lets_nobody_else_in() {
    let path = std::env::temp_dir().join(format!("crdt-log-test-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&path);
    let open = |replica| {
        LogStore::open(Directory::open(&path).unwrap(), ReplicaId::new(replica), Limits::DEFAULT).unwrap()
    };
    let (mut store, mut doc, _) = open(1);
    doc.insert(0, "on disk").unwrap();
    store.append(&doc.delta_since(&VersionVector::new())).unwrap();
    assert!(Directory::open(&path).is_err(), "somebody has it open");
    drop(store);
    let (mut store, mut doc, report) = open(2);
    assert_eq!((doc.text().as_str(), report.deltas), ("on disk", 1));
    store.compact(&doc).unwrap();
    let before = doc.version().clone();
    doc.insert(0, "still ").unwrap();
    store.append(&doc.delta_since(&before)).unwrap();
    let mut directory = store.into_storage();
    // A record that was being written.
    directory.append(b"torn").unwrap();
    drop(directory);
    let (_store, doc, report) = open(3);
    assert_eq!((doc.text().as_str(), report.deltas), ("still on disk", 1));
    assert_eq!(report.torn_tail.map(|tail| tail.bytes), Some(4));
    std::fs::remove_dir_all(&path).unwrap();
}
