//! Rates, per address and account.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use suda_proto::AccountId;

use crate::server::Server;
use crate::settings::{Rate, Settings};

/// How often keys that are at rest are forgotten.
const SWEEP: Duration = Duration::from_secs(30);

/// The limiters of this node.
pub struct Limiters {
    addresses: DefaultKeyedRateLimiter<IpAddr>,
    logins: DefaultKeyedRateLimiter<IpAddr>,
    accounts: DefaultKeyedRateLimiter<AccountId>,
}

impl Limiters {
    /// Limiters with the settings' rates.
    pub fn new(settings: &Settings) -> Self {
        Self {
            addresses: RateLimiter::keyed(quota(settings.address_rate)),
            logins: RateLimiter::keyed(quota(settings.login_rate)),
            accounts: RateLimiter::keyed(quota(settings.account_rate)),
        }
    }

    /// Counts a request of an address; false beyond its rate.
    pub fn address(&self, address: IpAddr) -> bool {
        self.addresses.check_key(&network(address)).is_ok()
    }

    /// Counts a login or sign-up from an address; false beyond its rate.
    pub fn login(&self, address: IpAddr) -> bool {
        self.logins.check_key(&network(address)).is_ok()
    }

    /// Counts a request of an account; false beyond its rate.
    pub fn account(&self, account: AccountId) -> bool {
        self.accounts.check_key(&account).is_ok()
    }

    fn forget_resting(&self) {
        self.addresses.retain_recent();
        self.logins.retain_recent();
        self.accounts.retain_recent();
    }
}

/// Forgets keys at rest, so that memory follows the addresses of the moment.
pub(crate) async fn sweep(server: Arc<Server>) {
    while tokio::time::timeout(SWEEP, server.drained()).await.is_err() {
        server.limiters.forget_resting();
    }
}

/// One customer has a whole IPv6 /64: it counts as one address.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => (u128::from(v6) >> 64 << 64).to_be_bytes().into(),
    }
}

fn quota(rate: Rate) -> Quota {
    let one = NonZeroU32::MIN;
    let count = NonZeroU32::new(rate.count).unwrap_or(one);
    let burst = NonZeroU32::new(rate.burst).unwrap_or(one);
    let each = rate.period / count.get();
    Quota::with_period(each).unwrap_or_else(|| Quota::per_second(count)).allow_burst(burst)
}
