//! The process dies at each named place of log, erasure and index; afterwards everything that it
//! had acknowledged is there, and everything else follows from it.
//!
//! The dying process is this test program itself, started again to run only [`dying_process`].

use std::io::Write;
use std::process::{Command, Stdio};

use suda_domain::ports::Log;

use super::super::check::check;
use super::*;

const FOLDER: &str = "SUDA_STORE_TEST_FOLDER";
const SEED: u64 = 8;
/// More acts than any of the deaths lets happen.
const ACTS: usize = 400;

/// Lives, and says on standard output what was acknowledged. Does nothing unless it is started by
/// the test below.
#[tokio::test]
async fn dying_process() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    let mut options = options();
    options.conversations.log.segment_bytes = 16 << 10;
    let store = Store::open(Path::new(&folder), options).await.expect("a store");
    let lives = lives(SEED, ACTS);
    for act in 0..ACTS {
        for (number, life) in lives.iter().enumerate() {
            let appended = store.conversations.append(life.append(act)).await;
            appended.expect("an append");
            let mut out = std::io::stdout().lock();
            writeln!(out, "kept {number} {}", act + 1).expect("say");
            out.flush().expect("say");
        }
        if act % 7 == 6 {
            store.erase().await.expect("erase");
        }
        if act % 10 == 9 {
            store.conversations.core.index.flush().expect("flush");
        }
        if act % 13 == 12 {
            store.conversations.core.merger.merge(2, 2, &mut || true).expect("merge");
        }
    }
}

/// Lets a process die at `point` and checks what it leaves. Returns how many acts of each life it
/// had acknowledged.
async fn dies_at(point: &str, nth: u32) -> Vec<usize> {
    let folder = tempfile::tempdir().expect("a folder");
    let test = format!("{}::dying_process", module_path!().split_once("::").expect("a path").1);
    let output = Command::new(std::env::current_exe().expect("a program"))
        .args(["--exact", &test, "--nocapture"])
        .env(FOLDER, folder.path())
        .env("SUDA_FAULT", format!("{point}:{nth}"))
        .stdin(Stdio::null())
        .output()
        .expect("a process");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains(&format!("fault point {point} reached")), "{said}");
    let lives = lives(SEED, ACTS);
    let mut acknowledged = vec![0; lives.len()];
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let numbers = line.split_once("kept ").and_then(|(_, rest)| rest.split_once(' '));
        if let Some((number, acts)) = numbers {
            let number: usize = number.parse().expect("a number");
            acknowledged[number] = acts.parse().expect("a number");
        }
    }
    check(folder.path(), &mut |_| {}).await.expect("sound");
    let store = open(folder.path()).await;
    let mut deleted = Vec::new();
    for (life, acknowledged) in lives.iter().zip(&acknowledged) {
        let loaded = store.conversations.load(life.conversation, 0).await.expect("load");
        let acts = life.acts_at(loaded.map_or(0, |loaded| loaded.summary.head));
        let may_be = *acknowledged..=acknowledged + 1;
        assert!(may_be.contains(&acts), "{point}: {acts} of {acknowledged}");
        let known = life.known(acts);
        known.check(life.conversation, &store.conversations).await;
        deleted.extend(known.deleted_texts());
    }
    store.erase().await.expect("erase");
    let bytes = String::from_utf8_lossy(&every_byte(folder.path())).into_owned();
    for text in deleted {
        assert!(!bytes.contains(&text), "{point}: {text} is in a file");
    }
    store.close().await.expect("close");
    acknowledged
}

async fn dies_at_each(points: &[&str], deaths: &[u32]) {
    for point in points {
        for nth in deaths {
            let acknowledged = dies_at(point, *nth).await;
            let most = *deaths.last().expect("a death");
            assert!(*nth < most || acknowledged[0] > 10, "{point} comes early: {acknowledged:?}");
        }
    }
}

#[tokio::test]
async fn at_each_place_of_the_log() {
    let points = ["log.before_write", "log.mid_write", "log.after_write", "log.after_sync"];
    dies_at_each(&points, &[2, 90]).await;
    dies_at_each(&["log.after_publish", "log.after_done"], &[1, 90]).await;
    let points = ["segment.before_seal", "segment.after_seal", "segment.after_create"];
    dies_at_each(&points, &[3]).await;
}

#[tokio::test]
async fn at_each_place_of_an_erasure() {
    let points = ["erase.before_write", "erase.mid", "erase.after_write", "erase.after_sync"];
    dies_at_each(&points, &[1, 5]).await;
}

#[tokio::test]
async fn at_each_place_of_a_merge() {
    let points = ["merge.before_write", "merge.mid_write", "merge.before_rename", "merge.after_rename"];
    dies_at_each(&points, &[1, 4]).await;
    let points = ["merge.after_sync", "merge.mid_runs", "merge.after_flush", "merge.before_retire"];
    dies_at_each(&points, &[1, 4]).await;
    dies_at_each(&["merge.mid_retire", "merge.after_retire", "erase.sorted"], &[1, 4]).await;
}

#[tokio::test]
async fn at_each_place_of_the_index() {
    let points = ["index.before_apply", "index.mid_apply", "index.after_apply"];
    dies_at_each(&points, &[1, 4]).await;
}
