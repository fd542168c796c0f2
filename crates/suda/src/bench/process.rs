//! What a process has cost so far, and what the kernel holds, as `/proc` tells.

use std::fs;
use std::io;
use std::path::Path;

/// What a process has used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Processor time of all its threads, also of those that have ended, in microseconds.
    pub cpu_us: u64,
    /// Bytes that it made the system write to disks.
    pub written: u64,
    /// Bytes of its own memory that are resident: pages of mapped files belong to the system's cache.
    pub resident: u64,
}

impl Cost {
    /// Of the process with this id.
    ///
    /// # Errors
    /// If there is no such process, or the system does not tell.
    pub fn of(pid: u32) -> io::Result<Self> {
        let read = |name: &str| fs::read_to_string(format!("/proc/{pid}/{name}"));
        let ticks = ticks(&read("stat")?).ok_or(io::ErrorKind::InvalidData)?;
        let per_second = rustix::param::clock_ticks_per_second();
        Ok(Self {
            cpu_us: ticks * 1_000_000 / per_second,
            // Not everybody may read it.
            written: read("io").ok().and_then(|text| field(&text, "write_bytes:")).unwrap_or(0),
            resident: field(&read("status")?, "RssAnon:").unwrap_or(0) * 1024,
        })
    }

    /// What was used since `before`; memory as it is now.
    pub fn since(self, before: Self) -> Self {
        Self {
            cpu_us: self.cpu_us - before.cpu_us,
            written: self.written - before.written,
            resident: self.resident,
        }
    }
}

/// User and system time of `/proc/PID/stat`, in ticks. The second field is a name that may hold anything.
fn ticks(stat: &str) -> Option<u64> {
    let mut fields = stat[stat.rfind(')')? + 1..].split_ascii_whitespace();
    let user: u64 = fields.nth(11)?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

/// The number behind `name` at the beginning of a line.
fn field(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}

/// Bytes that the kernel holds for itself and for sockets, of all processes.
pub fn kernel_bytes() -> Option<u64> {
    let slab = field(&fs::read_to_string("/proc/meminfo").ok()?, "Slab:")? * 1024;
    let sockets = fs::read_to_string("/proc/net/sockstat").ok();
    let pages = sockets.and_then(|text| socket_pages(&text)).unwrap_or(0);
    Some(slab + pages * rustix::param::page_size() as u64)
}

/// Pages in the buffers of TCP sockets.
fn socket_pages(sockstat: &str) -> Option<u64> {
    let line = sockstat.lines().find_map(|line| line.strip_prefix("TCP:"))?;
    let mut words = line.split_ascii_whitespace();
    words.by_ref().find(|word| *word == "mem")?;
    words.next()?.parse().ok()
}

/// How often the disk under `folder` was told to flush, by whomever; `None` where the system does not tell.
pub fn flushes(folder: &Path) -> Option<u64> {
    let device = rustix::fs::stat(folder).ok()?.st_dev;
    let (major, minor) = (rustix::fs::major(device), rustix::fs::minor(device));
    disk_flushes(&fs::read_to_string("/proc/diskstats").ok()?, major, minor)
}

/// The number of completed flushes is the 16th behind the name.
fn disk_flushes(diskstats: &str, major: u32, minor: u32) -> Option<u64> {
    let of_device = |line: &&str| {
        let mut fields = line.split_ascii_whitespace();
        let mut is = |number: u32| fields.next().and_then(|field| field.parse().ok()) == Some(number);
        is(major) && is(minor)
    };
    diskstats.lines().find(of_device)?.split_ascii_whitespace().nth(18)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_behind_any_name() {
        let stat = "4711 (su) da x) S 1 2 3 4 5 6 7 8 9 10 250 750 1 2 20 0 5 0 100 200 300";
        assert_eq!(ticks(stat), Some(1_000));
        assert_eq!(ticks("4711 (suda) S 1 2"), None);
    }

    #[test]
    fn fields_are_found_by_name() {
        let status = "Name:\tsuda\nVmHWM:\t  9000 kB\nVmRSS:\t  8192 kB\n";
        assert_eq!(field(status, "VmRSS:"), Some(8_192));
        assert_eq!(field(status, "VmSwap:"), None);
        let sockstat = "sockets: used 100\nTCP: inuse 5 orphan 0 tw 0 alloc 6 mem 17\nUDP: inuse 1 mem 3\n";
        assert_eq!(socket_pages(sockstat), Some(17));
    }

    #[test]
    fn flushes_are_those_of_the_device() {
        let stats = "  7 0 loop0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17\n\
                     254 1 vda1 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 4711 99\n";
        assert_eq!(disk_flushes(stats, 254, 1), Some(4_711));
        assert_eq!(disk_flushes(stats, 254, 2), None);
    }

    #[test]
    fn this_process_has_cost_something() {
        let cost = Cost::of(std::process::id()).unwrap();
        assert!(cost.resident > 100_000, "{cost:?}");
        assert!(Cost::of(u32::MAX).is_err());
    }
}
