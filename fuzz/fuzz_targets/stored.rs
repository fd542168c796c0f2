//! Stored forms: any bytes are a value or an error, and a value is the same when it was stored and read again.
#![no_main]

use std::fmt::Debug;

use libfuzzer_sys::fuzz_target;
use suda_domain::entry::Envelope;
use suda_domain::membership::{Header, Membership};
use suda_domain::message::MessageState;
use suda_domain::receipts::{Marks, Summary};
use suda_domain::stored::Stored;

fuzz_target!(|bytes: &[u8]| {
    survives::<Envelope>(bytes);
    survives::<Marks>(bytes);
    survives::<Summary>(bytes);
    survives::<MessageState>(bytes);
    if let Some(membership) = survives::<Membership>(bytes) {
        assert_eq!(Header::decode(bytes).as_ref(), Ok(&membership.header));
        assert_eq!(Header::decode(&membership.encode()), Ok(membership.header));
    } else {
        // Nothing is known of what it reads then, except that it returns.
        let _ = Header::decode(bytes);
    }
});

fn survives<T: Stored + PartialEq + Debug>(bytes: &[u8]) -> Option<T> {
    let value = T::decode(bytes).ok()?;
    assert_eq!(T::decode(&value.encode()).as_ref(), Ok(&value));
    Some(value)
}
