//! Errors as JavaScript sees them: an `Error` with a stable `code`.

use core::convert::Infallible;
use crdt_core::log::{LogError, RecordError};
use crdt_core::{ApplyError, DecodeError, EditError, HistoryError};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = Error)]
    type CodedError;

    #[wasm_bindgen(constructor, js_class = "Error")]
    fn new(message: &str) -> CodedError;

    #[wasm_bindgen(method, setter)]
    fn set_code(this: &CodedError, code: &str);
}

/// Builds the `Error` to throw.
pub(crate) fn thrown(code: &str, message: &str) -> JsValue {
    let error = CodedError::new(message);
    error.set_code(code);
    error.unchecked_into()
}

/// The codes of everything that crdt-core refuses; part of the public interface.
pub(crate) trait Coded: core::fmt::Display {
    fn code(&self) -> &'static str;
}

/// Converts an error of crdt-core.
#[allow(clippy::needless_pass_by_value)] // the form that `map_err` wants
pub(crate) fn throw(error: impl Coded) -> JsValue {
    thrown(error.code(), &error.to_string())
}

impl Coded for EditError {
    fn code(&self) -> &'static str {
        match self {
            Self::OutOfBounds { .. } => "out-of-bounds",
            Self::InvertedRange { .. } => "inverted-range",
            Self::InsideSurrogatePair { .. } => "inside-surrogate-pair",
            Self::Full => "full",
            Self::NameTooLong { .. } => "name-too-long",
            Self::NoEmbed { .. } => "no-embed",
            Self::Reserved { .. } => "reserved",
            Self::ReservedName => "reserved-name",
            _ => "edit",
        }
    }
}

impl Coded for DecodeError {
    fn code(&self) -> &'static str {
        match self {
            Self::UnsupportedVersion(_) => "unsupported-version",
            Self::UnsupportedFeatures(_) => "unsupported-features",
            Self::LimitExceeded(_) => "limit-exceeded",
            Self::Trimmed => "trimmed",
            _ => "malformed",
        }
    }
}

impl Coded for ApplyError {
    fn code(&self) -> &'static str {
        match self {
            Self::Decode(error) => error.code(),
            Self::ReplicaCollision { .. } => "replica-collision",
            Self::InvalidReference { .. } => "invalid-reference",
            Self::PendingFull { .. } => "pending-full",
            Self::Full => "full",
            Self::Trimmed => "trimmed",
            _ => "apply",
        }
    }
}

impl Coded for HistoryError {
    fn code(&self) -> &'static str {
        match self {
            Self::NotReached { .. } => "not-reached",
            Self::NotAState { .. } => "not-a-state",
            Self::Trimmed => "trimmed",
            Self::ReplicaInUse { .. } => "replica-in-use",
            Self::Circular => "circular",
            Self::Edit(error) => error.code(),
            _ => "history",
        }
    }
}

impl Coded for LogError<Infallible> {
    fn code(&self) -> &'static str {
        match self {
            Self::Header(error) | Self::Record { error: RecordError::Decode(error), .. } => error.code(),
            Self::Delta(error) | Self::Record { error: RecordError::Apply(error), .. } => error.code(),
            Self::Record { error: RecordError::UnknownKind(_), .. } => "unsupported-features",
            Self::Record { .. } => "damaged",
            Self::Lacking => "lacking",
            _ => "log",
        }
    }
}
