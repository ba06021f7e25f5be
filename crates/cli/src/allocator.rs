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

/// Gives memory back to the system from time to time, for the rest of the process. Threads of large work leave the
/// pages of their small pieces in the middle of heaps, which the threshold of `give_back_large_memory` does not reach.
/// They would be kept for the next such work, which may never come.
#[cfg(target_env = "gnu")]
pub(crate) fn give_back_from_time_to_time() {
    const PERIOD: std::time::Duration = std::time::Duration::from_secs(5);
    const WORTH_IT: u64 = 32 << 20;
    const MOST_ROUNDS: u32 = 64;
    let run = || {
        let (mut after_last, mut rounds) = (resident_bytes(), 0_u32);
        loop {
            std::thread::sleep(PERIOD);
            let now = resident_bytes();
            after_last = after_last.min(now);
            let has_grown = now.saturating_sub(after_last) > WORTH_IT;
            rounds = if has_grown { 0 } else { rounds.saturating_add(1) };
            // What was still in use when memory was given back may be free by now, which no growth tells: it is tried
            // again after 5 s, 10 s, 20 s … 320 s.
            if has_grown || rounds.is_power_of_two() && rounds <= MOST_ROUNDS {
                trim();
                after_last = resident_bytes();
            }
        }
    };
    if let Err(error) = std::thread::Builder::new().name("memory".to_owned()).spawn(run) {
        tracing::warn!(%error, "memory goes back to the system late");
    }
}

#[cfg(not(target_env = "gnu"))]
pub(crate) fn give_back_from_time_to_time() {}

#[cfg(target_env = "gnu")]
fn trim() {
    #[expect(unsafe_code, reason = "the allocator is told by a function of the C library")]
    // SAFETY: it takes the allocator's own locks, and frees only pages in which nothing is allocated.
    unsafe {
        libc::malloc_trim(0);
    }
}

/// The memory that the process has; 0 where the system does not tell.
#[cfg(target_env = "gnu")]
fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix("kB"));
    resident.and_then(|kilobytes| kilobytes.trim().parse::<u64>().ok()).unwrap_or(0).saturating_mul(1024)
}
