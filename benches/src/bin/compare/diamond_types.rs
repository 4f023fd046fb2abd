//! diamond-types. Its API for local edits is `ListCRDT`: operation log and text side by side. Positions are scalar values.

use crate::contender::{Crdt, Text};
use crate::history::{Deltas, Edit, Shared};
use crate::measure::{Limit, Missing};
use diamond_types::list::ListCRDT;
use diamond_types::list::encoding::{ENCODE_FULL, ENCODE_PATCH, EncodeOptions};
use diamond_types::list::{Branch, OpLog};

pub(crate) struct DiamondTypes {
    doc: ListCRDT,
    agent: u32,
}

/// A few characters do not get smaller by LZ4, and trying takes time.
const PATCH: EncodeOptions<'_> = EncodeOptions { compress_content: false, ..ENCODE_PATCH };
/// Deleted text is in the insertions already. Uncompressed: it opens faster.
const WHOLE: EncodeOptions<'_> = EncodeOptions { compress_content: false, ..ENCODE_FULL };

fn name(replica: u32) -> String {
    format!("{replica:08}")
}

impl Text for DiamondTypes {
    const NAME: &'static str = "diamond-types";

    fn new(replica: u32) -> Self {
        let mut doc = ListCRDT::new();
        let agent = doc.get_or_create_agent_id(&name(replica));
        Self { doc, agent }
    }

    fn edit(&mut self, edit: Edit) {
        let position = edit.position as usize;
        if edit.delete > 0 {
            self.doc.delete_without_content(self.agent, position..position + edit.delete as usize);
        }
        if !edit.text.is_empty() {
            self.doc.insert(self.agent, position, edit.text);
        }
    }

    fn text(&mut self) -> String {
        self.doc.branch.content().to_string()
    }
}

impl Crdt for DiamondTypes {
    fn edit_encoded(&mut self, edits: &[Edit], out: &mut Vec<u8>) {
        let from = self.doc.branch.local_version();
        for edit in edits {
            self.edit(*edit);
        }
        out.extend_from_slice(&self.doc.oplog.encode_from(PATCH, &from));
    }

    fn apply(&mut self, delta: &[u8]) {
        self.doc.merge_data_and_ff(delta).expect("a patch of another log applies");
    }

    /// Each goes into the operation log by itself; the text is brought up once, at the end.
    fn apply_all(&mut self, deltas: &Deltas, limit: Limit) -> Result<(), Missing> {
        for (step, delta) in deltas.iter().enumerate() {
            limit.check(step)?;
            self.doc.oplog.decode_and_add(delta).expect("a patch of another log applies");
        }
        let tip = self.doc.oplog.local_version();
        self.doc.branch.merge(&self.doc.oplog, &tip);
        Ok(())
    }

    fn history(&mut self) -> Option<Vec<u8>> {
        Some(self.doc.oplog.encode(WHOLE))
    }

    fn from_history(replica: u32, bytes: &[u8]) -> Self {
        Self::from_snapshot(replica, bytes)
    }

    fn snapshot(&mut self) -> Vec<u8> {
        self.doc.oplog.encode(WHOLE)
    }

    fn stored(&mut self) -> Vec<u8> {
        self.doc.oplog.encode(ENCODE_FULL)
    }

    fn from_snapshot(replica: u32, bytes: &[u8]) -> Self {
        let mut doc = ListCRDT::load_from(bytes).expect("a file opens");
        let agent = doc.get_or_create_agent_id(&name(replica));
        Self { doc, agent }
    }
}

/// The whole of a recorded concurrent history as one file. The operation log takes transactions on top of any version,
/// so nobody has to replay it with as many replicas as it has authors.
pub(crate) fn file_of(shared: &Shared) -> (Vec<u8>, String) {
    let mut log = OpLog::new();
    let mut versions: Vec<Vec<usize>> = Vec::with_capacity(shared.edits.len());
    for (made, edits) in shared.trace.transactions.iter().zip(&shared.edits) {
        let agent = log.get_or_create_agent_id(&name(u32::try_from(made.agent).expect("few agents")));
        let mut version: Vec<usize> =
            made.parents.iter().flat_map(|&parent| versions[parent].clone()).collect();
        version.sort_unstable();
        version.dedup();
        for edit in edits {
            let position = edit.position as usize;
            if edit.delete > 0 {
                let range = position..position + edit.delete as usize;
                version = vec![log.add_delete_at(agent, &version, range)];
            }
            if !edit.text.is_empty() {
                version = vec![log.add_insert_at(agent, &version, position, edit.text)];
            }
        }
        versions.push(version);
    }
    let text = Branch::new_at_tip(&log).content().to_string();
    (log.encode(WHOLE), text)
}
