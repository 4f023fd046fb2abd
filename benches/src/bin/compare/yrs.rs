//! yrs. Positions are bytes, its default unit; deleted text is kept (`skip_gc`), as all others keep it. Edits that leave together
//! or not at all are one transaction.

use crate::contender::{Crdt, Text};
use crate::history::Edit;
use crate::measure::{Limit, Missing};
use ::yrs::updates::decoder::Decode;
use ::yrs::{
    ClientID, Doc, GetString, OffsetKind, Options, ReadTxn, StateVector, Text as _, TextRef, Transact,
    TransactionMut, Update,
};

pub(crate) struct Yrs {
    doc: Doc,
    text: TextRef,
}

fn make(text: &TextRef, transaction: &mut TransactionMut<'_>, edit: Edit) {
    if edit.delete_bytes > 0 {
        text.remove_range(transaction, edit.position_bytes, edit.delete_bytes);
    }
    if !edit.text.is_empty() {
        text.insert(transaction, edit.position_bytes, edit.text);
    }
}

impl Text for Yrs {
    const NAME: &'static str = "yrs";

    fn new(replica: u32) -> Self {
        let doc = Doc::with_options(Options {
            offset_kind: OffsetKind::Bytes,
            skip_gc: true,
            ..Options::with_client_id(ClientID::new(replica.into()))
        });
        let text = doc.get_or_insert_text("text");
        Self { doc, text }
    }

    fn edit(&mut self, edit: Edit) {
        make(&self.text, &mut self.doc.transact_mut(), edit);
    }

    fn text(&mut self) -> String {
        self.text.get_string(&self.doc.transact())
    }

    fn edit_all(&mut self, edits: &[Edit], behind: (u32, u32), limit: Limit) -> Result<(), Missing> {
        let mut transaction = self.doc.transact_mut();
        for (step, edit) in edits.iter().enumerate() {
            limit.check(step)?;
            make(&self.text, &mut transaction, edit.behind(behind.0, behind.1));
        }
        Ok(())
    }
}

impl Crdt for Yrs {
    fn edit_encoded(&mut self, edits: &[Edit], out: &mut Vec<u8>) {
        let mut transaction = self.doc.transact_mut();
        for edit in edits {
            make(&self.text, &mut transaction, *edit);
        }
        out.extend_from_slice(&transaction.encode_update_v1());
    }

    fn apply(&mut self, delta: &[u8]) {
        let update = Update::decode_v1(delta).expect("it was encoded so");
        self.doc.transact_mut().apply_update(update).expect("an update applies");
    }

    fn history(&mut self) -> Option<Vec<u8>> {
        Some(self.doc.transact().encode_state_as_update_v1(&StateVector::default()))
    }

    fn from_history(replica: u32, bytes: &[u8]) -> Self {
        let mut yrs = Self::new(replica);
        yrs.apply(bytes);
        yrs
    }

    fn snapshot(&mut self) -> Vec<u8> {
        self.history().expect("yrs has it")
    }

    fn from_snapshot(replica: u32, bytes: &[u8]) -> Self {
        Self::from_history(replica, bytes)
    }
}
