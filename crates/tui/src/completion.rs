//! What the message box offers while it is written in: members after `@`, commands after `/`; and which mentions a
//! finished text holds.

use suda_proto::{Mention, Mentioned};

use crate::model::Model;
use crate::model::conversation::OpenConversation;
use crate::model::people::shown_name;
use crate::words::help;

/// The most offers at a time.
const OFFERS: usize = 5;
/// The most mentions of a message.
const MENTIONS: usize = 100;
/// What mentions everybody.
const ALL: &str = "all";

/// One offer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// What is inserted, without the space after it.
    pub insert: String,
    /// What explains it.
    pub explanation: String,
}

/// The offers for what stands before the cursor, and how many bytes they replace.
pub fn offers(model: &Model) -> Option<(usize, Vec<Offer>)> {
    let open = model.open.as_ref()?;
    if open.completion_dismissed {
        return None;
    }
    let before = open.editor.before_cursor();
    let start = before
        .rfind(char::is_whitespace)
        .map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8));
    let word = &before[start..];
    let offers = if let Some(prefix) = word.strip_prefix('@') {
        member_offers(model, open, &prefix.to_lowercase())
    } else if start == 0 && word.starts_with('/') {
        command_offers(model, word)
    } else {
        Vec::new()
    };
    (!offers.is_empty()).then_some((word.len(), offers))
}

fn member_offers(model: &Model, open: &OpenConversation, prefix: &str) -> Vec<Offer> {
    let others = open.members.iter().filter(|member| Some(member.account) != model.me);
    let profiles = others.filter_map(|member| model.people.profile(member.account));
    let matching = profiles.filter(|profile| {
        profile.name.starts_with(prefix) || profile.display_name.to_lowercase().starts_with(prefix)
    });
    let offer = |profile| Offer {
        insert: format!("@{}", crate::text::safe::safe_line(name_of(profile))),
        explanation: shown_name(profile),
    };
    matching.take(OFFERS).map(offer).collect()
}

fn name_of(profile: &suda_proto::rest::Profile) -> &str {
    &profile.name
}

fn command_offers(model: &Model, word: &str) -> Vec<Offer> {
    let matching = help::commands().filter(|(name, _)| format!("/{name}").starts_with(word));
    let offer = |(name, line): (&str, &help::HelpLine)| Offer {
        insert: format!("/{name}"),
        explanation: line.meaning(model.language).to_owned(),
    };
    matching.take(OFFERS).map(offer).collect()
}

/// The mentions in `text`: every `@name` of a member, and `@all` in a group.
pub fn mentions(model: &Model, open: &OpenConversation, text: &str) -> Vec<Mention> {
    let scalars: Vec<char> = text.chars().collect();
    let mut mentions = Vec::new();
    let mut at = 0;
    while at < scalars.len() && mentions.len() < MENTIONS {
        let starts_word = at == 0 || !scalars[at - 1].is_alphanumeric();
        if scalars[at] != '@' || !starts_word {
            at += 1;
            continue;
        }
        let length = scalars[at + 1..].iter().take_while(|scalar| is_of_name(**scalar)).count();
        let typed: String = scalars[at + 1..at + 1 + length].iter().collect();
        let name = typed.trim_end_matches('.');
        if let Some(who) = mentioned(model, open, name) {
            let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
            mentions.push(Mention { who, start: number(at), length: number(name.chars().count() + 1) });
        }
        at += 1 + length;
    }
    mentions
}

/// Names have these characters only; others, such as a Korean particle, end them.
fn is_of_name(scalar: char) -> bool {
    matches!(scalar, 'a'..='z' | 'A'..='Z' | '0'..='9' | '_' | '.')
}

fn mentioned(model: &Model, open: &OpenConversation, name: &str) -> Option<Mentioned> {
    let name = name.to_lowercase();
    let member = open.members.iter().find(|member| {
        let profile = model.people.profile(member.account);
        profile.is_some_and(|profile| !profile.name.is_empty() && profile.name == name)
    });
    let is_all = name == ALL && open.members.len() > 2;
    member.map(|member| Mentioned::Account(member.account)).or(is_all.then_some(Mentioned::All))
}
