//! One read at a time: whatever changes while a read is under way is read once more afterwards.

/// Whether something shown is being read, and whether it changed meanwhile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Freshness {
    is_reading: bool,
    is_stale: bool,
}

impl Freshness {
    /// Something changed. True where a read has to begin now.
    #[must_use]
    pub fn want(&mut self) -> bool {
        if self.is_reading {
            self.is_stale = true;
            return false;
        }
        self.is_reading = true;
        true
    }

    /// The read came back. True where another has to begin now.
    #[must_use]
    pub fn done(&mut self) -> bool {
        self.is_reading = std::mem::take(&mut self.is_stale);
        self.is_reading
    }

    /// Whether a read is under way.
    pub const fn is_reading(&self) -> bool {
        self.is_reading
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_during_a_read_cause_one_more() {
        let mut freshness = Freshness::default();
        assert!(freshness.want());
        assert!(!freshness.want());
        assert!(!freshness.want());
        assert!(freshness.done());
        assert!(!freshness.done());
        assert!(freshness.want());
    }
}
