//! Recorded histories, laid out so that reading them costs every contender the same and little.

use crdt_testkit::traces::{ConcurrentTrace, Patch, SequentialTrace};

/// One edit: `delete` characters from `position` on give way to `text`. In scalar values for those that count them, and in bytes for
/// those that count bytes: nobody converts while the clock runs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Edit {
    pub(crate) position: u32,
    pub(crate) delete: u32,
    pub(crate) position_bytes: u32,
    pub(crate) delete_bytes: u32,
    pub(crate) text: &'static str,
}

impl Edit {
    /// The same edit behind so much text.
    pub(crate) fn behind(self, chars: u32, bytes: u32) -> Self {
        Self { position: self.position + chars, position_bytes: self.position_bytes + bytes, ..self }
    }
}

/// One person's edits.
#[derive(Clone, Debug)]
pub(crate) struct History {
    pub(crate) edits: Vec<Edit>,
    pub(crate) end: String,
    /// Characters inserted and deleted.
    pub(crate) operations: usize,
}

impl History {
    pub(crate) fn new(trace: &SequentialTrace) -> Self {
        assert!(trace.start_content.is_empty(), "the recorded histories start empty");
        let patches: Vec<&Patch> = trace.transactions.iter().flatten().collect();
        let edits = lay_out(&patches, true);
        Self { end: trace.end_content.clone(), operations: operations(&patches), edits }
    }
}

/// Several people's transactions, their edits laid out.
pub(crate) struct Shared {
    pub(crate) trace: ConcurrentTrace,
    pub(crate) edits: Vec<Vec<Edit>>,
}

impl Shared {
    pub(crate) fn new(trace: ConcurrentTrace) -> Self {
        let patches: Vec<&Patch> = trace.transactions.iter().flat_map(|made| &made.patches).collect();
        assert!(patches.iter().all(|patch| patch.text.is_ascii()), "positions are taken as bytes, too");
        let mut laid_out = lay_out(&patches, false).into_iter();
        let edits =
            trace.transactions.iter().map(|made| laid_out.by_ref().take(made.patches.len()).collect());
        Self { edits: edits.collect(), trace }
    }
}

fn operations(patches: &[&Patch]) -> usize {
    patches.iter().map(|patch| patch.delete_len + patch.text.chars().count()).sum()
}

/// All text in one piece, which lives as long as the process. `in_sequence`: each edit was made on what the ones before it left.
fn lay_out(patches: &[&Patch], in_sequence: bool) -> Vec<Edit> {
    let whole: String = patches.iter().map(|patch| patch.text.as_str()).collect();
    let whole: &'static str = Box::leak(whole.into_boxed_str());
    let mut text = (in_sequence && !whole.is_ascii()).then(String::new);
    let mut start = 0;
    let mut edits = Vec::with_capacity(patches.len());
    for Patch { position, delete_len, text: new } in patches {
        let end = start + new.len();
        let (mut from, mut to) = (*position, position + delete_len);
        if let Some(text) = &mut text {
            (from, to) = (byte_of(text, from), byte_of(text, to));
            text.replace_range(from..to, new);
        }
        edits.push(Edit {
            position: narrow(*position),
            delete: narrow(*delete_len),
            position_bytes: narrow(from),
            delete_bytes: narrow(to - from),
            text: &whole[start..end],
        });
        start = end;
    }
    edits
}

/// Where the character stands, in bytes.
fn byte_of(text: &str, position: usize) -> usize {
    text.char_indices().nth(position).map_or(text.len(), |(at, _)| at)
}

pub(crate) fn narrow(count: usize) -> u32 {
    u32::try_from(count).expect("recorded texts are far below 4 GB")
}

/// Many deltas in one piece of memory, one behind the other.
#[derive(Clone, Debug, Default)]
pub(crate) struct Deltas {
    pub(crate) bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Deltas {
    pub(crate) fn with_capacity(count: usize) -> Self {
        Self { bytes: Vec::new(), ends: Vec::with_capacity(count) }
    }

    /// What was appended to `bytes` since the last call is a delta.
    pub(crate) fn end_one(&mut self) {
        self.ends.push(self.bytes.len());
    }

    pub(crate) fn push(&mut self, delta: &[u8]) {
        self.bytes.extend_from_slice(delta);
        self.end_one();
    }

    pub(crate) fn get(&self, index: usize) -> &[u8] {
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        &self.bytes[start..self.ends[index]]
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.len()).map(|index| self.get(index))
    }
}
