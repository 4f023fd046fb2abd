//! Writes LZ4 blocks, as in *LZ4 Block Format Description* of the LZ4 project; whoever reads LZ4 reads them.
//!
//! A reader takes as long for a short match as for a long one, so only long ones are written: the text of automerge-paper
//! comes out 5 % larger than from lz4_flex, which takes all, and is read in three fifths of the time.

use alloc::vec;
use alloc::vec::Vec;
use core::mem;

/// A match is so long at least: what is looked up at once.
const MATCH: usize = 8;
/// How far behind its first copy a match may stand.
const WINDOW: usize = 0xffff;
/// The format leaves out the first bytes of a match from its length.
const SHORTEST: usize = 4;
/// So many bytes end a block that no match starts in, and so many that none reaches.
const LAST_START: usize = 12;
const LAST_LITERALS: usize = 5;

/// The table has a place for each bit of these, but for short input.
const MOST_BITS: u32 = 14;
const FEWEST_BITS: u32 = 8;

/// So many misses after a match it goes on by two bytes, after twice as many by three.
const PATIENCE: usize = 64;

/// Appends the block of `input`, which is shorter than 2^32. O(bytes).
pub(super) fn compress(input: &[u8], out: &mut Vec<u8>) {
    let mut literals = 0;
    if let Some(last_start) = input.len().checked_sub(LAST_START) {
        let mut seen = Seen::of(input.len());
        let reach = input.len() - LAST_LITERALS;
        let mut at = 1;
        let mut misses = 0;
        while at <= last_start {
            let here = word(input, at);
            let copied = seen.replace(here, at);
            let distance = at - copied;
            if word(input, copied) != here || distance > WINDOW {
                misses += 1;
                at += 1 + misses / PATIENCE;
                continue;
            }
            misses = 0;
            let end = same_until(input, at + MATCH, distance, reach);
            while at > literals && at > distance && input[at - 1] == input[at - 1 - distance] {
                at -= 1;
            }
            write_match(out, &input[literals..], at - literals, distance, end - at);
            (literals, at) = (end, end);
            // What comes next may go on from inside.
            if at <= last_start {
                seen.replace(word(input, at - 2), at - 2);
            }
        }
    }
    write_literals(out, &input[literals..], 0);
}

/// Where words were seen last, by a hash of them.
struct Seen {
    places: Vec<u32>,
    shift: u32,
}

impl Seen {
    fn of(bytes: usize) -> Self {
        let bits = bytes.ilog2().clamp(FEWEST_BITS, MOST_BITS);
        Self { places: vec![0; 1 << bits], shift: u32::BITS - bits }
    }

    /// Where the word of this hash was seen last, at 0 if it was not; it is seen at `at` now.
    #[inline(always)]
    fn replace(&mut self, word: u64, at: usize) -> usize {
        let high = (word.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32 & 0xffff_ffff) as u32;
        let place = high >> self.shift;
        mem::replace(&mut self.places[place as usize], low(at)) as usize
    }
}

/// A place in the input, which is shorter.
fn low(at: usize) -> u32 {
    (at as u64 & 0xffff_ffff) as u32
}

#[inline(always)]
fn word(input: &[u8], at: usize) -> u64 {
    input[at..].first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

/// The first place from `at` on, `reach` at the latest, whose byte is not the one `distance` before it.
#[inline]
fn same_until(input: &[u8], mut at: usize, distance: usize, reach: usize) -> usize {
    while at + 8 <= reach {
        let differ = word(input, at) ^ word(input, at - distance);
        if differ != 0 {
            return at + differ.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    while at < reach && input[at] == input[at - distance] {
        at += 1;
    }
    at.min(reach)
}

/// Appends the first `literals` of `input`, and behind them a match of `len` bytes.
#[inline(always)]
fn write_match(out: &mut Vec<u8>, input: &[u8], literals: usize, distance: usize, len: usize) {
    let more = len - SHORTEST;
    let byte = |number: usize| number.to_le_bytes()[0];
    match input.first_chunk::<14>() {
        // Of a known length and cut: so many that nobody knows beforehand are a call.
        Some(first) if literals < 15 => {
            let end = out.len() + 1 + literals;
            out.push(byte(literals << 4 | more.min(15)));
            out.extend_from_slice(first);
            out.truncate(end);
        }
        _ => write_literals(out, &input[..literals], more.min(15)),
    }
    out.extend_from_slice(&[byte(distance), byte(distance >> 8)]);
    if more >= 15 {
        write_rest(out, more - 15);
    }
}

/// Appends literals and what the byte in front of them says of the match behind them.
fn write_literals(out: &mut Vec<u8>, literals: &[u8], more: usize) {
    out.push((literals.len().min(15) << 4 | more).to_le_bytes()[0]);
    if literals.len() >= 15 {
        write_rest(out, literals.len() - 15);
    }
    out.extend_from_slice(literals);
}

/// Appends what a length has more than fits into half a byte.
fn write_rest(out: &mut Vec<u8>, rest: usize) {
    out.resize(out.len() + rest / 255, 255);
    out.push((rest % 255).to_le_bytes()[0]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dice::Dice;

    fn check(input: &[u8]) -> usize {
        let mut block = Vec::new();
        compress(input, &mut block);
        let mut out = vec![0; input.len()];
        assert_eq!(lz4_flex::block::decompress_into(&block, &mut out).ok(), Some(input.len()));
        assert!(out == input, "{} bytes came out as others", input.len());
        block.len()
    }

    /// Texts of few words, so that there are matches of all lengths at all distances, also at the end.
    #[test]
    fn what_is_written_is_read_again() {
        let mut dice = Dice(11);
        for round in 0..3000 {
            let len = dice.below([40, 300, 5000][round % 3]);
            let mut input: Vec<u8> = Vec::new();
            while input.len() < len {
                if input.is_empty() || dice.below(3) == 0 {
                    let most = [3, 40, 700][dice.below(3)];
                    let fresh = 1 + dice.below(most);
                    input.extend((0..fresh).map(|_| dice.below(256).to_le_bytes()[0]));
                } else {
                    // A copy, which may go on into itself.
                    let from = dice.below(input.len());
                    let most = [6, 30, 600][dice.below(3)];
                    for at in from..from + 1 + dice.below(most) {
                        input.push(input[at]);
                    }
                }
            }
            input.truncate(len);
            assert!(check(&input) <= input.len() + input.len() / 255 + 16);
        }
    }

    #[test]
    fn lengths_and_distances_at_their_limits_are_read_again() {
        for len in (0..40).chain(250..300).chain(520..560) {
            check(&vec![b'a'; len]);
            let distinct: Vec<u8> = (0..len).map(|at| at.wrapping_mul(167).to_le_bytes()[0]).collect();
            check(&distinct);
            check(&[&distinct[..], &distinct[..]].concat());
        }
        let mut dice = Dice(5);
        for distance in [0xfffe, 0xffff, 0x1_0000, 0x1_0001] {
            let noise: Vec<u8> = (0..distance).map(|_| dice.below(256).to_le_bytes()[0]).collect();
            let twice = [&noise[..], &noise[..]].concat();
            let is_near = distance <= WINDOW;
            assert_eq!(
                check(&twice) < twice.len() - twice.len() / 4,
                is_near,
                "copied from {distance} before"
            );
        }
        assert!(check(&vec![0; 1 << 20]) < 1 << 13);
    }
}
