//! TLS: reads the certificate and its key, and reads them again when they change.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum_server::tls_rustls::RustlsConfig;
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::signal::unix::Signal;

/// How often the files are looked at.
const LOOK_INTERVAL: Duration = Duration::from_secs(30);

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The file system's answer.
        source: io::Error,
    },
    /// A file does not hold what it should.
    #[error("{} holds no {what} in PEM form", path.display())]
    NotPem {
        /// The file.
        path: PathBuf,
        /// What it should hold.
        what: &'static str,
    },
    /// The key is not the certificate's, or of a kind that is not known.
    #[error("{} and {} do not fit together: {source}", cert.display(), key.display())]
    Unusable {
        /// The certificate's file.
        cert: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// What the library says.
        source: rustls::Error,
    },
}

/// A certificate in two files, as it is served now.
pub struct Certificate {
    cert: PathBuf,
    key: PathBuf,
    seen: Seen,
    served: RustlsConfig,
}

/// Times and sizes of the two files; absent where one cannot be looked at.
type Seen = [Option<(SystemTime, u64)>; 2];

impl Certificate {
    /// Reads the certificate and its key.
    pub fn read(cert: &Path, key: &Path) -> Result<Self, TlsError> {
        // Looked at before reading, so that a change in between is found later.
        let seen = look(cert, key);
        let served = RustlsConfig::from_config(server_config(cert, key)?);
        Ok(Self { cert: cert.to_owned(), key: key.to_owned(), seen, served })
    }

    /// What the listener serves; it follows every reload.
    pub fn served(&self) -> RustlsConfig {
        self.served.clone()
    }

    /// Reloads when the files change, and whenever the signal `asks` for it; never returns.
    pub async fn follow(mut self, mut asks: Signal) {
        let mut look = tokio::time::interval(LOOK_INTERVAL);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let is_asked = tokio::select! {
                _ = look.tick() => false,
                _ = asks.recv() => true,
            };
            if self.look_again() || is_asked {
                self.reload();
            }
        }
    }

    /// Whether the files have changed since the last call.
    fn look_again(&mut self) -> bool {
        let now = look(&self.cert, &self.key);
        let changed = now != self.seen;
        self.seen = now;
        changed
    }

    /// What cannot be used changes nothing: the certificate that was served stays.
    fn reload(&self) {
        match server_config(&self.cert, &self.key) {
            Ok(config) => {
                self.served.reload_from_config(config);
                tracing::info!("the TLS certificate was reloaded");
            }
            Err(error) => {
                tracing::error!("the TLS certificate was not reloaded, the former one stays: {error}")
            }
        }
    }
}

fn look(cert: &Path, key: &Path) -> Seen {
    [cert, key].map(|path| {
        let metadata = fs::metadata(path).ok()?;
        Some((metadata.modified().ok()?, metadata.len()))
    })
}

fn server_config(cert: &Path, key: &Path) -> Result<Arc<ServerConfig>, TlsError> {
    let not_pem = |path: &Path, what| TlsError::NotPem { path: path.to_owned(), what };
    let chain: Result<Vec<_>, pem::Error> = CertificateDer::pem_slice_iter(&read(cert)?).collect();
    let chain = chain.ok().filter(|chain| !chain.is_empty());
    let chain = chain.ok_or_else(|| not_pem(cert, "certificate"))?;
    let private = PrivateKeyDer::from_pem_slice(&read(key)?);
    let private = private.map_err(|_| not_pem(key, "private key"))?;
    let unusable = |source| TlsError::Unusable { cert: cert.to_owned(), key: key.to_owned(), source };
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(unusable)?
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .map_err(unusable)?;
    // WebSocket needs HTTP/1.1, and nothing here gains from HTTP/2.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    fs::read(path).map_err(|source| TlsError::Unreadable { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(folder: &Path) -> (PathBuf, PathBuf) {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let (cert, key) = (folder.join("cert.pem"), folder.join("key.pem"));
        fs::write(&cert, made.cert.pem()).unwrap();
        fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        (cert, key)
    }

    #[test]
    fn a_change_is_seen_once_and_a_bad_one_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (cert, key) = write(folder.path());
        let mut certificate = Certificate::read(&cert, &key).unwrap();
        let first = certificate.served().get_inner();
        assert!(!certificate.look_again());

        fs::write(&cert, "half a certificate").unwrap();
        assert!(certificate.look_again());
        certificate.reload();
        assert!(Arc::ptr_eq(&first, &certificate.served().get_inner()));
        assert!(!certificate.look_again());

        write(folder.path());
        assert!(certificate.look_again());
        certificate.reload();
        assert!(!Arc::ptr_eq(&first, &certificate.served().get_inner()));
    }

    #[test]
    fn what_cannot_be_used_is_named() {
        let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (cert, key) = write(folder.path());
        let (_, other_key) = write(other.path());
        let absent = folder.path().join("absent");
        let cases = [
            (&absent, &key, "cannot read"),
            (&key, &key, "holds no certificate"),
            (&cert, &cert, "holds no private key"),
            (&cert, &other_key, "do not fit together"),
        ];
        for (cert, key, expected) in cases {
            let error = Certificate::read(cert, key).err().map(|error| error.to_string()).unwrap();
            assert!(error.contains(expected), "{error:?} does not say {expected:?}");
        }
    }
}
