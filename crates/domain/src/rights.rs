//! Who may do what, and who may see who is there: the tables from which the documentation and the refusal tests are
//! generated.

use suda_proto::entry::{ConversationKind, Role};
use suda_proto::rest::{Audience, Relation};

use crate::ports::contacts::Between;

/// An act that needs a right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Right {
    /// Send a message.
    Send,
    /// React to a message.
    React,
    /// Edit an own message, within the conversation's time for it.
    EditOwn,
    /// Delete an own message.
    DeleteOwn,
    /// Delete anybody's message.
    DeleteAny,
    /// Leave. The owner hands over first, unless nobody else is left.
    Leave,
    /// Change title, history, edit time and data.
    ChangeSettings,
    /// Add members.
    AddMembers,
    /// Remove members of a lower role.
    RemoveMembers,
    /// Change a member's role, or hand the group over.
    ChangeRoles,
    /// Close the group for good.
    Dissolve,
}

impl Right {
    /// Every right.
    pub const ALL: [Self; 11] = [
        Self::Send,
        Self::React,
        Self::EditOwn,
        Self::DeleteOwn,
        Self::DeleteAny,
        Self::Leave,
        Self::ChangeSettings,
        Self::AddMembers,
        Self::RemoveMembers,
        Self::ChangeRoles,
        Self::Dissolve,
    ];

    /// The right in words, for the documentation.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Send => "send messages",
            Self::React => "react",
            Self::EditOwn => "edit own messages",
            Self::DeleteOwn => "delete own messages",
            Self::DeleteAny => "delete anybody's messages",
            Self::Leave => "leave",
            Self::ChangeSettings => "change title, history, edit time and data",
            Self::AddMembers => "add members",
            Self::RemoveMembers => "remove members of a lower role",
            Self::ChangeRoles => "promote, demote, hand over",
            Self::Dissolve => "dissolve",
        }
    }

    /// The lowest role that has the right in a conversation of this kind; `None` where nobody has it.
    pub const fn lowest(self, kind: ConversationKind) -> Option<Role> {
        match (kind, self) {
            (ConversationKind::Own, _) => None,
            (_, Self::Send | Self::React | Self::EditOwn | Self::DeleteOwn) => Some(Role::Member),
            (ConversationKind::Direct, _) => None,
            (ConversationKind::Group, Self::Leave) => Some(Role::Member),
            (
                ConversationKind::Group,
                Self::DeleteAny | Self::ChangeSettings | Self::AddMembers | Self::RemoveMembers,
            ) => Some(Role::Admin),
            (ConversationKind::Group, Self::ChangeRoles | Self::Dissolve) => Some(Role::Owner),
        }
    }

    /// Whether a member of this role has the right in a conversation of this kind.
    pub fn is_given(self, kind: ConversationKind, role: Role) -> bool {
        self.lowest(kind).is_some_and(|lowest| role >= lowest)
    }
}

/// The table in Markdown, for `docs/protocol.md`.
pub fn markdown() -> String {
    let mut table =
        String::from("| may | direct | group member | group admin | group owner |\n|---|---|---|---|---|\n");
    let word = |given: bool| if given { "yes" } else { "no" };
    for right in Right::ALL {
        let direct = right.is_given(ConversationKind::Direct, Role::Member);
        let [member, admin, owner] = [Role::Member, Role::Admin, Role::Owner]
            .map(|role| word(right.is_given(ConversationKind::Group, role)));
        table.push_str(&format!("| {} | {} | {member} | {admin} | {owner} |\n", right.words(), word(direct)));
    }
    table
}

/// Whether one account may see when another is online or types, when it was last active, and how far it has read: by the
/// `who_may_see` of both, and how they stand. Everybody sees that of itself; nobody needs to ask.
pub const fn may_see(viewer: Audience, target: Audience, between: &Between) -> bool {
    if between.is_blocked() {
        return false;
    }
    match (viewer, target) {
        (Audience::Nobody, _) | (_, Audience::Nobody) => false,
        (_, Audience::Contacts) => between.are_contacts(),
        (_, Audience::Everyone) => true,
    }
}

/// The table of [`may_see`] in Markdown, for `docs/protocol.md`.
pub fn seeing_markdown() -> String {
    let mut table = String::from(
        "| the account's `who_may_see` | a stranger | a contact | who blocks it, or is blocked | whose own setting is `nobody` |\n\
         |---|---|---|---|---|\n",
    );
    let stranger = Between::default();
    let contact = Between { first: Some(Relation::Contact), second: Some(Relation::Contact) };
    let blocked = Between { first: None, second: Some(Relation::Blocked) };
    let settings =
        [("everyone", Audience::Everyone), ("contacts", Audience::Contacts), ("nobody", Audience::Nobody)];
    for (name, target) in settings {
        let viewers = [
            (Audience::Everyone, &stranger),
            (Audience::Everyone, &contact),
            (Audience::Everyone, &blocked),
            (Audience::Nobody, &contact),
        ];
        table.push_str(&format!("| `{name}` |"));
        for (viewer, between) in viewers {
            table.push_str(if may_see(viewer, target, between) { " yes |" } else { " no |" });
        }
        table.push('\n');
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every pair of settings and relations, against the rules one by one.
    #[test]
    fn who_may_see_whom() {
        use Audience::{Contacts, Everyone, Nobody};
        use Relation::{Asked, Blocked, Contact, Requested};
        let settings = [Everyone, Contacts, Nobody];
        let relations = [None, Some(Requested), Some(Asked), Some(Contact), Some(Blocked)];
        let mut seen = 0;
        for (viewer, target) in settings.into_iter().flat_map(|one| settings.map(|other| (one, other))) {
            for (first, second) in relations.into_iter().flat_map(|one| relations.map(|other| (one, other))) {
                let between = Between { first, second };
                let is_seen = may_see(viewer, target, &between);
                let case = format!("{viewer:?} looks at {target:?}, {between:?}");
                let mirrored = Between { first: second, second: first };
                assert_eq!(is_seen, may_see(viewer, target, &mirrored), "the sides do not matter: {case}");
                let is_hidden =
                    [first, second].contains(&Some(Blocked)) || [viewer, target].contains(&Nobody);
                let is_stranger = (first, second) != (Some(Contact), Some(Contact));
                match target {
                    _ if is_hidden => assert!(!is_seen, "{case}"),
                    Contacts if is_stranger => assert!(!is_seen, "{case}"),
                    _ => assert!(is_seen, "{case}"),
                }
                seen += usize::from(is_seen);
            }
        }
        // Two settings of whoever looks, times the 16 ways without a block to see everyone, and the one to see contacts.
        assert_eq!(seen, 2 * (16 + 1));
    }

    #[test]
    fn the_table_says_the_same() {
        let table = seeing_markdown();
        let rows: Vec<&str> = table.lines().skip(2).collect();
        assert_eq!(
            rows,
            [
                "| `everyone` | yes | yes | no | no |",
                "| `contacts` | no | yes | no | no |",
                "| `nobody` | no | no | no | no |"
            ]
        );
    }
}
