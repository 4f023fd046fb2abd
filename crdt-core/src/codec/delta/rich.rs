//! The form of a delta whose elements carry values: any other delta, and then the values.
//! `docs/format.md` has the bytes.

use super::decode_runs;
use crate::bytes::{Reader, write_bytes};
use crate::codec::carried::{Carried, read_carried_of, write_carried};
use crate::error::DecodeError;
use crate::ids::{OpId, ReplicaId};
use crate::limits::Limits;
use crate::op::{Row, Runs};
use crate::sorted::SortedMap;
use crate::value::{CARRIER, Value};
use alloc::vec::Vec;

const RICH: u8 = 0xf2;

/// Appends `delta`, some of whose elements carry values.
pub(crate) fn write_rich(out: &mut Vec<u8>, delta: &[u8], carried: &[(OpId, &Value)]) {
    out.push(RICH);
    write_bytes(out, delta);
    write_carried(out, carried);
}

/// The delta inside, and the values, if some of its elements carry any. Checks nothing but the values' form.
pub(crate) fn take_rich<'a>(
    bytes: &'a [u8],
    limits: &Limits,
) -> Result<Option<(&'a [u8], Carried)>, DecodeError> {
    let Some(rest) = bytes.strip_prefix(&[RICH]) else { return Ok(None) };
    limits.check_input(bytes)?;
    let mut reader = Reader::new(rest);
    let delta = reader.bytes()?;
    if delta.first() == Some(&RICH) {
        return Err(DecodeError::WrongFormat);
    }
    Ok(Some((delta, read_carried_of(&[delta], &mut reader, limits)?)))
}

/// A delta without its values, which are not looked at.
pub(super) fn plain_part(bytes: &[u8]) -> Result<&[u8], DecodeError> {
    bytes.strip_prefix(&[RICH]).map_or(Ok(bytes), |rest| Reader::new(rest).bytes())
}

/// Decodes a delta of any form.
pub(crate) fn decode_rich<'a>(bytes: &'a [u8], limits: &Limits) -> Result<(Runs<'a>, Carried), DecodeError> {
    match take_rich(bytes, limits)? {
        None => Ok((decode_runs(bytes, limits)?, Carried::new())),
        Some((delta, carried)) => {
            let runs = decode_runs(delta, limits)?;
            check_carried(&runs, &carried)?;
            Ok((runs, carried))
        }
    }
}

/// Refuses values of what is no element of the delta, or has a character of its own. O(rows + values + their text).
pub(crate) fn check_carried(runs: &Runs<'_>, carried: &[(OpId, Value)]) -> Result<(), DecodeError> {
    const INVALID: DecodeError = DecodeError::InvalidValue("element with a value");
    // Rows of one replica are together.
    let mut groups: SortedMap<ReplicaId, &[Row<'_>]> = SortedMap::new();
    for group in runs.rows.chunk_by(|one, other| one.replica == other.replica) {
        groups.insert(runs.replicas[group[0].replica as usize], group);
    }
    for block in carried.chunk_by(|(one, _), (other, _)| one.replica == other.replica) {
        let mut rows = groups.get(&block[0].0.replica).ok_or(INVALID)?.iter();
        let mut wanted = block.iter().map(|(id, _)| id.seq).peekable();
        while let Some(&seq) = wanted.peek() {
            let row = rows.find(|row| row.end() > seq).ok_or(INVALID)?;
            let mut elements = (row.seq..).zip(row.text.chars());
            while let Some(seq) = wanted.next_if(|&seq| seq < row.end()) {
                let found = elements.find(|&(at, _)| at == seq);
                if found.is_none_or(|(_, ch)| ch.encode_utf8(&mut [0; 4]) != CARRIER) {
                    return Err(INVALID);
                }
            }
        }
    }
    Ok(())
}
