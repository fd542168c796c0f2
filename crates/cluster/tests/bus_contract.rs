//! NATS keeps the contract of the bus, whichever servers the nodes are connected to.
#![cfg(feature = "cluster-tests")]

mod nats;

use std::time::Duration;

use nats::Servers;
use suda_domain::ports::contract::bus;

macro_rules! suite {
    ($($rules:ident)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $rules() {
            let run = async { bus::$rules(&mut Servers::new()).await };
            tokio::time::timeout(Duration::from_secs(60), run).await.expect("a packet that never arrived");
        }
    )*};
}

suite! { one_hears all_others_hear unheard_packets_are_no_error packets_arrive_whole order_holds leaving }
