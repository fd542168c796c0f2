//! Who may do what: the one table from which the documentation and the refusal tests are generated.

use suda_proto::entry::{ConversationKind, Role};

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
