//! Reads stretches of messages page by page.

use suda_client::Client;
use suda_client::error::ClientError;
use suda_client::model::{Anchor, Message, MessageList};

use crate::effect::{Reading, Stretch};
use crate::model::conversation::HELD_MESSAGES;

/// How many messages are read at a time.
const PAGE: u32 = 100;

/// Reads what `reading` names.
pub async fn read(client: &Client, reading: Reading) -> Result<MessageList, ClientError> {
    let page = |anchor| client.messages(reading.conversation, anchor, PAGE);
    match reading.stretch {
        Stretch::Newest(back_to) => {
            let mut list = page(Anchor::Newest).await?;
            while let Some(first) = first_seq(&list.messages)
                && back_to.is_some_and(|back_to| back_to < first)
                && list.has_earlier
                && list.messages.len() < HELD_MESSAGES
            {
                let earlier = page(Anchor::Before(first)).await?;
                if earlier.messages.is_empty() {
                    break;
                }
                list.has_earlier = earlier.has_earlier;
                list.messages.splice(0..0, earlier.messages);
            }
            Ok(list)
        }
        Stretch::Before(first) => page(Anchor::Before(first)).await,
        Stretch::After(last) => page(Anchor::After(last)).await,
        Stretch::Between(first, last) => {
            let mut list = page(Anchor::After(first.saturating_sub(1))).await?;
            while let Some(reached) = last_seq(&list.messages)
                && reached < last
                && list.has_later
                && list.messages.len() < HELD_MESSAGES
            {
                let later = page(Anchor::After(reached)).await?;
                if later.messages.is_empty() {
                    break;
                }
                list.has_later = later.has_later;
                list.messages.extend(later.messages);
            }
            Ok(list)
        }
    }
}

fn first_seq(messages: &[Message]) -> Option<u64> {
    messages.iter().find_map(|message| message.seq)
}

fn last_seq(messages: &[Message]) -> Option<u64> {
    messages.iter().rev().find_map(|message| message.seq)
}
