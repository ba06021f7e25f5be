//! The memory allocator's settings.

/// Makes blocks of a megabyte and more go back to the system as soon as they are freed. By default, glibc raises that
/// threshold once large blocks have been freed. It then keeps them in its heaps, where freed columns of batches leave
/// holes of many megabytes.
pub(crate) fn give_back_large_memory() {
    #[cfg(target_env = "gnu")]
    #[expect(unsafe_code, reason = "the allocator is set by a function of the C library")]
    // SAFETY: mallopt takes two numbers, and is called before there is another thread.
    unsafe {
        const MEGABYTE: libc::c_int = 1 << 20;
        // If it refuses, the process only keeps more memory than it needs.
        let _ = libc::mallopt(libc::M_MMAP_THRESHOLD, MEGABYTE);
        let _ = libc::mallopt(libc::M_TRIM_THRESHOLD, MEGABYTE);
    }
}
