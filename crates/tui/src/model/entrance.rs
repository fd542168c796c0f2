//! The form at the entrance: log in, sign up, or recover an account.

use crate::text::editor::Editor;
use crate::words::Word;

/// The most bytes of a field.
const FIELD_BYTES: usize = 1_024;

/// What the form is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// An account exists.
    LogIn,
    /// A new account.
    SignUp,
    /// The password is lost, but not the recovery codes.
    Recover,
}

impl Purpose {
    /// All of them, in the order of the form's head.
    pub const ALL: [Self; 3] = [Self::LogIn, Self::SignUp, Self::Recover];

    /// What it is called.
    pub const fn word(self) -> Word {
        match self {
            Self::LogIn => Word::LogIn,
            Self::SignUp => Word::SignUp,
            Self::Recover => Word::Recover,
        }
    }
}

/// One field of the form.
#[derive(Clone, Debug)]
pub struct Field {
    /// What it is called.
    pub label: Word,
    /// What is typed.
    pub editor: Editor,
    /// Whether dots are shown instead.
    pub is_secret: bool,
    /// Whether it may stay empty.
    pub is_optional: bool,
}

/// The form.
#[derive(Clone, Debug)]
pub struct Entrance {
    /// What it is for.
    pub purpose: Purpose,
    /// Its fields, from top to bottom.
    pub fields: Vec<Field>,
    /// Which field takes the keys; `None` is the head, where the purpose is chosen.
    pub focus: Option<usize>,
    /// Whether the server is being asked.
    pub is_asking: bool,
    /// What went wrong.
    pub problem: Option<String>,
}

impl Entrance {
    /// An empty form, save the name.
    pub fn new(purpose: Purpose, name: &str) -> Self {
        let mut form = Self {
            purpose,
            fields: fields(purpose),
            focus: Some(usize::from(!name.is_empty())),
            is_asking: false,
            problem: None,
        };
        form.fields[0].editor.set(name);
        form
    }

    /// Turns to another purpose; the name stays.
    pub fn turn_to(&mut self, purpose: Purpose) {
        let focus = self.focus;
        let name = self.text(Word::Name).to_owned();
        *self = Self::new(purpose, &name);
        self.focus = focus.map(|index| index.min(self.fields.len() - 1));
    }

    /// The purpose `steps` further in the head.
    pub fn neighbour(&self, steps: isize) -> Purpose {
        let all = Purpose::ALL;
        let here = all.iter().position(|purpose| *purpose == self.purpose);
        let here = isize::try_from(here.unwrap_or_default()).unwrap_or_default();
        let there = (here + steps).rem_euclid(all.len() as isize);
        all[usize::try_from(there).unwrap_or_default()]
    }

    /// What stands in a field.
    pub fn text(&self, label: Word) -> &str {
        let field = self.fields.iter().find(|field| field.label == label);
        field.map_or("", |field| field.editor.text())
    }

    /// Moves to the next or preceding field, past the ends.
    pub fn move_focus(&mut self, steps: isize) {
        let places = self.fields.len() as isize + 1;
        let here = self.focus.map_or(0, |index| index as isize + 1);
        let there = (here + steps).rem_euclid(places);
        self.focus = usize::try_from(there - 1).ok();
    }

    /// The field that takes the keys.
    pub fn focused(&mut self) -> Option<&mut Field> {
        self.focus.and_then(|index| self.fields.get_mut(index))
    }
}

fn fields(purpose: Purpose) -> Vec<Field> {
    let field = |label, is_secret, is_optional| Field {
        label,
        editor: Editor::line(FIELD_BYTES),
        is_secret,
        is_optional,
    };
    let mut fields = vec![field(Word::Name, false, false)];
    match purpose {
        Purpose::LogIn => fields.push(field(Word::Password, true, false)),
        Purpose::SignUp => fields.extend([
            field(Word::DisplayName, false, true),
            field(Word::Password, true, false),
            field(Word::PasswordAgain, true, false),
            field(Word::Invitation, false, true),
        ]),
        Purpose::Recover => fields.extend([
            field(Word::RecoveryCode, false, false),
            field(Word::NewPassword, true, false),
            field(Word::PasswordAgain, true, false),
        ]),
    }
    fields
}
