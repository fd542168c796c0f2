//! Backups made while everything goes on, and brought back.

use super::super::backup::{BackupError, restore};
use super::*;

#[tokio::test]
async fn a_backup_in_use_is_a_prefix() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = tempfile::tempdir().expect("a folder");
    let backup = place.path().join("backup");
    let restored = place.path().join("restored");
    let lives = lives(7, 160);
    let store = open(folder.path()).await;
    live(&store.conversations, &lives, 0..60).await;
    store.erase().await.expect("erase");
    let erasing = async {
        for act in 60..160 {
            live(&store.conversations, &lives, act..act + 1).await;
            store.erase().await.expect("erase");
        }
    };
    let (backed_up, ()) = tokio::join!(store.backup(&backup), erasing);
    backed_up.expect("a backup");
    assert!(matches!(store.backup(&backup).await, Err(BackupError::Exists { .. })));

    let epoch = restore(&backup, &restored).await.expect("restore");
    assert!(epoch > 1, "devices load their conversations anew");
    let copy = open(&restored).await;
    assert_eq!(copy.report().epoch, epoch);
    assert!(copy.report().index_was_rebuilt);
    let mut ends = Vec::new();
    for life in &lives {
        let acts = check_prefix(&copy.conversations, life).await;
        assert!(acts >= 60, "what was acknowledged before is in the backup");
        ends.push(acts);
    }
    let spread = ends.iter().max().zip(ends.iter().min());
    assert!(spread.is_some_and(|(most, least)| most - least <= 1), "one point in time: {ends:?}");
    copy.close().await.expect("close");
    let again = restore(&backup, &restored).await;
    assert!(matches!(again, Err(BackupError::Exists { .. })), "a folder in use is not overwritten");
    let nothing = restore(place.path(), &place.path().join("new")).await;
    assert!(matches!(nothing, Err(BackupError::NotABackup { .. })));
    let left: Vec<_> = std::fs::read_dir(place.path()).expect("a folder").collect();
    assert_eq!(left.len(), 2, "nothing unfinished is left: {left:?}");
}

/// Whether the conversation is as it was at some time; answers after how many acts.
async fn check_prefix(log: &ConversationLog, life: &Life) -> usize {
    use suda_domain::ports::Log;
    let loaded = log.load(life.conversation, 0).await.expect("load");
    let head = loaded.map_or(0, |loaded| loaded.summary.head);
    let acts = life.acts_at(head);
    life.known(acts).check(life.conversation, log).await;
    acts
}
