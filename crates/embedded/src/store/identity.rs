//! The file `store.json`: what the data folder is, beside what can be derived from the log.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The form of the data folder.
pub const FORM: u32 = 1;
/// The file's name.
pub const NAME: &str = "store.json";

/// What stands in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The form of the data folder, [`FORM`].
    pub form: u32,
    /// The log in it; unknown only until it was opened for the first time.
    pub log_id: Option<Uuid>,
    /// The epoch of all conversations in it.
    pub epoch: u32,
}

/// Why the file could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The file system refused.
    #[error("{path} cannot be used: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It is not what any version wrote.
    #[error("{path} is damaged: {source}; put it back from a backup")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// It is not there although there is a log.
    #[error("{path} is missing: put it back from a backup")]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// A later version of Suda has written it.
    #[error(
        "{path} has form {found}, this version of Suda knows forms up to {FORM}: \
         run the version that wrote it"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// The form found.
        found: u32,
    },
}

impl Identity {
    /// That of a new data folder.
    pub const NEW: Self = Self { form: FORM, log_id: None, epoch: 1 };

    /// Reads the file in `folder`; `None` if it is not there.
    pub fn read(folder: &Path) -> Result<Option<Self>, IdentityError> {
        #[derive(Deserialize)]
        struct Form {
            form: u32,
        }
        let path = folder.join(NAME);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(IdentityError::Io { path, source }),
        };
        let malformed = |source| IdentityError::Malformed { path: path.clone(), source };
        // A later form may lack the other fields.
        let Form { form: found } = serde_json::from_slice(&bytes).map_err(malformed)?;
        if found > FORM {
            return Err(IdentityError::Newer { path, found });
        }
        serde_json::from_slice(&bytes).map(Some).map_err(malformed)
    }

    /// Writes the file in `folder`: after a crash there is the old one or this one.
    pub fn write(&self, folder: &Path) -> Result<(), IdentityError> {
        let path = folder.join(NAME);
        let write = || {
            let next = folder.join(format!("{NAME}.new"));
            let mut file = File::create(&next)?;
            file.write_all(&serde_json::to_vec(self)?)?;
            file.sync_all()?;
            fs::rename(&next, &path)?;
            sync_folder(folder)
        };
        write().map_err(|source| IdentityError::Io { path: path.clone(), source })
    }

    /// The same store with a history that devices may not have seen. Restoring one backup twice
    /// yields two histories, so the clock takes part, in seconds since 1970.
    pub fn with_next_epoch(self) -> Self {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH);
        let seconds = since_1970.map_or(0, |time| time.as_secs());
        let seconds = u32::try_from(seconds).unwrap_or(0);
        let epoch = seconds.max(self.epoch + 1);
        Self { epoch, ..self }
    }
}

/// Makes creations and renamings in `folder` durable.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
