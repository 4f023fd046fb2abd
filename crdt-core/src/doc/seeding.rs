//! Documents that start with content.

use super::Doc;
use crate::error::EditError;
use crate::ids::ReplicaId;
use crate::mark::{Content, TextRun};
use crate::op_log::NOT_LISTED;
use alloc::vec::Vec;

impl Doc {
    /// Makes a document for `replica` that starts with `content`, which never doubles: everybody who seeds the document
    /// called `document` with the same content makes the same operations.
    ///
    /// They are of a replica whose id is derived from `document` and `content`. Other content is other operations: seed
    /// with what is fixed (a template), not with what may differ. O(bytes of the content).
    ///
    /// # Errors
    /// As [`Doc::insert_with`].
    ///
    /// # Examples
    /// ```
    /// use crdt_core::{Doc, Marks, ReplicaId, TextRun};
    ///
    /// let template = [TextRun::text("Agenda\n", Marks::NONE)];
    /// let mut alice = Doc::seeded(ReplicaId::new(1), &template, "meeting-7")?;
    /// let mut bob = Doc::seeded(ReplicaId::new(2), &template, "meeting-7")?;
    /// alice.insert(7, "1. Coffee")?;
    /// bob.apply(&alice.delta_since(bob.version()))?;
    /// assert_eq!(bob.text(), "Agenda\n1. Coffee");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn seeded(replica: ReplicaId, content: &[TextRun], document: &str) -> Result<Self, EditError> {
        let mut doc = Self::new(ReplicaId::derived(named(content, document)));
        doc.begin_transaction();
        for TextRun { content, marks } in content {
            let end = doc.len();
            match content {
                Content::Text(text) => doc.insert_with(end, text, marks)?,
                Content::Embed(value) => doc.insert_embed_with(end, value.clone(), marks)?,
            }
        }
        doc.end_transaction();
        (doc.replica, doc.own) = (replica, NOT_LISTED);
        doc.sequence.end_writing();
        if let Some(rich) = &mut doc.rich {
            rich.end_statements();
        }
        Ok(doc)
    }
}

/// Bytes that differ wherever document or content do: each part has its length in front.
fn named(content: &[TextRun], document: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut add = |kind: u8, text: &str| {
        out.push(kind);
        out.extend_from_slice(&(text.len() as u64).to_le_bytes());
        out.extend_from_slice(text.as_bytes());
    };
    add(0, document);
    for TextRun { content, marks } in content {
        match content {
            Content::Text(text) => add(1, text),
            Content::Embed(value) => add(2, value.as_str()),
        }
        for (name, value) in marks.iter() {
            add(3, name);
            add(4, value.as_str());
        }
    }
    out
}
