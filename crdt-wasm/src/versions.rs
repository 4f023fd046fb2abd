//! What the class `Doc` tells of earlier versions. A name means the named text of that name; none, the main text.

use crate::doc::Doc;
use crate::error::throw;
use crate::packet;
use crate::sequences::nothing;
use crdt_core::codec::Limits;
use crdt_core::{ReplicaId, VersionVector};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

#[wasm_bindgen]
impl Doc {
    /// The text at an earlier version.
    ///
    /// # Errors
    /// As [`crdt_core::Doc::text_at`].
    #[wasm_bindgen(js_name = textAt)]
    pub fn text_at(&self, name: Option<String>, version: &[u8]) -> Result<String, JsValue> {
        let version = read_version(version)?;
        match name {
            None => self.inner.text_at(&version).map_err(throw),
            Some(name) => match self.inner.text_named(&name) {
                Some(text) => text.text_at(&version).map_err(throw),
                // The version is looked at all the same.
                None => self.inner.slice_at(&version, 0..0).map_err(throw),
            },
        }
    }

    /// A part of the text at an earlier version.
    ///
    /// # Errors
    /// As [`crdt_core::Doc::slice_at_utf16`].
    #[wasm_bindgen(js_name = sliceAt)]
    pub fn slice_at(
        &self,
        name: Option<String>,
        version: &[u8],
        start: usize,
        end: usize,
    ) -> Result<String, JsValue> {
        let version = read_version(version)?;
        match name {
            None => self.inner.slice_at_utf16(&version, start..end).map_err(throw),
            Some(name) => match self.inner.text_named(&name) {
                Some(text) => text.slice_at_utf16(&version, start..end).map_err(throw),
                None => nothing(end, self.inner.slice_at(&version, 0..0).map_err(throw)?),
            },
        }
    }

    /// The content at an earlier version, as a packet.
    ///
    /// # Errors
    /// As [`crdt_core::Doc::runs_at`].
    #[wasm_bindgen(js_name = runsAt)]
    pub fn runs_at(&self, version: &[u8]) -> Result<Vec<u8>, JsValue> {
        Ok(packet::runs(&self.inner.runs_at(&read_version(version)?).map_err(throw)?))
    }

    /// What turns the content at one version into that at another, as a packet.
    ///
    /// # Errors
    /// As [`crdt_core::Doc::diff`].
    pub fn diff(&self, from: &[u8], to: &[u8]) -> Result<Vec<u8>, JsValue> {
        let (from, to) = (read_version(from)?, read_version(to)?);
        Ok(packet::edits(&self.inner.diff(&from, &to).map_err(throw)?))
    }

    /// The document as it was, for a new replica.
    ///
    /// # Errors
    /// As [`crdt_core::Doc::at`].
    pub fn at(&self, replica: u64, version: &[u8]) -> Result<Self, JsValue> {
        let inner = self.inner.at(ReplicaId::new(replica), &read_version(version)?).map_err(throw)?;
        Ok(Self { inner })
    }

    /// Goes back to a version by new operations; gives the edits as a packet.
    ///
    /// # Errors
    /// As [`crdt_core::Doc::restore`].
    pub fn restore(&mut self, version: &[u8]) -> Result<Vec<u8>, JsValue> {
        Ok(packet::edits(&self.inner.restore(&read_version(version)?).map_err(throw)?))
    }

    /// Who inserted what stands in a range, as a packet.
    ///
    /// # Errors
    /// As [`crdt_core::Doc::position_from_utf16`] and [`crdt_core::Doc::attribution`].
    pub fn attribution(&self, name: Option<String>, start: usize, end: usize) -> Result<Vec<u8>, JsValue> {
        let Some(name) = name else {
            let doc = &self.inner;
            let start = doc.position_from_utf16(start).map_err(throw)?;
            let range = start..doc.position_from_utf16(end).map_err(throw)?;
            return Ok(packet::attribution(&doc.attribution(range).map_err(throw)?));
        };
        let Some(text) = self.inner.text_named(&name) else { return nothing(end, Vec::new()) };
        let start = text.position_from_utf16(start).map_err(throw)?;
        let range = start..text.position_from_utf16(end).map_err(throw)?;
        Ok(packet::attribution(&text.attribution(range).map_err(throw)?))
    }

    /// What was deleted in a range and by whom, as a packet.
    ///
    /// # Errors
    /// As [`crdt_core::Doc::position_from_utf16`] and [`crdt_core::Doc::deleted_text`].
    #[wasm_bindgen(js_name = deletedText)]
    pub fn deleted_text(&self, name: Option<String>, start: usize, end: usize) -> Result<Vec<u8>, JsValue> {
        let Some(name) = name else {
            let doc = &self.inner;
            let start = doc.position_from_utf16(start).map_err(throw)?;
            let range = start..doc.position_from_utf16(end).map_err(throw)?;
            return Ok(packet::deleted_text(&doc.deleted_text(range).map_err(throw)?));
        };
        let Some(text) = self.inner.text_named(&name) else { return nothing(end, Vec::new()) };
        let start = text.position_from_utf16(start).map_err(throw)?;
        let range = start..text.position_from_utf16(end).map_err(throw)?;
        Ok(packet::deleted_text(&text.deleted_text(range).map_err(throw)?))
    }

    /// Names the present version, or an earlier one.
    ///
    /// # Errors
    /// As [`crdt_core::Doc::name_version_at`].
    #[wasm_bindgen(js_name = nameVersion)]
    pub fn name_version(&mut self, name: &str, version: Option<Box<[u8]>>) -> Result<(), JsValue> {
        match version {
            None => self.inner.name_version(name).map_err(throw),
            Some(version) => self.inner.name_version_at(name, &read_version(&version)?).map_err(throw),
        }
    }

    /// Takes the name from a version.
    ///
    /// # Errors
    /// As [`crdt_core::Doc::forget_version`].
    #[wasm_bindgen(js_name = forgetVersion)]
    pub fn forget_version(&mut self, name: &str) -> Result<(), JsValue> {
        self.inner.forget_version(name).map_err(throw)
    }

    /// All versions that have names, as a packet.
    #[wasm_bindgen(js_name = namedVersions)]
    pub fn named_versions(&self) -> Vec<u8> {
        packet::named_versions(&self.inner.named_versions())
    }

    /// Forgets what was deleted before a version, and history.
    ///
    /// # Errors
    /// As [`crdt_core::Doc::trim`].
    pub fn trim(&mut self, version: &[u8]) -> Result<(), JsValue> {
        self.inner.trim(&read_version(version)?).map_err(throw)
    }

    /// Up to where it was trimmed, as an encoded version vector.
    pub fn floor(&self) -> Vec<u8> {
        self.inner.floor().encode()
    }

    /// Whether a delta can tell all that a version lacks.
    ///
    /// # Errors
    /// As [`VersionVector::decode`].
    #[wasm_bindgen(js_name = canTellSince)]
    pub fn can_tell_since(&self, version: &[u8]) -> Result<bool, JsValue> {
        Ok(self.inner.can_tell_since(&read_version(version)?))
    }
}

pub(crate) fn read_version(bytes: &[u8]) -> Result<VersionVector, JsValue> {
    VersionVector::decode(bytes, &Limits::DEFAULT).map_err(throw)
}
