//! Deltas without a document.

use crate::error::{throw, thrown};
use crate::packet;
use crate::versions::read_version;
use crdt_core::codec::{self, Limits};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

/// Makes one delta of several, which `js/src/packet.ts` has put behind each other.
///
/// # Errors
/// As [`codec::merge_deltas`].
#[wasm_bindgen(js_name = mergeDeltas)]
pub fn merge_deltas(deltas: &[u8]) -> Result<Vec<u8>, JsValue> {
    let deltas =
        packet::read_all_bytes(deltas).ok_or_else(|| thrown("malformed", "these are no deltas in a row"))?;
    codec::merge_deltas(&deltas, &Limits::DEFAULT).map_err(throw)
}

/// Cuts a delta down to what the encoded version vector lacks.
///
/// # Errors
/// As [`codec::diff_delta`] and [`crdt_core::VersionVector::decode`].
#[wasm_bindgen(js_name = diffDelta)]
pub fn diff_delta(delta: &[u8], version: &[u8]) -> Result<Vec<u8>, JsValue> {
    codec::diff_delta(delta, &read_version(version)?, &Limits::DEFAULT).map_err(throw)
}

/// Which operations a delta holds, as a packet.
///
/// # Errors
/// As [`codec::delta_version`].
#[wasm_bindgen(js_name = deltaVersion)]
pub fn delta_version(delta: &[u8]) -> Result<Vec<u8>, JsValue> {
    Ok(packet::delta_version(&codec::delta_version(delta, &Limits::DEFAULT).map_err(throw)?))
}

/// How much a delta holds: operations, runs, replicas, bytes of text, values.
///
/// # Errors
/// As [`codec::validate_delta`].
#[wasm_bindgen(js_name = validateDelta)]
#[expect(clippy::cast_precision_loss, reason = "a delta has fewer than 2^53 of anything")]
pub fn validate_delta(delta: &[u8]) -> Result<Vec<f64>, JsValue> {
    let summary = codec::validate_delta(delta, &Limits::DEFAULT).map_err(throw)?;
    let counts = [summary.runs, summary.replicas, summary.text_bytes, summary.values];
    Ok([summary.operations as f64].into_iter().chain(counts.map(|count| count as f64)).collect())
}
