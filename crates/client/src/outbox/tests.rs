//! Whatever is lost, delayed, refused or restarted: every act is committed once, and in the order of composing. A
//! tiny host numbers and finds repeated sends as the real one does.

use proptest::prelude::*;

use super::*;

/// How far back the host looks for a repeated send.
const BASE_ENTRIES: usize = 8;

fn conversation() -> ConversationId {
    ConversationId::from_bytes([7; 16])
}

fn item(number: u64, base: u64) -> Item {
    Item {
        client_id: ClientId::caused_by("test", &[&number.to_be_bytes()]),
        conversation: conversation(),
        base,
        kind: Kind::Message,
        target: None,
        mentions: Vec::new(),
        body: None,
        composed_at: number,
        failed: None,
    }
}

#[derive(Default)]
struct Host {
    log: Vec<Option<ClientId>>,
    /// Acts that the host never accepts.
    unwanted: Vec<ClientId>,
}

impl Host {
    fn handle(&mut self, send: &Send) -> Result<(), ErrorBody> {
        let base = usize::try_from(send.base).expect("small");
        assert!(base <= self.log.len(), "a base beyond the head");
        if self.log.len() - base > BASE_ENTRIES {
            return Err(Code::StaleBase.error());
        }
        if self.log[base..].contains(&Some(send.client_id)) {
            return Ok(());
        }
        if self.unwanted.contains(&send.client_id) {
            return Err(Code::NotAllowed.error());
        }
        if send.after.is_some_and(|after| !self.log.contains(&Some(after))) {
            return Err(Code::OutOfTurn.error());
        }
        self.log.push(Some(send.client_id));
        Ok(())
    }
}

/// Device, host and everything on its way between them.
#[derive(Default)]
struct World {
    host: Host,
    outbox: Outbox,
    stored: Vec<Item>,
    composed: Vec<ClientId>,
    requests: Vec<Send>,
    replies: Vec<(ClientId, Result<(), ErrorBody>)>,
    /// Requests of lost connections that still reach the host.
    late: Vec<Send>,
}

impl World {
    fn compose(&mut self, is_unwanted: bool) {
        let item = item(self.composed.len() as u64, self.host.log.len() as u64);
        self.composed.push(item.client_id);
        if is_unwanted {
            self.host.unwanted.push(item.client_id);
        }
        self.stored.push(item.clone());
        self.outbox.push(item);
    }

    fn process(&mut self, pick: usize) {
        let Some(index) = pick.checked_rem(self.requests.len()) else {
            return;
        };
        let send = self.requests.remove(index);
        let answer = self.host.handle(&send);
        self.replies.push((send.client_id, answer));
    }

    fn refuse(&mut self, pick: usize, code: Code) {
        let Some(index) = pick.checked_rem(self.requests.len()) else {
            return;
        };
        let send = self.requests.remove(index);
        self.replies.push((send.client_id, Err(code.error())));
    }

    fn reply(&mut self, pick: usize) {
        let Some(index) = pick.checked_rem(self.replies.len()) else {
            return;
        };
        let (client_id, answer) = self.replies.remove(index);
        let Err(error) = answer else {
            return self.acknowledge(client_id);
        };
        match self.outbox.refused(conversation(), client_id, &error) {
            Refusal::Pause { .. } | Refusal::SessionEnds => {}
            Refusal::Failed => {
                let failed = self.stored.iter_mut().find(|item| item.client_id == client_id);
                failed.expect("stored").failed = Some(error);
            }
            Refusal::Rebase => self.rebase(),
        }
    }

    fn acknowledge(&mut self, client_id: ClientId) {
        self.outbox.acknowledged(conversation(), client_id);
        self.stored.retain(|item| item.client_id != client_id);
    }

    fn rebase(&mut self) {
        let Some(base) = self.outbox.lowest_base(conversation()) else {
            return;
        };
        let read: Vec<ClientId> =
            self.host.log[usize::try_from(base).expect("small")..].iter().flatten().copied().collect();
        read.into_iter().for_each(|client_id| self.acknowledge(client_id));
        self.stored = self.outbox.rebase(conversation(), self.host.log.len() as u64);
    }

    fn disconnect(&mut self) {
        self.late.append(&mut self.requests);
        self.replies.clear();
        self.outbox.disconnected();
    }

    fn restart(&mut self) {
        self.disconnect();
        self.outbox = Outbox::restore(self.stored.clone());
    }

    fn pump(&mut self, room: usize) {
        self.requests.extend(self.outbox.take_ready(conversation(), room));
    }

    fn settle(&mut self) {
        for _ in 0..10_000 {
            if self.stored.iter().all(|item| item.failed.is_some()) {
                return;
            }
            self.outbox.release(conversation());
            self.pump(MOST_IN_FLIGHT);
            self.process(0);
            self.reply(0);
        }
        panic!("never settled: {:?}", self.outbox);
    }
}

#[derive(Clone, Debug)]
enum Step {
    Compose { is_unwanted: bool },
    Pump { room: usize },
    Process(usize),
    Refuse(usize),
    Reply(usize),
    Release,
    Late(usize),
    Disconnect,
    Restart,
    OthersTalk(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => prop::bool::weighted(0.1).prop_map(|is_unwanted| Step::Compose { is_unwanted }),
        6 => (1usize..5).prop_map(|room| Step::Pump { room }),
        8 => any::<usize>().prop_map(Step::Process),
        2 => any::<usize>().prop_map(Step::Refuse),
        8 => any::<usize>().prop_map(Step::Reply),
        3 => Just(Step::Release),
        2 => any::<usize>().prop_map(Step::Late),
        1 => Just(Step::Disconnect),
        1 => Just(Step::Restart),
        1 => (1usize..12).prop_map(Step::OthersTalk),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.max(600), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_act_is_committed_once_and_in_order(steps in prop::collection::vec(step(), 1..150)) {
        let mut world = World::default();
        for step in steps {
            match step {
                Step::Compose { is_unwanted } => world.compose(is_unwanted),
                Step::Pump { room } => world.pump(room),
                Step::Process(pick) => world.process(pick),
                Step::Refuse(pick) => world.refuse(pick, Code::RateLimited),
                Step::Reply(pick) => world.reply(pick),
                Step::Release => world.outbox.release(conversation()),
                Step::Late(pick) => {
                    if let Some(index) = pick.checked_rem(world.late.len()) {
                        let send = world.late.remove(index);
                        _ = world.host.handle(&send);
                    }
                }
                Step::Disconnect => world.disconnect(),
                Step::Restart => world.restart(),
                Step::OthersTalk(count) => world.host.log.extend(std::iter::repeat_n(None, count)),
            }
        }
        world.settle();
        let committed: Vec<ClientId> = world.host.log.iter().flatten().copied().collect();
        let wanted: Vec<ClientId> =
            world.composed.iter().copied().filter(|id| !world.host.unwanted.contains(id)).collect();
        prop_assert_eq!(committed, wanted);
    }
}

#[test]
fn a_failed_send_does_not_hold_up_those_after_it() {
    let mut outbox = Outbox::default();
    let items: Vec<Item> = (0..3).map(|number| item(number, 0)).collect();
    items.iter().cloned().for_each(|item| outbox.push(item));
    let sends = outbox.take_ready(conversation(), 10);
    assert_eq!(sends[2].after, Some(items[1].client_id));
    outbox.acknowledged(conversation(), items[0].client_id);
    assert_eq!(
        outbox.refused(conversation(), items[1].client_id, &Code::TextTooLong.error()),
        Refusal::Failed
    );
    outbox.refused(conversation(), items[2].client_id, &Code::OutOfTurn.error());
    assert!(outbox.take_ready(conversation(), 10).is_empty(), "the pause is not over");
    outbox.release(conversation());
    let again = outbox.take_ready(conversation(), 10);
    assert_eq!(
        again.iter().map(|send| (send.client_id, send.after)).collect::<Vec<_>>(),
        [(items[2].client_id, None)]
    );
}

#[test]
fn nothing_overtakes_a_refused_send_whose_followers_are_unanswered() {
    let mut outbox = Outbox::default();
    (0..3).for_each(|number| outbox.push(item(number, 0)));
    let sends = outbox.take_ready(conversation(), 10);
    outbox.refused(conversation(), sends[0].client_id, &Code::Overloaded.error());
    outbox.release(conversation());
    assert!(outbox.take_ready(conversation(), 10).is_empty(), "two answers are on their way");
    for send in &sends[1..] {
        outbox.refused(conversation(), send.client_id, &Code::OutOfTurn.error());
    }
    outbox.release(conversation());
    assert_eq!(outbox.take_ready(conversation(), 10), sends);
}

#[test]
fn no_more_than_the_window_is_in_flight() {
    let mut outbox = Outbox::default();
    (0..40).for_each(|number| outbox.push(item(number, 0)));
    assert_eq!(outbox.take_ready(conversation(), 3).len(), 3);
    assert_eq!(outbox.take_ready(conversation(), 100).len(), MOST_IN_FLIGHT - 3);
    assert!(outbox.take_ready(conversation(), 100).is_empty());
}

#[test]
fn a_lost_session_fails_nothing() {
    let mut outbox = Outbox::default();
    outbox.push(item(0, 0));
    let sends = outbox.take_ready(conversation(), 1);
    let refusal = outbox.refused(conversation(), sends[0].client_id, &Code::Unauthenticated.error());
    assert_eq!(refusal, Refusal::SessionEnds);
    outbox.disconnected();
    assert_eq!(outbox.take_ready(conversation(), 1), sends);
}
