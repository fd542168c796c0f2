//! What happened, as sentences; and a message in one line, for the list and for quotes.

use suda_client::model::{Message, MessageContent};

use crate::model::Model;
use crate::text::safe::safe_line;
use crate::text::styled::styled;
use crate::words::Word;

/// The most scalars of a preview; more never fits.
const PREVIEW_SCALARS: usize = 200;

/// What happened in the group, as a sentence; `None` for what somebody said.
pub fn sentence(model: &Model, message: &Message) -> Option<String> {
    let language = model.language;
    let author = author(model, message);
    let name = |account| model.people.name(account, language);
    let safe = |title: &Option<String>| title.as_deref().map(safe_line);
    Some(match &message.content {
        MessageContent::Created { title, .. } => language.created(&author, safe(title).as_deref()),
        MessageContent::MembersAdded { accounts } => {
            language.added(&author, &model.people.names(accounts, language))
        }
        MessageContent::MembersRemoved { accounts } => {
            language.removed(&author, &model.people.names(accounts, language))
        }
        MessageContent::MemberLeft => language.left(&author),
        MessageContent::RoleChanged { account, role } => {
            language.role_changed(&author, &name(*account), *role)
        }
        MessageContent::SettingsChanged { title } => {
            language.settings_changed(&author, safe(title).as_deref())
        }
        MessageContent::Dissolved => language.dissolved(&author),
        MessageContent::Text { .. }
        | MessageContent::Custom { .. }
        | MessageContent::Deleted
        | MessageContent::Unsupported => return None,
    })
}

/// A message in one safe line.
pub fn preview(model: &Model, message: &Message) -> String {
    let word = match &message.content {
        MessageContent::Text { text, .. } => {
            let start: String = text.chars().take(PREVIEW_SCALARS).collect();
            let pieces = styled(&start, &[]);
            let shown: String = pieces.iter().map(|piece| piece.content.as_ref()).collect();
            return safe_line(&shown);
        }
        MessageContent::Deleted => Word::Deleted,
        _ => Word::Unsupported,
    };
    sentence(model, message).unwrap_or_else(|| model.language.say(word).to_owned())
}

/// The author's name, or the language's word for oneself.
pub(super) fn author(model: &Model, message: &Message) -> String {
    if Some(message.author) == model.me {
        model.language.say(Word::You).to_owned()
    } else {
        model.people.name(message.author, model.language)
    }
}
