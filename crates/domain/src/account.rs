//! The rules of names, display names and passwords.

use suda_proto::{Code, ErrorBody};
use unicode_normalization::UnicodeNormalization;

/// Checks a unique name: 2 to 32 characters of `[a-z0-9_.]`.
///
/// # Errors
/// `bad_name`.
pub fn check_name(name: &str) -> Result<(), ErrorBody> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '.';
    if (2..=32).contains(&name.len()) && name.chars().all(fits) { Ok(()) } else { Err(Code::BadName.error()) }
}

/// Brings a display name into form: NFC, trimmed, 1 to 64 characters, no control or bidirectional override characters.
///
/// # Errors
/// `bad_display_name`.
pub fn display_name(text: &str) -> Result<String, ErrorBody> {
    line(text, 64).filter(|name| !name.is_empty()).ok_or_else(|| Code::BadDisplayName.error())
}

/// Brings a line of text into form: NFC, trimmed, at most `most` characters, nothing that breaks or turns the line.
pub fn line(text: &str, most: usize) -> Option<String> {
    let text: String = text.trim().nfc().collect();
    let turns = |c: char| matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    let fits = text.chars().count() <= most && !text.chars().any(|c| c.is_control() || turns(c));
    fits.then_some(text)
}

/// Checks a password: 8 to 256 characters, whichever.
///
/// # Errors
/// `weak_password`.
pub fn check_password(password: &str) -> Result<(), ErrorBody> {
    if (8..=256).contains(&password.chars().count()) { Ok(()) } else { Err(Code::WeakPassword.error()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_and_plain() {
        for good in ["ab", "mina_1", "a.b", &"x".repeat(32)] {
            assert!(check_name(good).is_ok(), "{good}");
        }
        for bad in ["a", "", "Mina", "mi na", "미나", "a-b", &"x".repeat(33)] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn display_names_are_normalised() {
        assert_eq!(display_name(" \u{1112}\u{1161}\u{11ab} ").expect("fits"), "한");
        for bad in ["", "  ", "a\nb", "a\u{202E}b", &"가".repeat(65)] {
            assert!(display_name(bad).is_err(), "{bad:?}");
        }
    }
}
