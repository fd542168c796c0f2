//! Who hears whom, and how far each conversation has come.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::plan::Circles;

/// Bytes of a conversation's id.
const ID_BYTES: usize = 36;

/// All conversations.
#[derive(Default)]
pub struct Hearing {
    members: u32,
    /// Named conversations; empty where neighbours are one.
    named: Vec<Vec<u32>>,
    places: HashMap<[u8; ID_BYTES], u32, RandomState>,
    /// The highest number given in each.
    heads: Vec<u64>,
}

impl Hearing {
    pub fn new(circles: Circles) -> Self {
        let mut hearing =
            Self { members: 1, named: Vec::new(), places: HashMap::default(), heads: Vec::new() };
        match circles {
            Circles::Even(members) => hearing.members = members.max(1),
            Circles::Named(circles) => {
                for circle in circles {
                    if let Ok(id) = circle.conversation.as_bytes().try_into() {
                        hearing.places.insert(id, hearing.named.len() as u32);
                        hearing.named.push(circle.numbers);
                    }
                }
            }
        }
        hearing
    }

    /// The conversation that this id names for whoever has this number.
    pub fn circle(&self, number: u32, conversation: &[u8]) -> Option<u32> {
        if self.named.is_empty() {
            return Some(number / self.members);
        }
        let id: &[u8; ID_BYTES] = conversation.try_into().ok()?;
        self.places.get(id).copied()
    }

    /// The number of a conversation's next entry.
    pub fn next(&mut self, circle: u32) -> u64 {
        let place = circle as usize;
        if place >= self.heads.len() {
            self.heads.resize(place + 1, 0);
        }
        self.heads[place] += 1;
        self.heads[place]
    }

    /// Calls `each` with everybody in a conversation but `number`.
    pub fn others(&self, circle: u32, number: u32, mut each: impl FnMut(u32)) {
        match self.named.get(circle as usize) {
            Some(named) => named.iter().copied().filter(|other| *other != number).for_each(each),
            None => {
                let first = circle * self.members;
                (first..first + self.members).filter(|other| *other != number).for_each(&mut each);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::plan::Circle;
    use super::*;

    fn others(hearing: &Hearing, circle: u32, number: u32) -> Vec<u32> {
        let mut all = Vec::new();
        hearing.others(circle, number, |other| all.push(other));
        all
    }

    #[test]
    fn neighbours_hear_each_other() {
        let hearing = Hearing::new(Circles::Even(3));
        assert_eq!(hearing.circle(7, b"whatever"), Some(2));
        assert_eq!(others(&hearing, 2, 7), [6, 8]);
    }

    #[test]
    fn named_conversations_are_found_by_their_ids() {
        let [pair, group] = ["a", "b"].map(|letter| letter.repeat(ID_BYTES));
        let circles = [(&pair, vec![0, 1]), (&group, vec![0, 1, 4])]
            .map(|(id, numbers)| Circle { conversation: id.clone(), numbers });
        let mut hearing = Hearing::new(Circles::Named(circles.to_vec()));
        assert_eq!(hearing.circle(1, pair.as_bytes()), Some(0));
        assert_eq!(hearing.circle(1, b"stranger"), None);
        let group = hearing.circle(1, group.as_bytes()).expect("it is named");
        assert_eq!(others(&hearing, group, 1), [0, 4]);
        assert_eq!([hearing.next(group), hearing.next(group), hearing.next(0)], [1, 2, 1]);
    }
}
