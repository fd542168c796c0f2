//! The power goes at random moments; the index that survives may be of any earlier time.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use suda_domain::ports::Log;

use super::life::Random;
use super::*;
use crate::log::{SimulatedDisk, SimulatedFault};

const SEEDS: u64 = 60;
const ACTS: usize = 60;

/// A store whose log is on a disk that crashes.
struct World {
    random: Random,
    disk: SimulatedDisk,
    folder: tempfile::TempDir,
    lives: Vec<Life>,
    /// How many acts of each life were acknowledged.
    acknowledged: Vec<usize>,
}

impl World {
    fn new(seed: u64) -> Self {
        let lives = lives(seed * 100, ACTS);
        Self {
            random: Random(seed),
            disk: SimulatedDisk::new(seed),
            folder: tempfile::tempdir().expect("a folder"),
            acknowledged: vec![0; lives.len()],
            lives,
        }
    }

    fn index(&self, which: &str) -> PathBuf {
        self.folder.path().join(which)
    }

    fn open(&self) -> Option<ConversationLog> {
        let mut options = options().conversations;
        options.log.segment_bytes = 8 << 10;
        options.fatal = Arc::new(|_| {});
        let disk = Arc::new(self.disk.clone());
        match ConversationLog::open(disk, &self.index("now"), 1, None, options) {
            Ok((log, _)) => Some(log),
            // The only excuse for not opening is that the power went.
            Err(error) => {
                assert!(self.disk.is_off(), "{error}");
                None
            }
        }
    }

    /// Opens, checks, works until the power goes.
    async fn live_once(&mut self) {
        let changes = 1 + self.random.below(150);
        self.disk.inject(SimulatedFault::PowerLoss(changes));
        if let Some(log) = self.open() {
            self.check(&log).await;
            self.work(&log).await;
        }
        self.disk = self.disk.crash();
        self.choose_an_index();
    }

    async fn check(&mut self, log: &ConversationLog) {
        for (life, acknowledged) in self.lives.iter().zip(&mut self.acknowledged) {
            let loaded = log.load(life.conversation, 0).await.expect("load");
            let acts = life.acts_at(loaded.map_or(0, |loaded| loaded.summary.head));
            let may_be = *acknowledged..=*acknowledged + 1;
            assert!(may_be.contains(&acts), "{acts} of {acknowledged}");
            life.known(acts).check(life.conversation, log).await;
            *acknowledged = acts;
        }
    }

    async fn work(&mut self, log: &ConversationLog) {
        loop {
            let number = self.random.below(self.lives.len() as u64) as usize;
            let act = self.acknowledged[number];
            if act < ACTS {
                let append = self.lives[number].append(act);
                if log.append(append).await.is_err() {
                    assert!(self.disk.is_off());
                    return;
                }
                self.acknowledged[number] += 1;
            }
            match self.random.below(12) {
                0 if log.core.eraser.erase_all().is_err() => return,
                1 => {
                    log.core.index.flush().expect("flush");
                    self.keep_the_index();
                }
                2 => {
                    let at_a_time = 1 + self.random.below(3) as usize;
                    let merged = log.core.merger.merge(at_a_time, at_a_time, &mut || true);
                    if let Err(error) = merged {
                        assert!(self.disk.is_off(), "{error}");
                        return;
                    }
                }
                _ if self.acknowledged.iter().all(|acts| *acts == ACTS) => return,
                _ => {}
            }
        }
    }

    /// Puts a copy of the index as it is now aside.
    fn keep_the_index(&self) {
        fs::create_dir_all(self.index("earlier")).expect("a folder");
        let [from, to] = ["now", "earlier"].map(|which| self.index(which).join("data.mdb"));
        fs::copy(from, to).expect("a copy");
    }

    /// The index after the crash: what it was, what it was earlier, or none.
    fn choose_an_index(&mut self) {
        let chosen = self.random.below(3);
        if chosen == 0 {
            return;
        }
        let _ = fs::remove_dir_all(self.index("now"));
        if chosen == 1 && self.index("earlier").exists() {
            fs::create_dir_all(self.index("now")).expect("a folder");
            let [to, from] = ["now", "earlier"].map(|which| self.index(which).join("data.mdb"));
            fs::copy(from, to).expect("a copy");
        }
    }
}

#[tokio::test]
async fn what_was_acknowledged_survives_with_any_index() {
    for seed in 0..SEEDS {
        println!("seed {seed}");
        let mut world = World::new(seed);
        for _ in 0..6 {
            world.live_once().await;
        }
        world.disk.heal();
        let log = world.open().expect("a log");
        world.check(&log).await;
        log.core.eraser.erase_all().expect("erase");
        world.check(&log).await;
    }
}
