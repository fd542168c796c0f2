//! Who is there: tells the client whose presence is shown, and reads it again when it may be another.

use suda_client::event::ClientEvent;
use suda_proto::AccountId;

use crate::areas::{areas, listed};
use crate::effect::{Act, Ask, Effect};
use crate::model::Model;

/// Something about who is there changed.
pub fn changed(model: &mut Model, event: &ClientEvent, effects: &mut Vec<Effect>) {
    let attendance = &model.attendance;
    let is_shown = match event {
        ClientEvent::PresenceChanged { accounts } => {
            accounts.iter().any(|account| attendance.watched.contains(account))
        }
        ClientEvent::OnlineChanged { conversation } => {
            model.open.as_ref().is_some_and(|open| open.id == *conversation)
        }
        _ => false,
    };
    if is_shown {
        want(model, effects);
    }
}

/// Reads again how those who are shown stand.
pub fn want(model: &mut Model, effects: &mut Vec<Effect>) {
    if model.attendance.freshness.want() {
        effects.push(ask(model));
    }
}

/// The question how those who are shown stand.
pub fn ask(model: &Model) -> Effect {
    let conversation = model.open.as_ref().map(|open| open.id);
    Effect::Ask(Ask::Presence { accounts: model.attendance.watched.clone(), conversation })
}

/// Tells the client whose presence is shown, where it is somebody else's than before.
pub fn watch(model: &mut Model, effects: &mut Vec<Effect>) {
    if model.me.is_none() {
        return;
    }
    let accounts = shown(model);
    if accounts != model.attendance.watched {
        model.attendance.watched = accounts.clone();
        effects.push(Effect::Act(Act::Watch(accounts)));
        want(model, effects);
    }
}

/// The others of the direct conversations on screen, that of the open one first.
fn shown(model: &Model) -> Vec<AccountId> {
    let rows = listed(model, areas(model).list);
    let listed = model.list.shown().skip(rows.start).take(rows.len());
    let mut accounts = Vec::new();
    for peer in model.open_summary().into_iter().chain(listed).filter_map(|summary| summary.peer) {
        if !accounts.contains(&peer) {
            accounts.push(peer);
        }
    }
    accounts
}
