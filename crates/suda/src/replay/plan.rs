//! Who takes part: recorded lines become accounts, conversations and messages to send.

use std::cmp::Reverse;
use std::collections::HashMap;

use suda_proto::entry::ConversationKind;

use super::input::Line;

/// Largest group; authors beyond the busiest so many are left out.
pub const GROUP_MEMBERS: usize = 100;

/// Everything that a replay does, before there are any accounts.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// The conversations, in order of their first line.
    pub conversations: Vec<PlannedConversation>,
    /// The accounts that take part.
    pub accounts: Vec<PlannedAccount>,
    /// What is sent, in the file's order.
    pub messages: Vec<PlannedMessage>,
    /// How many lines are left out, because their author is not among a group's busiest.
    pub left_out: usize,
}

/// A conversation to be made.
#[derive(Debug, PartialEq, Eq)]
pub struct PlannedConversation {
    /// Its name in the file.
    pub name: String,
    /// `Direct` for two authors, `Group` otherwise.
    pub kind: ConversationKind,
    /// Accounts, by their place in [`Plan::accounts`], the busiest first.
    pub members: Vec<usize>,
}

/// An account to be made.
#[derive(Debug, PartialEq, Eq)]
pub struct PlannedAccount {
    /// The author's name in the file.
    pub author: String,
    /// The direct conversation that the account exists for; absent for authors of groups.
    pub only_in: Option<String>,
    /// Its conversations, by their place in [`Plan::conversations`].
    pub conversations: Vec<usize>,
}

/// A message to be sent.
#[derive(Debug, PartialEq, Eq)]
pub struct PlannedMessage {
    /// Where, by place in [`Plan::conversations`].
    pub conversation: usize,
    /// Whose, by place in [`Plan::accounts`].
    pub account: usize,
    /// When it was said.
    pub second: u64,
    /// The text.
    pub text: String,
}

/// The authors of one conversation, in order of their first line, with how many lines they wrote.
#[derive(Default)]
struct Cast {
    authors: Vec<(String, usize)>,
    places: HashMap<String, usize>,
}

impl Cast {
    fn count(&mut self, author: &str) {
        let place = *self.places.entry(author.to_owned()).or_insert_with(|| {
            self.authors.push((author.to_owned(), 0));
            self.authors.len() - 1
        });
        self.authors[place].1 += 1;
    }

    /// The busiest authors; among equals, whoever spoke first.
    fn busiest(self) -> Vec<String> {
        let mut authors = self.authors;
        authors.sort_by_key(|(_, lines)| Reverse(*lines));
        authors.into_iter().take(GROUP_MEMBERS).map(|(author, _)| author).collect()
    }
}

/// Which account an author is in a conversation.
type Seats = HashMap<(usize, String), usize>;

impl Plan {
    /// Plans the replay of `lines`.
    ///
    /// Two authors become a direct conversation with accounts of their own; any other number becomes a group of the
    /// [`GROUP_MEMBERS`] busiest, in which the same author is the same account from group to group.
    pub fn of(lines: Vec<Line>) -> Self {
        let mut plan = Self::default();
        let seats = plan.seat(casts(&lines));
        let names = plan.conversations.iter().enumerate();
        let places: HashMap<String, usize> = names.map(|(place, one)| (one.name.clone(), place)).collect();
        for line in lines {
            let Line { conversation, second, author, text } = line;
            let conversation = places[&conversation];
            match seats.get(&(conversation, author)) {
                Some(&account) => plan.messages.push(PlannedMessage { conversation, account, second, text }),
                None => plan.left_out += 1,
            }
        }
        plan
    }

    /// Makes the conversations and their accounts.
    fn seat(&mut self, casts: Vec<(String, Cast)>) -> Seats {
        let mut seats = Seats::new();
        let mut known: HashMap<String, usize> = HashMap::new();
        for (name, cast) in casts {
            let conversation = self.conversations.len();
            let authors = cast.busiest();
            let is_direct = authors.len() == 2;
            let mut members = Vec::with_capacity(authors.len());
            for author in authors {
                let account = if is_direct {
                    self.add_account(&author, Some(name.clone()))
                } else {
                    *known.entry(author.clone()).or_insert_with(|| self.add_account(&author, None))
                };
                self.accounts[account].conversations.push(conversation);
                members.push(account);
                seats.insert((conversation, author), account);
            }
            let kind = if is_direct { ConversationKind::Direct } else { ConversationKind::Group };
            self.conversations.push(PlannedConversation { name, kind, members });
        }
        seats
    }

    fn add_account(&mut self, author: &str, only_in: Option<String>) -> usize {
        self.accounts.push(PlannedAccount { author: author.to_owned(), only_in, conversations: Vec::new() });
        self.accounts.len() - 1
    }
}

/// The authors of each conversation, in order of the conversations' first lines.
fn casts(lines: &[Line]) -> Vec<(String, Cast)> {
    let mut casts: Vec<(String, Cast)> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for line in lines {
        let place = *places.entry(&line.conversation).or_insert_with(|| {
            casts.push((line.conversation.clone(), Cast::default()));
            casts.len() - 1
        });
        casts[place].1.count(&line.author);
    }
    casts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(conversation: &str, author: &str) -> Line {
        let (conversation, author) = (conversation.to_owned(), author.to_owned());
        Line { conversation, second: 0, author, text: "hello".to_owned() }
    }

    #[test]
    fn two_authors_get_a_direct_conversation_with_accounts_of_their_own() {
        let plan = Plan::of(vec![line("x", "a"), line("x", "b"), line("y", "a"), line("y", "b")]);
        assert_eq!(plan.accounts.len(), 4);
        assert!(plan.conversations.iter().all(|one| one.kind == ConversationKind::Direct));
        assert_eq!(plan.accounts[2].conversations, [1]);
        assert_eq!(plan.accounts[2].only_in.as_deref(), Some("y"));
    }

    #[test]
    fn more_authors_get_a_group_and_stay_the_same_from_group_to_group() {
        let lines = ["x", "y"].iter().flat_map(|name| ["a", "b", "c"].map(|author| line(name, author)));
        let plan = Plan::of(lines.collect());
        assert_eq!(plan.accounts.len(), 3);
        assert!(plan.conversations.iter().all(|one| one.kind == ConversationKind::Group));
        assert_eq!(plan.accounts[1].conversations, [0, 1]);
        assert_eq!((plan.messages.len(), plan.left_out), (6, 0));
    }

    #[test]
    fn only_the_busiest_hundred_are_members_and_the_rest_is_counted() {
        let mut lines: Vec<Line> = (0..130).map(|number| line("x", &format!("quiet{number}"))).collect();
        lines.extend((0..40).flat_map(|number| {
            let author = format!("loud{number}");
            [line("x", &author), line("x", &author)]
        }));
        let plan = Plan::of(lines);
        assert_eq!(plan.conversations[0].members.len(), GROUP_MEMBERS);
        assert_eq!(plan.left_out, 70);
        assert_eq!(plan.messages.len(), 140);
        let authors: Vec<&str> = plan.accounts.iter().map(|account| account.author.as_str()).collect();
        assert_eq!(authors.iter().filter(|author| author.starts_with("loud")).count(), 40);
        assert!(authors.contains(&"quiet59") && !authors.contains(&"quiet60"));
    }
}
