//! Who may see when others are there, and how far they have read: settings and relations, asked for many at once.

use std::collections::HashMap;
use std::sync::Arc;

use suda_domain::ports::accounts::{Account, Status};
use suda_domain::ports::contacts::Between;
use suda_domain::presence::observer::View;
use suda_domain::rights::may_see;
use suda_proto::entry::ConversationKind;
use suda_proto::presence::{Presence as WirePresence, PresenceState};
use suda_proto::reply::Member;
use suda_proto::rest::Audience;
use suda_proto::{AccountId, Code, ErrorBody};

use super::presence_of;
use crate::gateway::Caller;
use crate::server::{Server, storage};

/// Most accounts asked for at once.
const AT_ONCE: usize = 500;

/// How one account stands to another that it looks at.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sight {
    who_may_see: Option<Audience>,
    between: Between,
    is_oneself: bool,
}

impl Sight {
    /// Whether a viewer with this setting of its own sees when the other is there.
    pub fn sees_presence(&self, viewer: Audience) -> bool {
        self.is_oneself || self.who_may_see.is_some_and(|target| may_see(viewer, target, &self.between))
    }

    /// Whether it sees how far the other has read. In a group that two share a block hides nothing of it: they see each
    /// other's messages, too.
    pub fn sees_reading(&self, viewer: Audience, kind: ConversationKind) -> bool {
        let contacts = Between::default();
        let between = match kind {
            ConversationKind::Group if self.between.is_blocked() => &contacts,
            _ => &self.between,
        };
        self.is_oneself || self.who_may_see.is_some_and(|target| may_see(viewer, target, between))
    }
}

/// How an account stands to others, in their order.
#[derive(Clone, Debug)]
pub struct Sights {
    /// To each.
    pub all: Vec<Sight>,
    /// How often it had changed who may see whom when this was looked up.
    as_of: u64,
}

/// How an account stands to each of the others.
///
/// # Errors
/// The storage's failure.
pub async fn sights(server: &Server, account: AccountId, others: &[AccountId]) -> Result<Sights, ErrorBody> {
    let as_of = server.presence.changes();
    let mut sights = Vec::with_capacity(others.len());
    for others in others.chunks(AT_ONCE) {
        let found = server.ports.accounts.find(others).await.map_err(storage)?;
        let settings: HashMap<AccountId, Audience> = found.iter().filter_map(setting).collect();
        let among = server.ports.contacts.among(account, others).await.map_err(storage)?;
        let between: HashMap<AccountId, Between> = among.into_iter().collect();
        sights.extend(others.iter().map(|other| Sight {
            who_may_see: settings.get(other).copied(),
            between: between.get(other).copied().unwrap_or_default(),
            is_oneself: *other == account,
        }));
    }
    Ok(Sights { all: sights, as_of })
}

fn setting(account: &Account) -> Option<(AccountId, Audience)> {
    (account.status != Status::Deleted).then_some((account.id, account.who_may_see))
}

/// Takes from members' marks how far those have read of whom the caller may not know it.
pub fn redact(members: &mut [Member], sights: &Sights, viewer: Audience, kind: ConversationKind) {
    for (member, sight) in members.iter_mut().zip(&sights.all) {
        if !sight.sees_reading(viewer, kind) {
            member.read = 0;
        }
    }
}

/// What the caller is told of accounts that it wants to watch by one of its lists or, without a session, to look at. In
/// their order.
///
/// # Errors
/// The storage's failure, or `overloaded`.
pub async fn watch(
    server: &Arc<Server>,
    caller: &Caller,
    list: u8,
    accounts: &[AccountId],
    sights: &Sights,
) -> Result<Vec<WirePresence>, ErrorBody> {
    let viewer = caller.who_may_see();
    let permitted = |(account, sight): (&AccountId, &Sight)| (*account, sight.sees_presence(viewer));
    let wanted: Vec<(AccountId, bool)> = accounts.iter().zip(&sights.all).map(permitted).collect();
    let views = match &caller.session {
        Some(session) => server.presence.watch(session, list, wanted).await?,
        None => server.presence.look(wanted).await?,
    };
    if let Some(session) = &caller.session
        && server.presence.changes() != sights.as_of
    {
        // Whoever changed it may have looked for watchers before this one was among them.
        let now = self::sights(server, caller.account, accounts).await?;
        for (account, sight) in accounts.iter().zip(now.all) {
            server.presence.permit(session.id, *account, sight.sees_presence(session.who_may_see()));
        }
    }
    complete(server, accounts, views).await
}

/// How an account stands, for whoever may see everybody.
///
/// # Errors
/// The storage's failure, or `overloaded`.
pub async fn look(server: &Server, account: AccountId) -> Result<WirePresence, ErrorBody> {
    let views = server.presence.look(vec![(account, true)]).await?;
    let presences = complete(server, &[account], views).await?;
    presences.into_iter().next().ok_or_else(|| Code::Internal.error())
}

/// Views for the wire; when somebody was active last whom nobody here saw go is in storage. Of accounts that are not told
/// to be offline yet it is looked up, too: they may be, by and by.
async fn complete(
    server: &Server,
    accounts: &[AccountId],
    views: Vec<View>,
) -> Result<Vec<WirePresence>, ErrorBody> {
    let mut presences: Vec<WirePresence> =
        accounts.iter().zip(views).map(|(account, view)| presence_of(*account, view)).collect();
    let lacks_time = |presence: &&mut WirePresence| {
        presence.last_active_at.is_none() && presence.state != PresenceState::Online
    };
    let unknown: Vec<AccountId> =
        presences.iter_mut().filter(lacks_time).map(|presence| presence.account).collect();
    if !unknown.is_empty() {
        let times = server.ports.activity.last_active(&unknown).await.map_err(storage)?;
        let mut known: HashMap<AccountId, u64> = times.into_iter().collect();
        let noted =
            unknown.iter().filter_map(|account| Some((*account, server.noted.last_active(*account)?)));
        known.extend(noted);
        server.presence.learn(known.iter().map(|(account, at)| (*account, *at)).collect());
        let is_shown = |presence: &&mut WirePresence| {
            matches!(presence.state, PresenceState::Offline | PresenceState::Away)
        };
        for presence in presences.iter_mut().filter(lacks_time).filter(is_shown) {
            presence.last_active_at = known.get(&presence.account).copied();
        }
    }
    Ok(presences)
}

/// An account's setting has changed: whoever watches it, and whoever it watches, is looked at anew.
///
/// # Errors
/// The storage's failure, or `overloaded`.
pub async fn setting_changed(
    server: &Server,
    account: AccountId,
    who_may_see: Audience,
) -> Result<(), ErrorBody> {
    server.presence.note_change();
    let mut own = Vec::new();
    server.registry.each(account, |session| {
        session.set_who_may_see(who_may_see);
        own.push(session.id);
    });
    let watchers = server.presence.watchers(account).await?;
    permit(server, account, &watchers).await?;
    for session in own {
        let watched = server.presence.watched(session).await?;
        let sights = sights(server, account, &watched).await?;
        for (other, sight) in watched.into_iter().zip(sights.all) {
            server.presence.permit(session, other, sight.sees_presence(who_may_see));
        }
    }
    Ok(())
}

/// How two accounts stand to each other has changed.
///
/// # Errors
/// The storage's failure, or `overloaded`.
pub async fn relation_changed(server: &Server, first: AccountId, second: AccountId) -> Result<(), ErrorBody> {
    server.presence.note_relation(first, second);
    for (watched, by) in [(first, second), (second, first)] {
        let mut watchers = server.presence.watchers(watched).await?;
        watchers.retain(|(_, account)| *account == by);
        permit(server, watched, &watchers).await?;
    }
    Ok(())
}

/// Lets each of these sessions see the account, or not, as things stand now.
async fn permit(server: &Server, account: AccountId, watchers: &[(u64, AccountId)]) -> Result<(), ErrorBody> {
    let Some(own) = server.ports.accounts.find(&[account]).await.map_err(storage)?.into_iter().next() else {
        return Ok(());
    };
    for watchers in watchers.chunks(AT_ONCE) {
        let viewers: Vec<AccountId> = watchers.iter().map(|(_, viewer)| *viewer).collect();
        let sights = sights(server, account, &viewers).await?;
        for ((session, _), sight) in watchers.iter().zip(sights.all) {
            // Seen from the other side: the settings change places, the relation is the same.
            let seen = Sight { who_may_see: setting(&own).map(|(_, setting)| setting), ..sight };
            let viewer = sight.who_may_see.unwrap_or_default();
            server.presence.permit(*session, account, seen.sees_presence(viewer));
        }
    }
    Ok(())
}
