//! Passwords, tokens and codes: how they are made, hashed and checked.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use suda_proto::{Code, ErrorBody};
use tokio::sync::oneshot;

use crate::clock::Entropy;
use crate::settings::PasswordCost;

/// How many passwords are hashed at once, each by a thread of its own for good: a hash takes a core and tens of
/// megabytes, which an allocator would keep for every thread that ever made one.
const THREADS: usize = 2;

/// Most passwords that wait to be hashed.
const QUEUE: usize = 1_024;

/// Something that a hashing thread does.
type Work = Box<dyn FnOnce() + Send>;

/// How many recovery codes an account gets.
pub const RECOVERY_CODES: usize = 10;

/// Letters and digits that people do not confuse.
const CODE_ALPHABET: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz023456789";

/// Makes and checks secrets.
pub struct Secrets {
    entropy: Arc<dyn Entropy>,
    argon: Argon2<'static>,
    queue: SyncSender<Work>,
    /// A hash that no password has: checked where there is no account, so that both cases take the same time.
    nobody: String,
}

impl Secrets {
    /// Secrets at this cost of hashing a password.
    ///
    /// # Errors
    /// If the cost is outside what Argon2 allows.
    pub fn new(entropy: Arc<dyn Entropy>, cost: PasswordCost) -> Result<Self, argon2::Error> {
        let params = Params::new(cost.memory_kib, cost.passes, 1, None)?;
        let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let mut random = [0; 32];
        entropy.fill(&mut random);
        let nobody = hash_with(&argon, &random, &random[..16]).unwrap_or_default();
        Ok(Self { entropy, argon, queue: start_threads(), nobody })
    }

    /// The Argon2id hash of a password, in PHC form.
    ///
    /// # Errors
    /// `internal` if hashing fails.
    pub async fn hash_password(&self, password: String) -> Result<String, ErrorBody> {
        let mut salt = [0; 16];
        self.entropy.fill(&mut salt);
        let argon = self.argon.clone();
        self.in_turn(move || hash_with(&argon, password.as_bytes(), &salt))
            .await?
            .ok_or_else(|| Code::Internal.error())
    }

    /// Whether the password is the one with this hash. Without a hash it takes as long, and is wrong.
    ///
    /// # Errors
    /// `internal` if checking fails.
    pub async fn is_password(&self, password: String, hash: Option<String>) -> Result<bool, ErrorBody> {
        let exists = hash.is_some();
        let hash = hash.unwrap_or_else(|| self.nobody.clone());
        let argon = self.argon.clone();
        let check = move || {
            argon2::PasswordHash::new(&hash)
                .is_ok_and(|hash| argon.verify_password(password.as_bytes(), &hash).is_ok())
        };
        Ok(self.in_turn(check).await? && exists)
    }

    /// A new device token: 256 random bits, base64url.
    pub fn token(&self) -> String {
        let mut random = [0; 32];
        self.entropy.fill(&mut random);
        URL_SAFE_NO_PAD.encode(random)
    }

    /// A new code that people can type: 20 characters, 100 random bits, in groups of five.
    pub fn code(&self) -> String {
        let mut random = [0; 20];
        self.entropy.fill(&mut random);
        let letters: Vec<char> =
            random.iter().map(|byte| char::from(CODE_ALPHABET[usize::from(byte % 32)])).collect();
        letters.chunks(5).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join("-")
    }

    async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, ErrorBody> {
        let (answer, answered) = oneshot::channel();
        // Whoever asked may have gone away meanwhile.
        let work = Box::new(move || drop(answer.send(work())));
        self.queue.try_send(work).map_err(|_| Code::Overloaded.error())?;
        answered.await.map_err(|_| Code::Internal.error())
    }
}

/// Starts the hashing threads; they end when their queue's sender is gone.
fn start_threads() -> SyncSender<Work> {
    let (sender, receiver) = sync_channel::<Work>(QUEUE);
    let receiver = Arc::new(Mutex::new(receiver));
    for _ in 0..THREADS {
        let receiver = Arc::clone(&receiver);
        std::thread::spawn(move || {
            while let Some(work) = next_work(&receiver) {
                work();
            }
        });
    }
    sender
}

fn next_work(receiver: &Mutex<Receiver<Work>>) -> Option<Work> {
    receiver.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}

/// The hash under which a token, code or invitation is kept: they are random enough for a fast one.
pub fn hash_secret(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

/// The hash of a code as typed: without hyphens and spaces, in lower case.
pub fn hash_code(code: &str) -> [u8; 32] {
    let plain: String = code.chars().filter(char::is_ascii_alphanumeric).collect();
    hash_secret(&plain.to_ascii_lowercase())
}

fn hash_with(argon: &Argon2<'_>, password: &[u8], salt: &[u8]) -> Option<String> {
    argon.hash_password_with_salt(password, salt).ok().map(|hash| hash.to_string())
}
