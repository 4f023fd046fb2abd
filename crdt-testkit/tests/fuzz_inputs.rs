//! What the fuzz targets do, with inputs that once broke something and with sound ones.

use crdt_core::{Doc, ReplicaId, VersionVector};
use crdt_testkit::histories::{for_all, histories};
use crdt_testkit::played::{Played, apply};
use std::fs;
use std::path::Path;

#[path = "../../fuzz/checks/delta.rs"]
mod delta;
#[path = "../../fuzz/checks/message.rs"]
mod message;
#[path = "../../fuzz/checks/snapshot.rs"]
mod snapshot;

fn replay(target: &str, check: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/inputs").join(target);
    for entry in fs::read_dir(&folder).into_iter().flatten() {
        let path = entry.expect("the folder can be read").path();
        println!("{}", path.display());
        check(&fs::read(&path).expect("the input can be read"));
    }
}

#[test]
fn what_once_broke_something_breaks_nothing() {
    replay("decode_delta", delta::check);
    replay("decode_message", message::check);
    replay("load_snapshot", snapshot::check);
}

/// So that the targets stay true about the formats, also where nobody fuzzes.
#[test]
fn what_documents_write_passes_the_checks_of_the_fuzz_targets() {
    for_all(60, histories(12), |script| {
        let played = Played::run(script, |_, _, _| Ok(()))?;
        let mut doc = Doc::new(ReplicaId::new(7));
        for delta in &played.deltas {
            apply(&mut doc, delta)?;
            delta::check(delta);
        }
        delta::check(&doc.delta_since(&VersionVector::new()));
        let bytes = doc.encode_snapshot();
        let chunks = &bytes[snapshot::MAGIC.len()..bytes.len() - 4];
        assert_eq!(snapshot::sealed(chunks), bytes, "sealed as the document does it");
        snapshot::check(chunks);
        Ok(())
    });
}
