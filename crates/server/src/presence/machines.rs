//! The machines of this node, and the way of their packets: to the node itself, as long as it is the only one.

use suda_domain::placement::{LiveSet, NodeId};
use suda_domain::ports::activity::{Activity, GatewayId};
use suda_domain::presence::locator::{Found, Locator, Place};
use suda_domain::presence::observer::{Observer, View, WATCHED_MAX};
use suda_domain::presence::owner::Owner;
use suda_domain::presence::packet::Body;
use suda_domain::presence::registrar::{Ending, Registrar};
use suda_domain::presence::{Availability, Now, Outgoing, Standing, Timeouts};
use suda_proto::AccountId;

use super::Parting;
use super::inbox::Message;

/// The only node, until there are others.
const ME: NodeId = NodeId(1);

/// An account, and where it has sessions.
pub type Located = (AccountId, Place);

/// The machines.
pub struct Machines {
    pub registrar: Registrar,
    pub owner: Owner,
    pub observer: Observer,
    pub locator: Locator,
    /// Answers of the locator that nobody has taken yet.
    pub found: Vec<Found>,
    gateway: GatewayId,
    out: Vec<Outgoing>,
}

impl Machines {
    /// Machines that know nobody. Until `unknown_until_ms` silence does not mean that somebody is offline: whoever was
    /// here before the node was started anew may be on the way back.
    pub fn new(
        timeouts: Timeouts,
        rest_ms: u64,
        unknown_until_ms: u64,
        gateway: GatewayId,
        now: Now,
    ) -> Self {
        let live = LiveSet::new([ME]);
        let mut machines = Self {
            registrar: Registrar::new(now.clock_ms, timeouts, now),
            owner: Owner::new(ME, timeouts, unknown_until_ms),
            observer: Observer::new(rest_ms),
            locator: Locator::new(now.clock_ms),
            found: Vec::new(),
            gateway,
            out: Vec::new(),
        };
        machines.owner.live(&live, |_| now.at_ms, now);
        machines.registrar.live(&live, now);
        machines.observer.live(&live);
        machines.locator.live(&live);
        machines.settle(now, &mut Vec::new());
        machines
    }

    /// Takes what sessions tell of themselves; gives back what is asked.
    pub fn take(&mut self, message: Message, now: Now) -> Option<Message> {
        match message {
            Message::Opened { account, device, foreground } => {
                self.registrar.opened(account, device, foreground, now);
            }
            Message::Moved { account, device, foreground } => {
                self.registrar.moved(account, device, !foreground, foreground, now);
            }
            Message::Ended { session, account, device, foreground, parting } => {
                self.observer.forget(session);
                self.registrar.ended(account, device, foreground, ending(parting, now), now);
            }
            Message::LoggedOut { account, device } => self.registrar.logged_out(account, device, now),
            Message::Stop { session, list } => self.observer.stop(session, list),
            Message::Learn { times } => {
                times.into_iter().for_each(|(account, at)| self.observer.learn(account, at));
            }
            Message::Permit { session, account, is_permitted } => {
                self.observer.permit(session, account, is_permitted);
            }
            asked => return Some(asked),
        }
        None
    }

    /// Runs the machines until none has anything to say. Adds what is to be stored of accounts that came or went.
    pub fn settle(&mut self, now: Now, stored: &mut Vec<(AccountId, Activity)>) {
        let mut out = std::mem::take(&mut self.out);
        loop {
            let is_renewing = self.registrar.is_renewing();
            self.registrar.turn(now, &mut out);
            if !is_renewing {
                self.note(&out, now, stored);
            }
            self.owner.turn(now, &mut out);
            self.observer.turn(&mut out);
            self.found.extend(self.locator.turn(now, &mut out));
            let is_going_on =
                self.registrar.is_renewing() || self.owner.is_sweeping() || self.observer.is_renewing();
            if out.is_empty() && !is_going_on {
                break;
            }
            for outgoing in std::mem::take(&mut out) {
                self.carry(outgoing, now, &mut out);
            }
        }
        self.out = out;
    }

    /// Carries a packet of this node to this node.
    fn carry(&mut self, outgoing: Outgoing, now: Now, out: &mut Vec<Outgoing>) {
        let Outgoing { to, packet } = outgoing;
        if to != ME {
            return;
        }
        match &packet.body {
            Body::States { standings, unknown } => self.observer.states(ME, standings, unknown, out),
            Body::Again { number } => {
                self.registrar.again(ME, *number);
                self.observer.again(ME, *number);
            }
            Body::Located { .. } => self.found.extend(self.locator.take(ME, packet, now, out)),
            _ => self.owner.take(ME, packet, now, out),
        }
    }

    fn note(&self, out: &[Outgoing], now: Now, stored: &mut Vec<(AccountId, Activity)>) {
        for outgoing in out {
            if let Body::Register { standings } = &outgoing.packet.body {
                stored.extend(
                    standings.iter().map(|standing| (standing.account, self.activity(standing, now))),
                );
            }
        }
    }

    fn activity(&self, standing: &Standing, now: Now) -> Activity {
        let at = standing.last_active_at.unwrap_or(now.clock_ms);
        match standing.availability {
            Availability::Online => Activity::Online { gateway: self.gateway, since: at },
            Availability::Away | Availability::Offline => Activity::Offline { at },
        }
    }

    /// Where these accounts have sessions. What is not known at once is found under `ticket` after the next settling; how
    /// many answers that will be is told, too.
    pub fn locate(&mut self, ticket: u64, accounts: &[AccountId], now: Now) -> (Vec<Located>, usize) {
        let asked = self.locator.ask(ticket, accounts, now, &mut self.out);
        (asked.known, asked.awaited)
    }

    /// What is known of these accounts, for somebody who may see them or not.
    pub fn look(&mut self, session: u64, accounts: &[(AccountId, bool)], now: Now) -> Vec<View> {
        let mut views = Vec::with_capacity(accounts.len());
        for accounts in accounts.chunks(WATCHED_MAX) {
            self.observer.watch(session, 0, accounts);
            self.settle(now, &mut Vec::new());
            views.append(&mut self.observer.watch(session, 0, accounts));
            self.observer.forget(session);
        }
        views
    }

    /// Bytes of heap that the machines hold.
    pub fn heap_bytes(&self) -> usize {
        self.registrar.heap_bytes() + self.owner.heap_bytes() + self.observer.heap_bytes()
    }
}

const fn ending(parting: Parting, now: Now) -> Ending {
    match parting {
        Parting::LoggedOut => Ending::LoggedOut,
        Parting::Polled { .. } => Ending::Lost { heard_at_ms: now.at_ms },
        Parting::Closed => Ending::Closed,
        Parting::Lost { silent_ms } => Ending::Lost { heard_at_ms: now.at_ms.saturating_sub(silent_ms) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_of_a_large_group_is_looked_at() {
        let now = Now { at_ms: 0, clock_ms: 1 };
        let mut machines = Machines::new(Timeouts::default(), 0, 0, GatewayId([1; 16]), now);
        let later = Now { at_ms: 100, clock_ms: 101 };
        let count = WATCHED_MAX + 44;
        let accounts: Vec<AccountId> =
            (0..count as u128).map(|number| AccountId::from_bytes(number.to_be_bytes())).collect();
        for account in &accounts {
            let device = suda_proto::DeviceId::from_bytes(*account.bytes());
            machines.take(Message::Opened { account: *account, device, foreground: true }, later);
        }
        machines.settle(later, &mut Vec::new());
        let wanted: Vec<(AccountId, bool)> = accounts.iter().map(|account| (*account, true)).collect();
        let views = machines.look(0, &wanted, later);
        let online = |view: &&View| matches!(view, View::Known(standing) if standing.availability == Availability::Online);
        assert_eq!(views.iter().filter(online).count(), count);
        assert!(machines.observer.is_empty() || machines.observer.watchers(accounts[0]).is_empty());
    }
}
