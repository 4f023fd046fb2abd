//! What a target may allocate for an input.

#[path = "../benches/src/bin/compare/heap.rs"]
#[allow(dead_code)]
mod heap;

#[global_allocator]
static ALLOCATOR: heap::Counting = heap::Counting;

/// Reads bytes from outside, which may take so many bytes for each of them, and `free` more.
pub(crate) fn bounded<T>(input: &[u8], free: usize, read: impl FnOnce(&[u8]) -> T) {
    /// An element of a document in the tree, its index and its log.
    const BYTES_A_BYTE: usize = 512;
    let (read, counted) = heap::counted(|| read(input));
    drop(read);
    let limit = free + BYTES_A_BYTE * input.len();
    assert!(
        counted.peak.cast_unsigned() <= limit,
        "{} bytes on the heap for {} of the input",
        counted.peak,
        input.len()
    );
}
