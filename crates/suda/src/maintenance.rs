//! Care for the data folder: `suda backup`, `suda restore`, `suda check`.

use std::path::Path;

use axum::http::Method;
use serde_json::json;
use suda_embedded::store::{self, CheckStep};

use crate::admin::operator::{Question, Running};
use crate::config::Config;
use crate::folder::{self, Folder};
use crate::progress::Progress;
use crate::stop::{Stop, while_trying};

/// Copies everything to a new folder; a running server does it itself.
pub fn backup(config: &Config, to: &Path) -> Result<(), Stop> {
    // The server has another current folder than this command.
    let to = std::path::absolute(to).map_err(while_trying("find the folder to make"))?;
    folder::require(&config.data)?;
    crate::block_on(async {
        match Running::find(config).await? {
            Some(server) => {
                let question = Question::new(Method::POST, &["backup"]).body(json!({ "to": to }));
                Progress::of("backing up").until(server.ask(question)).await?;
            }
            None => {
                let folder = Folder::open_existing(config).await?;
                let copied = Progress::of("backing up").until(folder.store().backup(&to)).await;
                folder.close().await?;
                copied?;
            }
        }
        Ok(())
    })?;
    let to = to.display();
    crate::print(&format!("backed up to {to}\nto bring it back: suda restore --from {to} --data FOLDER\n"))
}

/// Makes a data folder from a backup.
pub fn restore(config: &Config, from: &Path) -> Result<(), Stop> {
    let restoring = async { Ok(Progress::of("restoring").until(store::restore(from, &config.data)).await?) };
    let epoch = crate::block_on(restoring)?;
    let data = config.data.display();
    crate::print(&format!(
        "restored to {data}, epoch {epoch}: devices reload what differs\nto serve it: suda serve --data {data}\n"
    ))
}
