use super::*;
use crate::anchor::Anchor;
use crate::dice::Dice;
use crate::ids::{OpId, ReplicaId, Seq};
use crate::limits::{Limits, MAX_NAMES};
use crate::op::OpKind;
use alloc::string::String;
use alloc::vec;

pub(super) fn id(replica: u64, seq: Seq) -> OpId {
    OpId::new(ReplicaId::new(replica), seq)
}

pub(super) fn insert(id: OpId, anchor: Anchor, text: &str) -> Op {
    Op { id, kind: OpKind::Insert { anchor, text: text.into() } }
}

pub(super) fn delete(id: OpId, target: OpId, len: u32, descending: bool) -> Op {
    Op { id, kind: OpKind::Delete { target, len, descending } }
}

fn encode_named(ops: &[Op], names: &mut ReplicaNames) -> Vec<u8> {
    let mut out = Vec::new();
    writer_of(ops).finish_named(names, &mut out);
    out
}

fn decode_named(bytes: &[u8], names: &mut ReplicaNames) -> Result<Vec<Op>, DecodeError> {
    Ok(ops_of(decode_runs_named(bytes, names, &Limits::DEFAULT)?, Carried::new()))
}

/// Encodes both ways, after this many operations of replica 1; tells how many bytes that took.
fn sizes(before: Seq, op: &Op) -> (usize, usize) {
    let mut names = ReplicaNames::new();
    if before > 0 {
        encode_named(&[delete(id(1, 0), id(2, 0), before, false)], &mut names);
    }
    let ops = [op.clone()];
    assert_eq!(decode_delta(&encode_delta(&ops), &Limits::DEFAULT).as_ref(), Ok(&ops.to_vec()));
    (encode_delta(&ops).len(), encode_named(&ops, &mut names).len())
}

#[test]
fn a_keystroke_takes_few_bytes() {
    let typed = |seq: Seq| insert(id(1, seq), Anchor::after(id(1, seq - 1)), "x");
    assert_eq!(encode_delta(&[typed(300)]), [0x09, 1, 0, 0, 0, 0, 0, 0, 0, 0xac, 0x02, b'x']);
    assert_eq!(sizes(300, &typed(300)), (12, 2));
    assert_eq!(sizes(300_000, &typed(300_000)), (13, 2));
    // Elsewhere in own text, within 127 elements and further off.
    assert_eq!(sizes(300, &insert(id(1, 300), Anchor::after(id(1, 290)), "x")), (13, 3));
    assert_eq!(sizes(300, &insert(id(1, 300), Anchor::before(id(1, 99)), "x")), (14, 4));
    assert_eq!(sizes(300, &delete(id(1, 300), id(1, 299), 1, false)), (12, 2));
}

pub(super) fn random_op(dice: &mut Dice, next: &mut [Seq]) -> Op {
    let any = |dice: &mut Dice, next: &[Seq]| {
        let replica = dice.below(next.len());
        let seq =
            if dice.below(20) == 0 { dice.below(1 << 32) } else { dice.below(next[replica] as usize + 3) };
        id(replica as u64, u32::try_from(seq).unwrap())
    };
    let replica = if dice.below(3) > 0 { 0 } else { dice.below(next.len()) };
    if dice.below(8) == 0 {
        next[replica] += u32::try_from(1usize << dice.below(20)).unwrap();
    }
    let own = id(replica as u64, next[replica]);
    let back = |dice: &mut Dice| {
        let distance = 1 + if dice.below(3) == 0 { dice.below(400) } else { dice.below(3) };
        own.seq.checked_sub(u32::try_from(distance).unwrap()).map(|seq| OpId::new(own.replica, seq))
    };
    let element = if dice.below(2) == 0 { back(dice) } else { None }.unwrap_or_else(|| any(dice, next));
    let text = ["a", "\0", "bc", "é", "sevenb.", "eight b.", "😀", "日本日本"][dice.below(8)];
    let op = match dice.below(6) {
        0 => insert(own, Anchor::START, text),
        1 | 2 => insert(own, Anchor::after(element), text),
        3 => insert(own, Anchor::before(element), text),
        _ => {
            let most = [1, 9, 3000][dice.below(3)];
            let len = 1 + u32::try_from(dice.below(most)).unwrap();
            let descending = len > 1 && element.seq >= len;
            let len = if element.seq > u32::MAX - len { 1 } else { len };
            delete(own, element, len, descending && len > 1)
        }
    };
    next[replica] = own.seq + op.len();
    op
}

#[test]
fn every_list_of_operations_round_trips_in_both_forms_over_one_connection() {
    for seed in 0..300 {
        let mut dice = Dice(seed);
        let mut next = vec![0; 1 + dice.below(30)];
        let (mut sent, mut received) = (ReplicaNames::new(), ReplicaNames::new());
        for _ in 0..60 {
            let count = if dice.below(3) > 0 { 1 } else { dice.below(6) };
            let mut ops: Vec<Op> = (0..count).map(|_| random_op(&mut dice, &mut next)).collect();
            let bytes = encode_delta(&ops);
            ops.sort_by_key(|op| op.id);
            assert_eq!(bytes[0] >= 0x80, ops.len() != 1, "one run has one form");
            assert_eq!(decode_delta(&bytes, &Limits::DEFAULT).as_ref(), Ok(&ops), "seed {seed}");
            // Without names it goes through as well, and changes none.
            assert_eq!(decode_named(&bytes, &mut received).as_ref(), Ok(&ops), "seed {seed}");
            let named = encode_named(&ops, &mut sent);
            // A byte for each replica that gets a name, never more.
            assert!(named.len() <= bytes.len() + sent.len() - received.len(), "{named:x?} {bytes:x?}");
            if named != bytes {
                assert_eq!(decode_delta(&named, &Limits::DEFAULT), Err(DecodeError::WrongFormat));
            }
            assert_eq!(decode_named(&named, &mut received).as_ref(), Ok(&ops), "seed {seed}");
            assert_eq!(sent, received, "seed {seed}");
        }
        assert!(sent.len() <= next.len());
    }
}

#[test]
fn changed_bytes_are_refused_and_leave_the_names_or_are_the_one_form_of_what_they_say() {
    for seed in 0..3000 {
        let mut dice = Dice(seed);
        let mut next = vec![0; 1 + dice.below(4)];
        let mut names = ReplicaNames::new();
        for _ in 0..dice.below(4) {
            encode_named(&[random_op(&mut dice, &mut next)], &mut names);
        }
        let count = if dice.below(3) > 0 { 1 } else { 2 + dice.below(3) };
        let ops: Vec<Op> = (0..count).map(|_| random_op(&mut dice, &mut next)).collect();
        let sound =
            if dice.below(2) == 0 { encode_delta(&ops) } else { encode_named(&ops, &mut names.clone()) };
        for turn in 0..40 {
            let mut bytes = sound.clone();
            match turn {
                0 => bytes.truncate(dice.below(bytes.len())),
                1 => bytes.push(0),
                _ => {
                    for _ in 0..=dice.below(3) {
                        let at = dice.below(bytes.len());
                        bytes[at] = u8::try_from(dice.below(256)).unwrap();
                    }
                }
            }
            let mut after = names.clone();
            match decode_named(&bytes, &mut after) {
                Err(_) => assert_eq!(after, names, "seed {seed}"),
                Ok(ops) => {
                    let mut sent = names.clone();
                    let again = if bytes[0] < 0x40 || bytes[0] == 0xd2 {
                        encode_delta(&ops)
                    } else {
                        encode_named(&ops, &mut sent)
                    };
                    // In a table, replicas and blocks can be in another order.
                    if bytes[0] < 0xc0 {
                        assert_eq!(again, bytes, "seed {seed}: {ops:?}");
                        assert_eq!(after, sent, "seed {seed}");
                    }
                }
            }
            if turn == 0 && sound[0] < 0xc0 {
                assert!(decode_named(&bytes, &mut names.clone()).is_err(), "a part is no delta");
            }
        }
    }
}

#[test]
fn longer_forms_of_the_same_are_refused() {
    let refused = |bytes: &[u8], error| {
        let mut names = ReplicaNames::new();
        encode_named(&[insert(id(1, 0), Anchor::START, "abc")], &mut names);
        encode_named(&[insert(id(2, 0), Anchor::START, "abc")], &mut names);
        assert_eq!(decode_named(bytes, &mut names), Err(DecodeError::InvalidValue(error)), "{bytes:x?}");
    };
    let replica = |replica: u8| [replica, 0, 0, 0, 0, 0, 0, 0];
    let of = |parts: &[&[u8]]| parts.concat();
    // An own element by its name; a direction for one deletion; a number beyond the own ones.
    refused(&of(&[&[0x21], &replica(1), &[3], &replica(1), &[4], b"x"]), "own element");
    refused(&of(&[&[0x39], &replica(1), &[3], &replica(1), &[4]]), "own element");
    refused(&of(&[&[0x31], &replica(1), &[3, 0]]), "direction of one deletion");
    refused(&of(&[&[0x11], &replica(1), &[3, 2], b"x"]), "distance");
    refused(&of(&[&[0x09], &replica(1), &[0], b"x"]), "distance");
    // What goes on said by name or number; a replica that has a name already; a name that nobody has.
    refused(&[0x49, 2 << 1 | 1, b'x'], "name of a replica");
    refused(&[0x49, 2 << 1, 3, b'x'], "seq");
    refused(&of(&[&[0x49, 0], &replica(1), &[7], b"x"]), "name of a replica");
    refused(&[0x49, 3 << 1, 7, b'x'], "name of a replica");
    // One run as a table; text that no run has; one run counted.
    refused(&of(&[&[0xd2, 1], &replica(1), &[1], b"x", &[0, 0, 8]]), "count of runs");
    refused(&of(&[&[0xd2, 1], &replica(1), &[3], b"xyz", &[1, 0, 2, 8, 9]]), "length of the text");
    refused(&of(&[&[0xd2, 1], &replica(1), &[2], b"xy", &[1, 0, 1, 8]]), "run count");
    // Nothing is said yet that could go on.
    let nothing = decode_named(&[0x89, b'x'], &mut ReplicaNames::new());
    assert_eq!(nothing, Err(DecodeError::InvalidValue("name of a replica")));
}

#[test]
fn names_are_bounded_and_do_without_when_there_is_no_room() {
    let (mut sent, mut received) = (ReplicaNames::new(), ReplicaNames::new());
    let mut pass = |op: Op, sent: &mut ReplicaNames| {
        let bytes = encode_named(core::slice::from_ref(&op), sent);
        assert_eq!(decode_named(&bytes, &mut received), Ok(vec![op]));
        assert_eq!(received.len(), sent.len());
        bytes.len()
    };
    for replica in 0..MAX_NAMES as u64 - 1 {
        pass(insert(id(replica, 0), Anchor::START, "x"), &mut sent);
    }
    // There is room for one more, but two may be needed.
    assert_eq!(pass(insert(id(1 << 40, 0), Anchor::START, "x"), &mut sent), 11);
    assert_eq!(sent.len(), MAX_NAMES - 1);
    assert_eq!(pass(insert(id(7, 1), Anchor::after(id(9, 0)), "x"), &mut sent), 1 + 1 + 1 + 1 + 1);
    let many: Vec<Op> = (0..3).map(|n| insert(id((1 << 40) + n, 0), Anchor::START, "x")).collect();
    let bytes = encode_named(&many, &mut sent);
    assert_eq!(bytes, encode_delta(&many));
    // Who says more all the same is refused.
    let mut full = ReplicaNames::new();
    let many: Vec<Op> = (0..MAX_NAMES as u64).map(|n| insert(id(n, 0), Anchor::START, "x")).collect();
    encode_named(&many, &mut full);
    assert_eq!(full.len(), MAX_NAMES);
    let one_more = [0x41, 1, 0, 0, 0, 0, 0, 1, 0, 0, b'x'];
    let error = DecodeError::LimitExceeded("names of replicas");
    assert_eq!(decode_named(&one_more, &mut full), Err(error));
}

#[test]
fn text_is_checked_whole_and_at_its_cuts() {
    let two = [insert(id(1, 0), Anchor::START, "é"), insert(id(1, 1), Anchor::START, "日")];
    let sound = encode_delta(&two);
    assert_eq!(sound[11..16], *"é日".as_bytes());
    let mut cut = sound.clone();
    assert_eq!((cut[19], cut[20]), (2 << 3, 3 << 3));
    (cut[19], cut[20]) = (3 << 3, 2 << 3);
    assert_eq!(decode_delta(&cut, &Limits::DEFAULT), Err(DecodeError::InvalidText));
    let mut wrong = sound;
    wrong[12] = 0xff;
    assert_eq!(decode_delta(&wrong, &Limits::DEFAULT), Err(DecodeError::InvalidText));
    for byte in 0..=u8::MAX {
        let decoded = decode_delta(&[1, 1, 0, 0, 0, 0, 0, 0, 0, 0, byte], &Limits::DEFAULT);
        match String::from_utf8(vec![byte]) {
            Ok(text) => assert_eq!(decoded, Ok(vec![insert(id(1, 0), Anchor::START, &text)])),
            Err(_) => assert_eq!(decoded, Err(DecodeError::InvalidText)),
        }
    }
}
