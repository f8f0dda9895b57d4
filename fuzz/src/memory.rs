//! An allocator with a limit. To go past it ends the process, which the fuzzer reports with the
//! input like any other crash.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Runs `part`, which may have at most `bytes` more than there are now.
pub fn within(bytes: usize, part: impl FnOnce()) {
    MOST.store(NOW.load(Relaxed) + bytes, Relaxed);
    part();
    MOST.store(usize::MAX, Relaxed);
}

static NOW: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(usize::MAX);

#[global_allocator]
static LIMITED: Limited = Limited;

struct Limited;

/// Whether there is room for so many bytes more; then they are counted.
fn takes(bytes: usize) -> bool {
    let is_room = NOW.load(Relaxed).saturating_add(bytes) <= MOST.load(Relaxed);
    if is_room {
        NOW.fetch_add(bytes, Relaxed);
    }
    is_room
}

// SAFETY: every call goes to the system's allocator as it is, or gives null as if it had failed.
unsafe impl GlobalAlloc for Limited {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if takes(layout.size()) {
            unsafe { System.alloc(layout) }
        } else {
            std::ptr::null_mut()
        }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if takes(layout.size()) {
            unsafe { System.alloc_zeroed(layout) }
        } else {
            std::ptr::null_mut()
        }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Relaxed);
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if !takes(size.saturating_sub(layout.size())) {
            return std::ptr::null_mut();
        }
        NOW.fetch_sub(layout.size().saturating_sub(size), Relaxed);
        unsafe { System.realloc(at, layout, size) }
    }
}
