//! The class `Log`: a log whose bytes the page keeps.

use crate::doc::Doc;
use crate::error::throw;
use core::cell::RefCell;
use core::convert::Infallible;
use core::mem;
use crdt_core::ReplicaId;
use crdt_core::codec::Limits;
use crdt_core::log::{LogReport, LogStore, Storage};
use std::rc::Rc;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

/// A document in a log; see [`LogStore`]. What is to be stored leaves as bytes, and nothing is kept of them.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Log {
    store: LogStore<Tape>,
    tape: Tape,
    report: LogReport,
    /// What was replayed, until it is taken.
    doc: Option<crdt_core::Doc>,
}

#[wasm_bindgen]
impl Log {
    /// Replays a log for a new replica, or begins one if there is none.
    ///
    /// # Errors
    /// As [`LogStore::open`].
    #[wasm_bindgen(constructor)]
    pub fn new(replica: u64, bytes: Option<Vec<u8>>) -> Result<Self, JsValue> {
        let tape = Tape::default();
        tape.parts.borrow_mut().log = bytes;
        let (store, doc, report) =
            LogStore::open(tape.clone(), ReplicaId::new(replica), Limits::DEFAULT).map_err(throw)?;
        Ok(Self { store, tape, report, doc: Some(doc) })
    }

    /// What was replayed; only once.
    #[wasm_bindgen(js_name = takeDoc)]
    pub fn take_doc(&mut self) -> Option<Doc> {
        self.doc.take().map(|inner| Doc { inner })
    }

    /// What is to be stored behind what is stored, or in place of it (`begin`, `compact`), since this was last asked.
    #[wasm_bindgen(js_name = takeBytes)]
    pub fn take_bytes(&mut self) -> Vec<u8> {
        mem::take(&mut self.tape.parts.borrow_mut().written)
    }

    /// Appends a delta.
    ///
    /// # Errors
    /// As [`LogStore::append`].
    pub fn append(&mut self, delta: &[u8]) -> Result<Vec<u8>, JsValue> {
        self.store.append(delta).map_err(throw)?;
        Ok(self.take_bytes())
    }

    /// A new log that starts with a snapshot of this document.
    ///
    /// # Errors
    /// As [`LogStore::compact`].
    pub fn compact(&mut self, doc: &Doc) -> Result<Vec<u8>, JsValue> {
        self.store.compact(&doc.inner).map_err(throw)?;
        Ok(self.take_bytes())
    }

    /// Deltas that were replayed.
    #[wasm_bindgen(getter)]
    pub fn deltas(&self) -> usize {
        self.report.deltas
    }

    /// Bytes at the end that were not written to their end; `undefined` if there are none.
    #[wasm_bindgen(getter, js_name = tornBytes)]
    #[expect(clippy::cast_precision_loss, reason = "no log has 2^53 bytes")]
    pub fn torn_bytes(&self) -> Option<f64> {
        self.report.torn_tail.map(|torn| torn.bytes as f64)
    }

    /// Length in bytes, without a torn tail.
    #[wasm_bindgen(getter)]
    #[expect(clippy::cast_precision_loss, reason = "no log has 2^53 bytes")]
    pub fn length(&self) -> f64 {
        self.store.len_bytes() as f64
    }

    /// Bytes of its snapshot.
    #[wasm_bindgen(getter, js_name = snapshotBytes)]
    #[expect(clippy::cast_precision_loss, reason = "no log has 2^53 bytes")]
    pub fn snapshot_bytes(&self) -> f64 {
        self.store.snapshot_bytes() as f64
    }

    /// Bytes behind that.
    #[wasm_bindgen(getter, js_name = tailBytes)]
    #[expect(clippy::cast_precision_loss, reason = "no log has 2^53 bytes")]
    pub fn tail_bytes(&self) -> f64 {
        self.store.tail_bytes() as f64
    }
}

/// A storage that passes on what is written. What is stored in earnest, JavaScript stores.
#[derive(Clone, Debug, Default)]
struct Tape {
    parts: Rc<RefCell<Parts>>,
}

#[derive(Debug, Default)]
struct Parts {
    /// What is to be read.
    log: Option<Vec<u8>>,
    beside: Option<Vec<u8>>,
    written: Vec<u8>,
}

impl Storage for Tape {
    type Error = Infallible;

    fn read(&mut self) -> Result<Option<Vec<u8>>, Infallible> {
        Ok(self.parts.borrow_mut().log.take())
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), Infallible> {
        self.parts.borrow_mut().written.extend_from_slice(bytes);
        Ok(())
    }

    fn cut(&mut self, _len: u64) -> Result<(), Infallible> {
        Ok(())
    }

    fn sync(&mut self) -> Result<(), Infallible> {
        Ok(())
    }

    fn write_beside(&mut self, bytes: &[u8]) -> Result<(), Infallible> {
        self.parts.borrow_mut().beside = Some(bytes.to_vec());
        Ok(())
    }

    fn read_beside(&mut self) -> Result<Option<Vec<u8>>, Infallible> {
        Ok(self.parts.borrow().beside.clone())
    }

    fn swap(&mut self) -> Result<(), Infallible> {
        let mut parts = self.parts.borrow_mut();
        parts.written = parts.beside.take().unwrap_or_default();
        Ok(())
    }

    fn remove_beside(&mut self) -> Result<(), Infallible> {
        self.parts.borrow_mut().beside = None;
        Ok(())
    }
}
