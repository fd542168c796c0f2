//! Named places where a test lets the process die, to see what a crash there leaves behind.
//!
//! `SUDA_FAULT=point:nth` aborts the process when `point` is reached for the `nth` time (from 1).
//! Builds without debug assertions contain none of this.

/// Aborts the process here if it was asked for.
#[inline]
pub fn point(name: &str) {
    point_after(name, || {});
}

/// Runs `partial`, then aborts the process, if it was asked for. Otherwise does nothing: for
/// places in the middle of a step, where `partial` does the first part of it.
#[inline]
pub fn point_after(name: &str, partial: impl FnOnce()) {
    #[cfg(debug_assertions)]
    if plan::reached(name) {
        partial();
        eprintln!("fault point {name} reached: aborting");
        std::process::abort();
    }
    #[cfg(not(debug_assertions))]
    let _ = (name, partial);
}

#[cfg(debug_assertions)]
mod plan {
    //! What the environment asks for, read once.

    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    /// One place, and how often to pass it.
    #[derive(Debug, PartialEq, Eq)]
    pub(super) struct Plan {
        pub name: String,
        pub nth: u64,
    }

    static PLAN: LazyLock<Option<Plan>> = LazyLock::new(|| {
        let text = std::env::var("SUDA_FAULT").ok()?;
        let plan = parse(&text);
        if plan.is_none() {
            // A test that believes to inject a fault and does not would prove nothing.
            eprintln!("SUDA_FAULT must be point:nth or point:nth:abort, not {text:?}");
            std::process::abort();
        }
        plan
    });
    static PASSED: AtomicU64 = AtomicU64::new(0);

    /// Counts the pass and says whether it is the one.
    pub(super) fn reached(name: &str) -> bool {
        match &*PLAN {
            Some(plan) if plan.name == name => PASSED.fetch_add(1, Ordering::Relaxed) + 1 == plan.nth,
            _ => false,
        }
    }

    pub(super) fn parse(text: &str) -> Option<Plan> {
        let text = text.strip_suffix(":abort").unwrap_or(text);
        let (name, nth) = text.rsplit_once(':')?;
        let nth = nth.parse().ok().filter(|nth| *nth > 0)?;
        let name = Some(name).filter(|name| !name.is_empty() && !name.contains(':'))?;
        Some(Plan { name: name.to_owned(), nth })
    }
}

#[cfg(all(test, debug_assertions))]
mod tests {
    use super::plan::{Plan, parse};

    #[test]
    fn reads_the_environments_wish() {
        let plan = |nth| Some(Plan { name: "log.after_sync".to_owned(), nth });
        assert_eq!(parse("log.after_sync:3"), plan(3));
        assert_eq!(parse("log.after_sync:1:abort"), plan(1));
        for wrong in ["", "log.after_sync", "log.after_sync:0", ":1", "a:1:sleep"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
