//! What every implementation of a port must do, as code that each of them runs.
//!
//! A suite is a set of functions, one per group of rules. Each takes storage in which nothing was stored yet, and panics
//! with the rule that was broken. There is no runtime here: the implementation's tests bring their own.

pub mod accounts;
pub mod activity;
pub mod bus;
pub mod chat;
pub mod closing;
pub mod contacts;
pub mod credentials;
pub mod derived;
pub mod devices;
pub mod erasure;
pub mod inbox;
pub mod jobs;
pub mod log;
mod samples;

pub use samples::set_apart;

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use async_trait::async_trait;

use super::{Accounts, Activities, Contacts, Devices, Jobs};

/// The ports to general data, which share transactions.
#[derive(Clone)]
pub struct Relational {
    /// Credentials, profiles, settings.
    pub accounts: Arc<dyn Accounts>,
    /// Devices and their tokens.
    pub devices: Arc<dyn Devices>,
    /// Contacts and blocks.
    pub contacts: Arc<dyn Contacts>,
    /// When accounts were last active.
    pub activity: Arc<dyn Activities>,
    /// Work that was promised in a transaction.
    pub jobs: Arc<dyn Jobs>,
}

/// Where an implementation keeps general data, for one run of one group of rules.
#[async_trait]
pub trait Storage: Send {
    /// The ports to this storage. To test durability it may close and open everything at each call: the suites ask anew
    /// wherever an effect must have outlived its call, and use no ports from before.
    async fn ports(&mut self) -> Relational;
}

/// Runs two futures side by side and answers what both answered.
async fn both<A, B>(first: impl Future<Output = A>, second: impl Future<Output = B>) -> (A, B) {
    let (mut first, mut second) = (pin!(first), pin!(second));
    let (mut first_answer, mut second_answer) = (None, None);
    poll_fn(|context| {
        if first_answer.is_none()
            && let Poll::Ready(answer) = first.as_mut().poll(context)
        {
            first_answer = Some(answer);
        }
        if second_answer.is_none()
            && let Poll::Ready(answer) = second.as_mut().poll(context)
        {
            second_answer = Some(answer);
        }
        match (first_answer.take(), second_answer.take()) {
            (Some(first), Some(second)) => Poll::Ready((first, second)),
            (first, second) => {
                (first_answer, second_answer) = (first, second);
                Poll::Pending
            }
        }
    })
    .await
}
