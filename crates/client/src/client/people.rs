//! Others: profiles, search, contacts, blocks.

use reqwest::Method;
use suda_proto::AccountId;
use suda_proto::reply::Done;
use suda_proto::rest::{Accounts, Contact, Contacts, Profile};

use super::Client;
use crate::cache::Write;
use crate::engine::Command;
use crate::error::ClientError;
use crate::rest::NOTHING;

impl Client {
    /// A profile as far as the cache knows it; one that it does not know is asked for, and
    /// [`crate::event::ClientEvent::ProfilesChanged`] tells when it came.
    ///
    /// # Errors
    /// `Cache` where it cannot be read.
    pub async fn profile(&self, account: AccountId) -> Result<Option<Profile>, ClientError> {
        Ok(self.profiles(vec![account]).await?.into_iter().next())
    }

    /// As [`Self::profile`], of several accounts, in no particular order.
    ///
    /// # Errors
    /// `Cache` where it cannot be read.
    pub async fn profiles(&self, accounts: Vec<AccountId>) -> Result<Vec<Profile>, ClientError> {
        let wanted = accounts.iter().copied().collect();
        let profiles = self.inner.cache.profiles(&wanted).await?;
        if profiles.len() < wanted.len() {
            self.command(Command::Meet(accounts)).await?;
        }
        Ok(profiles)
    }

    /// Accounts whose name begins with `prefix`, at most 20.
    ///
    /// # Errors
    /// `Server`, `Unreachable`.
    pub async fn search_accounts(&self, prefix: String) -> Result<Vec<Profile>, ClientError> {
        let found: Accounts = self.inner.rest.get("/v1/accounts", &[("prefix", prefix)]).await?;
        self.keep(found.accounts.clone()).await?;
        Ok(found.accounts)
    }

    /// Contacts, requests and blocks.
    ///
    /// # Errors
    /// `Server`, `Unreachable`.
    pub async fn contacts(&self) -> Result<Vec<Contact>, ClientError> {
        let found: Contacts = self.inner.rest.get("/v1/contacts", &[]).await?;
        self.keep(found.contacts.iter().map(|contact| contact.profile.clone()).collect()).await?;
        Ok(found.contacts)
    }

    /// Asks somebody to be a contact, or accepts that somebody asked.
    ///
    /// # Errors
    /// `Server`, `Unreachable`.
    pub async fn request_contact(&self, account: AccountId) -> Result<Contact, ClientError> {
        self.inner.rest.call(Method::PUT, &format!("/v1/contacts/{account}"), NOTHING).await
    }

    /// Ends being contacts, takes a request back, or declines one.
    ///
    /// # Errors
    /// `Server`, `Unreachable`.
    pub async fn remove_contact(&self, account: AccountId) -> Result<(), ClientError> {
        self.nothing(Method::DELETE, &format!("/v1/contacts/{account}")).await
    }

    /// Blocks somebody: neither can write to the other directly.
    ///
    /// # Errors
    /// `Server`, `Unreachable`.
    pub async fn block(&self, account: AccountId) -> Result<(), ClientError> {
        self.nothing(Method::PUT, &format!("/v1/blocks/{account}")).await
    }

    /// Ends a block.
    ///
    /// # Errors
    /// `Server`, `Unreachable`.
    pub async fn unblock(&self, account: AccountId) -> Result<(), ClientError> {
        self.nothing(Method::DELETE, &format!("/v1/blocks/{account}")).await
    }

    /// A call without body whose answer says nothing.
    pub(super) async fn nothing(&self, method: Method, path: &str) -> Result<(), ClientError> {
        let _: Done = self.inner.rest.call(method, path, NOTHING).await?;
        Ok(())
    }

    async fn keep(&self, profiles: Vec<Profile>) -> Result<(), ClientError> {
        self.command(Command::Keep(vec![Write::Profiles(profiles)])).await
    }
}
