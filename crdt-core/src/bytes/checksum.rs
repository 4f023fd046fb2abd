/// The CRC-32C (Castagnoli, reflected polynomial 0x82F63B78) of `bytes`, as in RFC 3720.
///
/// O(bytes): one table lookup each. Sixteen bytes at a time and two stretches side by side, but for
/// WebAssembly, where the 16 KiB of tables would have to be shipped: there byte by byte.
pub fn crc32c(bytes: &[u8]) -> u32 {
    !update(!0, bytes)
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

/// Kounavis and Berry, *A systematic approach to building high performance software-based CRC
/// generators* (2005), with 16 tables; the two stretches are joined as zlib's `crc32_combine` does.
#[cfg(not(target_family = "wasm"))]
mod wide {
    use super::{POLYNOMIAL, table, update_bytewise};

    const STEP: usize = 16;
    /// Shorter input is not worth joining two stretches.
    const WORTH_TWO: usize = 4096;

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
        if bytes.len() < WORTH_TWO {
            return update_one(crc, bytes);
        }
        let half = bytes.len() / (2 * STEP) * STEP;
        let (left, rest) = bytes.split_at(half);
        let (right, end) = rest.split_at(half);
        let (mut left_crc, mut right_crc) = (crc, 0);
        for (left, right) in left.as_chunks::<STEP>().0.iter().zip(right.as_chunks::<STEP>().0) {
            left_crc = step(left_crc, left);
            right_crc = step(right_crc, right);
        }
        update_bytewise(after_zeros(left_crc, half) ^ right_crc, end)
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

    /// What the register becomes after so many zero bytes: times x^(8 × `bytes`) modulo the polynomial.
    fn after_zeros(crc: u32, bytes: usize) -> u32 {
        // Bit 31 stands for x^0: one byte further is x^8.
        let (mut power, mut factor) = (1 << 31, 1 << 23);
        let mut rest = bytes;
        while rest > 0 {
            if rest & 1 == 1 {
                power = times(power, factor);
            }
            factor = times(factor, factor);
            rest >>= 1;
        }
        times(crc, power)
    }

    /// The product of two polynomials modulo the polynomial of the checksum.
    fn times(mut one: u32, other: u32) -> u32 {
        let mut product = 0;
        for bit in (0..32).rev() {
            if other >> bit & 1 == 1 {
                product ^= one;
            }
            one = if one & 1 == 1 { (one >> 1) ^ POLYNOMIAL } else { one >> 1 };
        }
        product
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
        let bytes: Vec<u8> = (0..10_000u32).map(|at| at.wrapping_mul(0x9e37_79b9).to_be_bytes()[0]).collect();
        for len in (0..64).chain([4095, 4096, 4097, 4127, 4128, 5000, 8191, 9999]) {
            assert_eq!(crc32c(&bytes[..len]), !update_bytewise(!0, &bytes[..len]), "{len} bytes");
        }
    }
}
