//! The single of one keystroke beside own elements, in form 0: sixteen bytes at most, so that it is written and
//! read in registers. Everything else goes the longer way in [`super::single`], which tells what is wrong, too.

use super::run::{DELETE_OWN_UP, INSERT_AFTER_OWN, INSERT_BEFORE_OWN, INSERT_ON};
use crate::ids::{ReplicaId, Seq};
use crate::op::{Keystroke, Stroke};
use alloc::vec::Vec;

/// Numbers from here on have more than three groups of seven bits.
const LONG_NUMBER: Seq = 1 << 21;

/// Appends the delta of one keystroke of `replica`, if it is that short.
#[inline(always)]
pub(crate) fn write(out: &mut Vec<u8>, replica: ReplicaId, keystroke: Keystroke) -> bool {
    let Keystroke { seq, distance, stroke } = keystroke;
    if seq >= LONG_NUMBER || distance >= LONG_NUMBER {
        return false;
    }
    let (kind, operand, text) = match stroke {
        Stroke::InsertAfter(byte) if distance == 1 => (INSERT_ON, None, Some(byte)),
        Stroke::InsertAfter(byte) => (INSERT_AFTER_OWN, Some(distance - 2), Some(byte)),
        Stroke::InsertBefore(byte) => (INSERT_BEFORE_OWN, Some(distance - 1), Some(byte)),
        Stroke::Delete => (DELETE_OWN_UP, Some(distance - 1), None),
    };
    let (mut tail, mut len) = groups(seq);
    if let Some(number) = operand {
        let (number, more) = groups(number);
        tail |= number << (8 * len);
        len += more;
    }
    if let Some(byte) = text {
        tail |= u64::from(byte) << (8 * len);
        len += 1;
    }
    let head = u128::from(kind << 3 | 1);
    let bytes = head | u128::from(replica.get()) << 8 | u128::from(tail) << 72;
    // Copying a fixed number of bytes and dropping some is faster than copying some.
    let end = out.len() + 9 + len;
    out.extend_from_slice(&bytes.to_le_bytes());
    out.truncate(end);
    true
}

/// Reads a delta, if it is that of one keystroke: text typed on or a deletion.
#[inline(always)]
pub(crate) fn read(bytes: &[u8]) -> Option<(ReplicaId, Keystroke)> {
    if !(11..=16).contains(&bytes.len()) {
        return None;
    }
    let (&head, rest) = bytes.split_first()?;
    let replica = ReplicaId::new(u64::from_le_bytes(*rest.first_chunk()?));
    // What stands behind the replica, and zeros.
    let tail = u64::from_le_bytes(*bytes.last_chunk()?) >> (8 * (17 - bytes.len()));
    let (seq, len) = number(tail)?;
    let (tail, left) = (tail >> (8 * len), bytes.len() - 9 - len);
    let (distance, stroke) = if head == INSERT_ON << 3 | 1 {
        let byte = tail.to_le_bytes()[0];
        if left != 1 || !byte.is_ascii() {
            return None;
        }
        (1, Stroke::InsertAfter(byte))
    } else if head == DELETE_OWN_UP << 3 | 1 {
        let (number, len) = number(tail)?;
        if left != len {
            return None;
        }
        (number + 1, Stroke::Delete)
    } else {
        return None;
    };
    (distance <= seq).then_some((replica, Keystroke { seq, distance, stroke }))
}

/// The varint of a number below [`LONG_NUMBER`], and how many bytes it takes.
///
/// Numbers of one replica are of one length for long: a branch is foretold.
#[inline(always)]
fn groups(number: Seq) -> (u64, usize) {
    let number = u64::from(number);
    let (low, middle, high) = (number & 0x7f, (number & 0x3f80) << 1, (number & 0x1f_c000) << 2);
    if number < 1 << 7 {
        (number, 1)
    } else if number < 1 << 14 {
        (low | middle | 0x80, 2)
    } else {
        (low | middle | high | 0x8080, 3)
    }
}

/// The varint of up to three bytes at the low end of `word`, if it is in its shortest form, and how many it takes.
#[inline(always)]
fn number(word: u64) -> Option<(Seq, usize)> {
    let (low, middle, high) = (word & 0x7f, (word & 0x7f00) >> 1, (word & 0x7f_0000) >> 2);
    let (value, last, len) = if word & 0x80 == 0 {
        (low, 1, 1)
    } else if word & 0x8000 == 0 {
        (low | middle, middle, 2)
    } else if word & 0x80_0000 == 0 {
        (low | middle | high, high, 3)
    } else {
        return None;
    };
    if last == 0 {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "three groups of seven bits")]
    let value = value as Seq;
    Some((value, len))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::anchor::Anchor;
    use crate::codec::{decode_single, write_single};
    use crate::dice::Dice;
    use crate::ids::OpId;
    use crate::limits::Limits;
    use crate::op::{Run, RunKind};
    use alloc::string::String;
    use alloc::vec;

    #[test]
    fn a_keystroke_has_the_bytes_of_its_run() {
        let mut dice = Dice(7);
        for _ in 0..20_000 {
            let seq = 1 + number_of(&mut dice);
            let distance = 1 + number_of(&mut dice) % seq;
            let byte = u8::try_from(dice.below(0x80)).unwrap();
            let replica = ReplicaId::new(dice.below(usize::MAX) as u64);
            let element = OpId::new(replica, seq - distance);
            let text = String::from(char::from(byte));
            let (stroke, kind) = match dice.below(4) {
                0 => (Stroke::Delete, RunKind::Delete { target: element, descending: false }),
                1 => (
                    Stroke::InsertBefore(byte),
                    RunKind::Insert { anchor: Anchor::before(element), text: &text },
                ),
                _ => (
                    Stroke::InsertAfter(byte),
                    RunKind::Insert { anchor: Anchor::after(element), text: &text },
                ),
            };
            let keystroke = Keystroke { seq, distance, stroke };
            let (mut bytes, mut expected) = (vec![9], vec![9]);
            let written = write(&mut bytes, replica, keystroke);
            assert_eq!(written, seq < LONG_NUMBER, "{keystroke:?}");
            if !written {
                assert_eq!(bytes, [9], "{keystroke:?}");
                continue;
            }
            write_single(&mut expected, &Run { id: OpId::new(replica, seq), len: 1, kind });
            assert_eq!(bytes, expected, "{keystroke:?}");
            let is_common = stroke == Stroke::Delete || stroke == Stroke::InsertAfter(byte) && distance == 1;
            let is_long = distance > LONG_NUMBER;
            assert_eq!(read(&bytes[1..]), (is_common && !is_long).then_some((replica, keystroke)));
        }
    }

    #[test]
    fn what_is_read_as_a_keystroke_is_a_sound_delta_that_says_the_same() {
        let mut dice = Dice(11);
        let mut read_ones = 0;
        for _ in 0..300_000 {
            let mut bytes = vec![0; 9 + dice.below(9)];
            for byte in &mut bytes[9..] {
                *byte = u8::try_from([dice.below(256), 0, 0x7f, 0x80, 0xff][dice.below(5)]).unwrap();
            }
            bytes[0] = [INSERT_ON << 3 | 1, DELETE_OWN_UP << 3 | 1][dice.below(2)];
            if dice.below(30) == 0 {
                bytes[0] = u8::try_from(dice.below(256)).unwrap();
            }
            let Some((replica, Keystroke { seq, distance, stroke })) = read(&bytes) else { continue };
            let element = OpId::new(replica, seq - distance);
            let text = |byte| String::from(char::from(byte));
            let text = match stroke {
                Stroke::InsertAfter(byte) | Stroke::InsertBefore(byte) => text(byte),
                Stroke::Delete => String::new(),
            };
            let kind = match stroke {
                Stroke::InsertAfter(_) => RunKind::Insert { anchor: Anchor::after(element), text: &text },
                Stroke::InsertBefore(_) => RunKind::Insert { anchor: Anchor::before(element), text: &text },
                Stroke::Delete => RunKind::Delete { target: element, descending: false },
            };
            let run = Run { id: OpId::new(replica, seq), len: 1, kind };
            assert_eq!(decode_single(&bytes, &Limits::DEFAULT), Ok(Some(run)), "{bytes:x?}");
            read_ones += 1;
        }
        assert!(read_ones > 2000, "{read_ones}");
    }

    /// Of any length up to four groups.
    fn number_of(dice: &mut Dice) -> Seq {
        let bits = 1 + dice.below(24);
        Seq::try_from(dice.below(1 << bits)).unwrap()
    }
}
