//! The account itself: profile and settings, password, recovery codes, devices, the end.

use reqwest::Method;
use suda_proto::DeviceId;
use suda_proto::reply::Done;
use suda_proto::rest::{
    AccountChange, Device, Devices, OwnAccount, PasswordChange, PasswordProof, RecoveryCodes,
};

use super::Client;
use crate::cache::Write;
use crate::engine::Command;
use crate::error::ClientError;

impl Client {
    /// The account as the cache knows it.
    ///
    /// # Errors
    /// `NoSession` after logging out; `Cache`.
    pub async fn account(&self) -> Result<OwnAccount, ClientError> {
        Ok(self.inner.cache.session().await?.ok_or(ClientError::NoSession)?.account)
    }

    /// The account as the server knows it.
    ///
    /// # Errors
    /// `Server`, `Unreachable`.
    pub async fn refresh_account(&self) -> Result<OwnAccount, ClientError> {
        let account: OwnAccount = self.inner.rest.get("/v1/account", &[]).await?;
        self.keep_account(account).await
    }

    /// Changes profile or settings, such as who may see when this account is there (`who_may_see`); what is absent stays.
    ///
    /// # Errors
    /// `Server`, `Unreachable`.
    pub async fn change_account(&self, change: AccountChange) -> Result<OwnAccount, ClientError> {
        let account: OwnAccount = self.inner.rest.call(Method::PATCH, "/v1/account", Some(&change)).await?;
        self.keep_account(account).await
    }

    async fn keep_account(&self, account: OwnAccount) -> Result<OwnAccount, ClientError> {
        let profile = account.profile.clone();
        let writes = vec![Write::Account(account.clone()), Write::Profiles(vec![profile])];
        self.command(Command::Keep(writes)).await?;
        Ok(account)
    }

    /// Changes the password; every other device is logged out.
    ///
    /// # Errors
    /// `Server` where the old one is wrong or the new one too weak; `Unreachable`.
    pub async fn change_password(
        &self,
        old_password: String,
        new_password: String,
    ) -> Result<(), ClientError> {
        let body = PasswordChange { old_password, new_password };
        let _: Done = self.inner.rest.call(Method::POST, "/v1/account/password", Some(&body)).await?;
        Ok(())
    }

    /// New recovery codes; earlier ones are void.
    ///
    /// # Errors
    /// `Server` where the password is wrong; `Unreachable`.
    pub async fn new_recovery_codes(&self, password: String) -> Result<Vec<String>, ClientError> {
        let body = PasswordProof { password };
        let path = "/v1/account/recovery-codes";
        let codes: RecoveryCodes = self.inner.rest.call(Method::POST, path, Some(&body)).await?;
        Ok(codes.recovery_codes)
    }

    /// The account's devices, oldest first.
    ///
    /// # Errors
    /// `Server`, `Unreachable`.
    pub async fn devices(&self) -> Result<Vec<Device>, ClientError> {
        Ok(self.inner.rest.get::<Devices>("/v1/devices", &[]).await?.devices)
    }

    /// Logs another device out.
    ///
    /// # Errors
    /// `Server`, `Unreachable`.
    pub async fn remove_device(&self, device: DeviceId) -> Result<(), ClientError> {
        self.nothing(Method::DELETE, &format!("/v1/devices/{device}")).await
    }

    /// Logs this device out and empties its cache; the client stops.
    ///
    /// # Errors
    /// `Unreachable` where the server could not be told: the token is still valid then, and nothing was emptied; see
    /// [`Self::forget`].
    pub async fn log_out(&self) -> Result<(), ClientError> {
        match self.nothing(Method::POST, "/v1/logout").await {
            // Logged out already, from another device.
            Err(ClientError::Server(error)) if error.code == suda_proto::Code::Unauthenticated.name() => {}
            other => other?,
        }
        self.forget().await
    }

    /// Empties the cache without telling the server; the client stops.
    ///
    /// # Errors
    /// `Cache` where it cannot be emptied.
    pub async fn forget(&self) -> Result<(), ClientError> {
        self.answer(|done| Command::LogOut { done }).await
    }

    /// Deletes the account for good, with every message's text; the client stops.
    ///
    /// # Errors
    /// `Server` where the password is wrong; `Unreachable`.
    pub async fn delete_account(&self, password: String) -> Result<(), ClientError> {
        let body = PasswordProof { password };
        let _: Done = self.inner.rest.call(Method::DELETE, "/v1/account", Some(&body)).await?;
        self.forget().await
    }
}
