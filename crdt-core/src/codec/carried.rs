//! Values of elements as bytes: the part that a delta or a snapshot has only where elements carry something.
//! `docs/format.md` has the bytes.

use crate::anchor::{Anchor, Side};
use crate::bytes::{Reader, write_bytes, write_u64_le, write_varint};
use crate::error::DecodeError;
use crate::ids::{OpId, ReplicaId, Seq};
use crate::json::{Json, NotJson};
use crate::limits::{Limits, MAX_JSON_BYTES, MAX_JSON_DEPTH, MAX_NAME_BYTES, MAX_STAMP, VALUES};
use crate::sorted::SortedMap;
use crate::value::{CARRIER, Mark, Register, SequenceKind, Value};
use alloc::sync::Arc;
use alloc::vec::Vec;

const EMBED: u8 = 0;
const MARK: u8 = 1;
const UNMARK: u8 = 2;
const REGISTER: u8 = 3;
const EMPTIED: u8 = 4;
const ROOTS: u8 = 5;
const OPEN: u8 = 6;
const CLOSE: u8 = 7;
const REPLACE: u8 = 8;
const MOVE: u8 = 9;

const TEXT: u8 = 0;
const LIST: u8 = 1;

/// Appends values of elements, which ascend by id.
pub(crate) fn write_carried(out: &mut Vec<u8>, carried: &[(OpId, &Value)]) {
    let mut table: SortedMap<ReplicaId, u64> = SortedMap::new();
    for (id, value) in carried {
        table.insert(id.replica, 0);
        for element in value.elements() {
            table.insert(element.replica, 0);
        }
    }
    write_varint(out, table.len() as u64);
    for ((replica, index), place) in table.iter_mut().zip(0..) {
        *index = place;
        write_u64_le(out, replica.get());
    }
    for block in carried.chunk_by(|(one, _), (other, _)| one.replica == other.replica) {
        write_varint(out, index_in(&table, block[0].0.replica));
        write_varint(out, block.len() as u64);
        let mut next = 0;
        for (id, value) in block {
            write_varint(out, u64::from(id.seq - next));
            next = id.seq + 1;
            write_value(out, value, &table);
        }
    }
}

fn write_value(out: &mut Vec<u8>, value: &Value, table: &SortedMap<ReplicaId, u64>) {
    let text = |out: &mut Vec<u8>, text: &str| write_bytes(out, text.as_bytes());
    match value {
        Value::Embed(json) => {
            out.push(EMBED);
            text(out, json.as_str());
        }
        Value::Mark(Mark { start, end, name, value, stamp }) => {
            out.push(if value.is_some() { MARK } else { UNMARK });
            write_varint(out, *stamp);
            write_anchor(out, *start, table);
            write_anchor(out, *end, table);
            text(out, name);
            if let Some(json) = value {
                text(out, json.as_str());
            }
        }
        Value::Register(Register { name, value, stamp }) => {
            out.push(if value.is_some() { REGISTER } else { EMPTIED });
            write_varint(out, *stamp);
            text(out, name);
            if let Some(json) = value {
                text(out, json.as_str());
            }
        }
        Value::Roots => out.push(ROOTS),
        Value::Open { name, kind } => {
            let kind = match kind {
                SequenceKind::Text => TEXT,
                SequenceKind::List => LIST,
            };
            out.extend([OPEN, kind]);
            text(out, name);
        }
        Value::Close => out.push(CLOSE),
        Value::Replace { element, value, stamp } => {
            out.push(REPLACE);
            write_varint(out, *stamp);
            write_element(out, *element, table);
            text(out, value.as_str());
        }
        Value::Move { element, stamp } => {
            out.push(MOVE);
            write_varint(out, *stamp);
            write_element(out, *element, table);
        }
    }
}

fn write_element(out: &mut Vec<u8>, OpId { replica, seq }: OpId, table: &SortedMap<ReplicaId, u64>) {
    write_varint(out, index_in(table, replica));
    write_varint(out, u64::from(seq));
}

/// All replicas were put into the table before.
fn index_in(table: &SortedMap<ReplicaId, u64>, replica: ReplicaId) -> u64 {
    *table.get(&replica).expect("the table names all replicas")
}

fn write_anchor(out: &mut Vec<u8>, anchor: Anchor, table: &SortedMap<ReplicaId, u64>) {
    let before = u64::from(anchor.side == Side::Before);
    match anchor.element {
        None => write_varint(out, before),
        Some(OpId { replica, seq }) => {
            write_varint(out, 2 * index_in(table, replica) + 2 + before);
            write_varint(out, u64::from(seq));
        }
    }
}

/// Values of elements, ascending by id.
pub(crate) type Carried = Vec<(OpId, Value)>;

/// Reads what [`write_carried`] wrote, to the end of the bytes, of elements whose characters stand somewhere in `texts`: there cannot be more values than those, so a few bytes
/// of each cannot make the values of a million elements that do not exist.
pub(crate) fn read_carried_of(
    texts: &[&[u8]],
    reader: &mut Reader<'_>,
    limits: &Limits,
) -> Result<Carried, DecodeError> {
    let carriers =
        |text: &&[u8]| text.windows(CARRIER.len()).filter(|part| *part == CARRIER.as_bytes()).count();
    let elements = texts.iter().map(carriers).sum();
    if elements >= limits.max_values {
        return read_carried(reader, limits);
    }
    read_carried(reader, &Limits { max_values: elements, ..*limits }).map_err(|error| match error {
        DecodeError::LimitExceeded(VALUES) => DecodeError::InvalidValue("element with a value"),
        other => other,
    })
}

fn read_carried(reader: &mut Reader<'_>, limits: &Limits) -> Result<Carried, DecodeError> {
    let count = reader.count(8)?;
    limits.check_replicas(count)?;
    let mut table: Vec<ReplicaId> = Vec::with_capacity(count);
    for _ in 0..count {
        let replica = ReplicaId::new(reader.u64_le()?);
        if table.last().is_some_and(|&last| last >= replica) {
            return Err(DecodeError::InvalidValue("replica table"));
        }
        table.push(replica);
    }
    let mut carried: Carried = Vec::new();
    while !reader.is_empty() {
        let replica = replica_of(&table, reader.varint()?)?;
        if carried.last().is_some_and(|(last, _)| last.replica >= replica) {
            return Err(DecodeError::InvalidValue("order of values"));
        }
        let count = reader.count(2)?;
        if count == 0 {
            return Err(DecodeError::InvalidValue("count of values"));
        }
        limits.check_values(carried.len().saturating_add(count))?;
        let mut next: Seq = 0;
        for _ in 0..count {
            let seq = next.checked_add(reader.varint_u32()?).ok_or(DecodeError::InvalidNumber)?;
            next = seq.checked_add(1).ok_or(DecodeError::InvalidNumber)?;
            let value = read_value(reader, &table, limits)?;
            carried.push((OpId::new(replica, seq), value));
        }
    }
    if carried.is_empty() {
        return Err(DecodeError::InvalidValue("count of values"));
    }
    Ok(carried)
}

fn replica_of(table: &[ReplicaId], index: u64) -> Result<ReplicaId, DecodeError> {
    let index = usize::try_from(index).map_err(|_| DecodeError::InvalidNumber)?;
    table.get(index).copied().ok_or(DecodeError::InvalidValue("replica index"))
}

fn read_value(reader: &mut Reader<'_>, table: &[ReplicaId], limits: &Limits) -> Result<Value, DecodeError> {
    match reader.u8()? {
        EMBED => read_json(reader, limits).map(Value::Embed),
        kind @ (MARK | UNMARK) => {
            let stamp = read_stamp(reader)?;
            let (start, end) = (read_anchor(reader, table)?, read_anchor(reader, table)?);
            let name = read_name(reader, limits)?;
            let value = if kind == MARK { Some(read_json(reader, limits)?) } else { None };
            Ok(Value::Mark(Mark { start, end, name, value, stamp }))
        }
        kind @ (REGISTER | EMPTIED) => {
            let (stamp, name) = (read_stamp(reader)?, read_name(reader, limits)?);
            let value = if kind == REGISTER { Some(read_json(reader, limits)?) } else { None };
            Ok(Value::Register(Register { name, value, stamp }))
        }
        ROOTS => Ok(Value::Roots),
        OPEN => {
            let kind = match reader.u8()? {
                TEXT => SequenceKind::Text,
                LIST => SequenceKind::List,
                _ => return Err(DecodeError::InvalidValue("kind of a sequence")),
            };
            Ok(Value::Open { name: read_name(reader, limits)?, kind })
        }
        CLOSE => Ok(Value::Close),
        REPLACE => {
            let (stamp, element) = (read_stamp(reader)?, read_element(reader, table)?);
            Ok(Value::Replace { element, value: read_json(reader, limits)?, stamp })
        }
        MOVE => {
            let (stamp, element) = (read_stamp(reader)?, read_element(reader, table)?);
            Ok(Value::Move { element, stamp })
        }
        _ => Err(DecodeError::InvalidValue("kind of a value")),
    }
}

fn read_element(reader: &mut Reader<'_>, table: &[ReplicaId]) -> Result<OpId, DecodeError> {
    Ok(OpId::new(replica_of(table, reader.varint()?)?, reader.varint_u32()?))
}

fn read_stamp(reader: &mut Reader<'_>) -> Result<u64, DecodeError> {
    let stamp = reader.varint()?;
    if stamp > MAX_STAMP { Err(DecodeError::LimitExceeded("stamp")) } else { Ok(stamp) }
}

fn read_name(reader: &mut Reader<'_>, limits: &Limits) -> Result<Arc<str>, DecodeError> {
    let name = reader.str()?;
    if name.len() > limits.max_name_bytes.min(MAX_NAME_BYTES) {
        return Err(DecodeError::LimitExceeded("bytes of a name"));
    }
    Ok(name.into())
}

fn read_json(reader: &mut Reader<'_>, limits: &Limits) -> Result<Json, DecodeError> {
    let text = reader.str()?;
    if text.len() > limits.max_json_bytes.min(MAX_JSON_BYTES) {
        return Err(DecodeError::LimitExceeded("bytes of a JSON value"));
    }
    let json = Json::parse_within(text, limits.max_json_depth.min(MAX_JSON_DEPTH));
    let json = json.map_err(|error| match error {
        NotJson::Invalid(_) => DecodeError::InvalidValue("JSON"),
        NotJson::TooDeep(_) => DecodeError::LimitExceeded("depth of a JSON value"),
    })?;
    if json.as_str() == text { Ok(json) } else { Err(DecodeError::InvalidValue("JSON")) }
}

fn read_anchor(reader: &mut Reader<'_>, table: &[ReplicaId]) -> Result<Anchor, DecodeError> {
    let head = reader.varint()?;
    let side = if head & 1 == 1 { Side::Before } else { Side::After };
    let element = match head >> 1 {
        0 => None,
        index => Some(OpId::new(replica_of(table, index - 1)?, reader.varint_u32()?)),
    };
    Ok(Anchor { element, side })
}
