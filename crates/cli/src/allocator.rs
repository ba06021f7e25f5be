//! The memory allocator's settings.

/// Memory of a megabyte and more goes back to the system as soon as it is freed. Left to itself, glibc begins to keep such
/// pieces in its heaps once some were freed, where columns of batches leave holes of many megabytes.
pub(crate) fn give_back_large_memory() {
    #[cfg(target_env = "gnu")]
    #[expect(unsafe_code, reason = "the allocator is set by a function of the C library")]
    // SAFETY: mallopt takes two numbers, and is called before there is another thread.
    unsafe {
        const MEGABYTE: libc::c_int = 1 << 20;
        // Where it refuses, only more memory is kept.
        let _ = libc::mallopt(libc::M_MMAP_THRESHOLD, MEGABYTE);
        let _ = libc::mallopt(libc::M_TRIM_THRESHOLD, MEGABYTE);
    }
}
