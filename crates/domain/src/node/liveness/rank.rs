//! Which gateways a device is told to try, best first.

use std::cmp::Reverse;

use super::Liveness;
use crate::node::heartbeat::{Heartbeat, Profile, Roles, Stage};
use crate::placement::{NodeId, mixed};

/// How much of a gateway's capacity, in thousandths, chance makes up for: devices that ask at the same time are spread
/// over gateways that are about as free as each other.
const SPREAD: u64 = 150;

/// A gateway that devices can use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gateway {
    /// Its node.
    pub node: NodeId,
    /// Where devices reach it.
    pub address: String,
    /// Where it stands.
    pub zone: String,
    /// How much of its capacity is free, in thousandths.
    pub free: u16,
}

impl Liveness {
    /// At most `count` gateways for a device in `zone`: draining ones last, before them full ones; among the others those
    /// of its zone first, and of those the freest. Another `seed` changes the order of those that are about equally free.
    pub fn rank(&self, zone: &str, count: usize, seed: u64) -> Vec<Gateway> {
        let live = self.known.values().filter(|known| known.is_live).map(|known| &known.beat);
        let gateways = live.filter(|beat| beat.profile.roles.contains(Roles::GATEWAY));
        let mut ranked: Vec<_> = gateways.map(|beat| (place(beat, zone, seed), beat)).collect();
        ranked.sort_unstable_by_key(|(place, _)| *place);
        ranked.truncate(count);
        ranked.into_iter().map(|(_, beat)| gateway(beat)).collect()
    }
}

/// Smaller ones come first.
fn place(beat: &Heartbeat, zone: &str, seed: u64) -> (bool, bool, bool, Reverse<u64>, NodeId) {
    let profile = &beat.profile;
    let free = free(profile);
    let chance = mixed(seed ^ mixed(u64::from(beat.node.0))) % (SPREAD + 1);
    let is_draining = profile.stage != Stage::Serving;
    (is_draining, free == 0, profile.zone != zone, Reverse(free + chance), beat.node)
}

fn free(profile: &Profile) -> u64 {
    let free = u64::from(profile.capacity.saturating_sub(profile.load));
    (free * 1_000).checked_div(u64::from(profile.capacity)).unwrap_or(0)
}

fn gateway(beat: &Heartbeat) -> Gateway {
    let Profile { address, zone, .. } = &beat.profile;
    let free = u16::try_from(free(&beat.profile)).unwrap_or(u16::MAX);
    Gateway { node: beat.node, address: address.clone(), zone: zone.clone(), free }
}
