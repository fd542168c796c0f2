//! The loop: draws, waits for whatever comes first, updates the model, and does what the update asks for.

mod asking;
mod device;
mod keyboard;
mod reading;
mod signals;
mod terminal;
mod world;

use std::io::IsTerminal;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crossterm::event::{Event, KeyEventKind};
use futures::FutureExt;
use suda_client::Client;
use suda_client::error::ClientError;
use suda_client::model::CacheLocation;
use tokio::time::MissedTickBehavior;

use crate::input::{Answer, Input};
use crate::model::entrance::{Entrance, Purpose};
use crate::model::{Model, Screen};
use crate::update::{start, update};
use crate::words::Language;
use crate::zone::Zone;
use crate::{ChatError, Options, view};

use keyboard::Keyboard;
use signals::Ending;
use terminal::Screenful;
use world::{Reply, World};

/// How often time passes for the model.
const TICK: Duration = Duration::from_secs(1);
/// The most inputs between two drawings.
const INPUTS_PER_DRAWING: usize = 64;

/// Runs the terminal client until somebody quits it.
///
/// # Errors
///
/// [`ChatError`], where there is no terminal, the terminal fails, or what is kept on this device cannot be opened.
pub async fn run(options: Options) -> Result<(), ChatError> {
    if !std::io::stdout().is_terminal() {
        return Err(ChatError::NoTerminal);
    }
    if let Some(folder) = options.cache.parent() {
        std::fs::create_dir_all(folder).map_err(ChatError::Folder)?;
    }
    let location = CacheLocation::File(options.cache.clone());
    let client = match Client::open(location.clone()).await {
        Ok(client) => Some(client),
        Err(ClientError::NoSession) => None,
        Err(error) => return Err(error.into()),
    };
    let mut model = model(&options);
    let mut world = World::new(options.server, location);
    let mut screenful = Screenful::enter()?;
    model.size = screenful.size()?;
    if let Some(client) = client {
        let account = client.account_id();
        world.adopt(client).await;
        model.me = Some(account);
        model.screen = Screen::Chat;
        for effect in start(&mut model) {
            world.perform(effect, model.language).await;
        }
    }
    let outcome = converse(&mut model, &mut world, &mut screenful).await;
    drop(screenful);
    world.end().await;
    outcome
}

fn model(options: &Options) -> Model {
    let asked = options.language.as_deref().and_then(Language::of_tag);
    let language = asked.or_else(Language::of_environment);
    let name = options.name.as_deref().unwrap_or_default();
    let form = Entrance::new(Purpose::LogIn, name);
    let screen = Screen::Entrance(form);
    let mut model = Model::new(language, options.server.clone(), Zone::local(), screen);
    model.now = now();
    model
}

/// Milliseconds since 1970.
fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

async fn converse(model: &mut Model, world: &mut World, screenful: &mut Screenful) -> Result<(), ChatError> {
    let mut keys = Keyboard::new();
    let mut ending = Ending::new()?;
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while !model.quitting {
        screenful.draw(|frame| view::draw(model, frame))?;
        let mut next = tokio::select! {
            () = ending.wait() => Next::End,
            event = keys.next() => from_terminal(event)?,
            reply = world.reply() => Next::Reply(reply),
            _ = ticks.tick() => Next::Input(Input::Tick(now())),
        };
        for _ in 0..INPUTS_PER_DRAWING {
            take(model, world, next).await;
            next = match keys.next().now_or_never() {
                Some(event) => from_terminal(event)?,
                None => match world.reply().now_or_never() {
                    Some(reply) => Next::Reply(reply),
                    None => break,
                },
            };
        }
    }
    Ok(())
}

/// What came.
enum Next {
    Input(Input),
    Reply(Reply),
    Nothing,
    End,
}

fn from_terminal(event: Option<std::io::Result<Event>>) -> Result<Next, ChatError> {
    let Some(event) = event else {
        return Ok(Next::End);
    };
    Ok(match event? {
        Event::Key(key) if key.kind != KeyEventKind::Release => Next::Input(Input::Key(key)),
        Event::Paste(text) => Next::Input(Input::Paste(text)),
        Event::Resize(width, height) => Next::Input(Input::Resize(width, height)),
        Event::FocusGained => Next::Input(Input::Focus(true)),
        Event::FocusLost => Next::Input(Input::Focus(false)),
        Event::Key(_) | Event::Mouse(_) => Next::Nothing,
    })
}

async fn take(model: &mut Model, world: &mut World, next: Next) {
    let input = match next {
        Next::Input(input) => input,
        Next::Reply(Reply::Event(event)) => Input::Client(event),
        Next::Reply(Reply::Answer(answer)) => Input::Answer(answer),
        Next::Reply(Reply::Entered { client, recovery_codes }) => {
            let account = client.account_id();
            world.adopt(*client).await;
            Input::Answer(Answer::Entered { account, recovery_codes })
        }
        Next::Nothing => return,
        Next::End => {
            model.quitting = true;
            return;
        }
    };
    for effect in update(model, input) {
        world.perform(effect, model.language).await;
    }
    if model.me.is_none() {
        world.release().await;
    }
}
