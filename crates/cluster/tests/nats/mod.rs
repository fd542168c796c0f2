//! Nodes on the NATS servers that `SUDA_TEST_NATS` names, see `docs/operating/engines.md`.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use suda_cluster::bus::NatsBus;
use suda_cluster::bus_options::{BusOptions, BusTls, Credentials};
use suda_domain::placement::NodeId;
use suda_domain::ports::Bus;
use suda_domain::ports::contract::bus::Network;
use tokio::time::timeout;
use uuid::Uuid;

/// A bus of its own; each node that joins begins at the next server.
pub struct Servers {
    servers: Vec<String>,
    prefix: String,
    joined: usize,
}

impl Servers {
    pub fn new() -> Self {
        let servers = std::env::var("SUDA_TEST_NATS").expect("SUDA_TEST_NATS names servers of NATS");
        let servers = servers.split(',').map(str::to_owned).collect();
        Self { servers, prefix: format!("test-{}", Uuid::new_v4().simple()), joined: 0 }
    }

    async fn join_one(&mut self, node: NodeId) -> Arc<dyn Bus> {
        let server = self.servers[self.joined % self.servers.len()].clone();
        self.joined += 1;
        let options = BusOptions {
            servers: vec![server],
            prefix: self.prefix.clone(),
            credentials: Credentials::None,
            tls: BusTls::default(),
        };
        Arc::new(NatsBus::join(&options, node).await.expect("join the bus"))
    }
}

#[async_trait]
impl Network for Servers {
    async fn join(&mut self, nodes: &[NodeId]) -> Vec<Arc<dyn Bus>> {
        let mut buses = Vec::new();
        for node in nodes {
            buses.push(self.join_one(*node).await);
        }
        meet(&buses, nodes).await;
        buses
    }
}

/// Sends until every node heard every other: servers tell each other of subscriptions in their own time.
async fn meet(buses: &[Arc<dyn Bus>], nodes: &[NodeId]) {
    let pairs = (0..nodes.len()).flat_map(|from| (0..nodes.len()).map(move |to| (from, to)));
    let pairs: Vec<(usize, usize)> = pairs.filter(|(from, to)| from != to).collect();
    let mut heard = HashSet::new();
    while heard.len() < pairs.len() {
        for (from, to) in pairs.iter().filter(|pair| !heard.contains(*pair)) {
            buses[*from].send(nodes[*to], Bytes::from(vec![*from as u8]));
        }
        for (to, bus) in buses.iter().enumerate() {
            while let Ok(Some(packet)) = timeout(Duration::from_millis(20), bus.receive()).await {
                heard.insert((usize::from(packet[0]), to));
            }
        }
    }
    // The last of each: what was sent before has arrived when it arrives.
    for (from, to) in &pairs {
        buses[*from].send(nodes[*to], Bytes::from_static(b"last"));
    }
    for bus in buses {
        let mut lasts = 0;
        while lasts < nodes.len() - 1 {
            lasts += usize::from(bus.receive().await.as_deref() == Some(&b"last"[..]));
        }
    }
}
