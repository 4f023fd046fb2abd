//! Counts what is on the heap, while asked to.
//!
//! Off, it costs one load and one branch an allocation, the same for every contender, so that the rows of time and those of
//! memory can run in one process.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, AtomicIsize, Ordering::Relaxed};

/// The system's allocator, with a count.
pub(crate) struct Counting;

static ON: AtomicBool = AtomicBool::new(false);
static LIVE: AtomicIsize = AtomicIsize::new(0);
static PEAK: AtomicIsize = AtomicIsize::new(0);

/// What a piece of work had on the heap, in bytes asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Heap {
    /// When it ended.
    pub(crate) live: isize,
    /// The most at any moment.
    pub(crate) peak: isize,
}

/// Counts what `work` allocates and does not free, and how much there was at once.
pub(crate) fn counted<T>(work: impl FnOnce() -> T) -> (T, Heap) {
    LIVE.store(0, Relaxed);
    PEAK.store(0, Relaxed);
    ON.store(true, Relaxed);
    let done = work();
    ON.store(false, Relaxed);
    (done, Heap { live: LIVE.load(Relaxed), peak: PEAK.load(Relaxed) })
}

fn grew(bytes: usize) {
    let bytes = bytes.cast_signed();
    let live = LIVE.fetch_add(bytes, Relaxed) + bytes;
    PEAK.fetch_max(live, Relaxed);
}

fn shrank(bytes: usize) {
    LIVE.fetch_sub(bytes.cast_signed(), Relaxed);
}

// SAFETY: every method passes its arguments to `System` as it got them and returns what `System` returned, so `System`'s
// promises are kept and its callers' are passed on. The counts are atomics and never allocate.
#[allow(unsafe_code)]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if ON.load(Relaxed) {
            grew(layout.size());
        }
        // SAFETY: the caller's promise for `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if ON.load(Relaxed) {
            grew(layout.size());
        }
        // SAFETY: the caller's promise for `alloc_zeroed`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        if ON.load(Relaxed) {
            shrank(layout.size());
        }
        // SAFETY: the caller's promise for `dealloc`; `at` came from `System`.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: the caller's promise for `realloc`; `at` came from `System`.
        let new = unsafe { System.realloc(at, layout, new_size) };
        if ON.load(Relaxed) {
            if new == at {
                shrank(layout.size());
                grew(new_size);
            } else {
                // Moved: for a moment both were there.
                grew(new_size);
                shrank(layout.size());
            }
        }
        new
    }
}
