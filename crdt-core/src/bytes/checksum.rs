/// The CRC-32C (Castagnoli, reflected polynomial 0x82F63B78) of `bytes`, as in RFC 3720.
///
/// O(bytes): sixteen at a time, but for WebAssembly, where the 16 KiB of tables would have to be shipped:
/// there byte by byte.
pub fn crc32c(bytes: &[u8]) -> u32 {
    !update(!0, bytes)
}

/// The CRC-32C of some bytes and then `bytes`, where `crc` is that of the former. O(bytes); else as [`crc32c`].
///
/// ```
/// use crdt_core::bytes::{crc32c, crc32c_on};
/// assert_eq!(crc32c_on(crc32c(b"1234"), b"56789"), crc32c(b"123456789"));
/// ```
pub fn crc32c_on(crc: u32, bytes: &[u8]) -> u32 {
    !update(!crc, bytes)
}

/// The register after `bytes`, byte by byte.
fn update_bytewise(crc: u32, bytes: &[u8]) -> u32 {
    bytes.iter().fold(crc, |crc, &byte| {
        let index = crc.to_le_bytes()[0] ^ byte;
        (crc >> 8) ^ FIRST[usize::from(index)]
    })
}

#[cfg(target_family = "wasm")]
use update_bytewise as update;
#[cfg(not(target_family = "wasm"))]
use wide::update;

static FIRST: [u32; 256] = table();

const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut index: u32 = 0;
    while index < 256 {
        let mut crc = index;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ POLYNOMIAL } else { crc >> 1 };
            bit += 1;
        }
        table[index as usize] = crc;
        index += 1;
    }
    table
}

const POLYNOMIAL: u32 = 0x82f6_3b78;

/// Short input as in Kounavis and Berry, *A systematic approach to building high performance software-based CRC
/// generators* (2005), with 16 tables. Long input is folded first, which takes no table.
///
/// Folding: let *Q* be a multiple of the polynomial. Adding *Q* × x^*n* to a message does not change its remainder, so
/// with few terms in *Q* the foremost bit of a message can be taken off by adding it to few bits behind. Squaring
/// doubles all exponents, *Q*(x)^128 = *Q*(x^128), so the same holds for words of 128 bits. There is
/// no multiple of four terms as short as 600 bytes; of the ones with six that of the lowest degree is
///
/// *Q* = x^209 + x^144 + x^54 + x^39 + x^14 + 1
///
/// (found by trying all; as used by Russell et al., *Chorba* (2024), for another polynomial).
#[cfg(not(target_family = "wasm"))]
mod wide {
    use super::{table, update_bytewise};

    const STEP: usize = 16;

    /// `TABLES[n][b]` is what byte `b` has become `n` bytes later.
    static TABLES: [[u32; 256]; STEP] = tables();

    const fn tables() -> [[u32; 256]; STEP] {
        let mut tables = [table(); STEP];
        let mut later = 1;
        while later < STEP {
            let mut index = 0;
            while index < 256 {
                let before = tables[later - 1][index];
                tables[later][index] = (before >> 8) ^ tables[0][(before & 0xff) as usize];
                index += 1;
            }
            later += 1;
        }
        tables
    }

    pub(super) fn update(crc: u32, bytes: &[u8]) -> u32 {
        match bytes.len().checked_sub(8 * PAST) {
            Some(more) if more >= 8 * CHUNK => {
                let (front, end) = bytes.split_at(more - more % (8 * BLOCK));
                update_folding(crc, front.as_chunks().0.as_chunks().0, end)
            }
            _ => update_one(crc, bytes),
        }
    }

    fn update_one(mut crc: u32, bytes: &[u8]) -> u32 {
        let (steps, end) = bytes.as_chunks::<STEP>();
        for bytes in steps {
            crc = step(crc, bytes);
        }
        update_bytewise(crc, end)
    }

    #[inline]
    fn step(crc: u32, bytes: &[u8; STEP]) -> u32 {
        let (&[low, ..], _) = bytes.as_chunks::<4>() else { return crc };
        let low = u32::from_le_bytes(low) ^ crc;
        let mut next = 0;
        for at in 0..4 {
            next ^= TABLES[STEP - 1 - at][(low >> (8 * at) & 0xff) as usize];
        }
        for at in 4..STEP {
            next ^= TABLES[STEP - 1 - at][usize::from(bytes[at])];
        }
        next
    }

    /// How far behind a word, in halves of 8 bytes, stand those that it is added to: degree less exponents, twice.
    const LAGS: [usize; 5] = [2 * (209 - 144), 2 * (209 - 54), 2 * (209 - 39), 2 * (209 - 14), PAST];
    const PAST: usize = 2 * 209;
    /// So many halves are folded at once, and so many before those that are still needed are moved to the front.
    const BLOCK: usize = 16;
    const CHUNK: usize = 64 * BLOCK;

    /// The halves that were taken off, each with what had been added to it. No word stands in two lines of the cache.
    #[repr(align(64))]
    struct Taken([u64; PAST + CHUNK]);

    /// `end` has at least [`PAST`] halves.
    fn update_folding(crc: u32, front: &[[[u8; 8]; BLOCK]], end: &[u8]) -> u32 {
        let Taken(taken) = &mut Taken([0; PAST + CHUNK]);
        // One that would stand so far in front of the first half is added to that and to no other.
        taken[0] = u64::from(crc);
        for chunk in front.chunks(CHUNK / BLOCK) {
            for (block, at) in chunk.iter().zip((PAST..).step_by(BLOCK)) {
                let folded = fold(taken, at, block);
                taken[at..at + BLOCK].copy_from_slice(&folded);
            }
            let done = BLOCK * chunk.len();
            taken.copy_within(done..done + PAST, 0);
        }
        taken[PAST..].fill(0);
        let (last, rest) = end.split_at(8 * PAST);
        let mut crc = 0;
        for (word, at) in last.as_chunks().0.as_chunks().0.iter().zip((PAST..).step_by(2)) {
            let [one, other] = fold(taken, at, word);
            crc = step(crc, &(u128::from(one) | u128::from(other) << 64).to_le_bytes());
        }
        update_one(crc, rest)
    }

    /// The halves that stand at `at`, with what is added to them.
    #[inline(always)]
    fn fold<const N: usize>(taken: &[u64; PAST + CHUNK], at: usize, halves: &[[u8; 8]; N]) -> [u64; N] {
        let mut folded = halves.map(u64::from_le_bytes);
        for lag in LAGS {
            for (half, taken) in folded.iter_mut().zip(&taken[at - lag..][..N]) {
                *half ^= taken;
            }
        }
        folded
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn matches_the_vectors_of_rfc_3720() {
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
        assert_eq!(crc32c(&[0; 32]), 0x8a91_36aa);
        assert_eq!(crc32c(&[0xff; 32]), 0x62a8_ab43);
    }

    #[test]
    fn many_bytes_at_once_give_what_one_after_the_other_does() {
        let bytes: Vec<u8> = (0..30_000u32).map(|at| at.wrapping_mul(0x9e37_79b9).to_be_bytes()[0]).collect();
        for len in (0..64).chain([4095, 7438, 7439, 7440, 7441, 7999, 11_536, 15_632, 20_001, 29_999]) {
            assert_eq!(crc32c(&bytes[..len]), !update_bytewise(!0, &bytes[..len]), "{len} bytes");
        }
    }
}
