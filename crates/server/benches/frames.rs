//! What decoding one client's frame costs: `cargo bench -p suda-server`.

use divan::Bencher;
use suda_server::gateway::websocket::decoder::{Decoded, Decoder};
use suda_server::session::Frame;

fn main() {
    divan::main();
}

#[divan::bench(args = [100, 350, 16_384])]
fn decode_text(bencher: Bencher<'_, '_>, length: usize) {
    // A server's frame with the mask bit, a mask of zeroes behind its header.
    let frame = Frame::text(&"x".repeat(length));
    let mut bytes = frame.wire().to_vec();
    bytes[1] |= 0x80;
    let header = frame.wire().len() - length;
    bytes.splice(header..header, [0; 4]);
    let mut decoder = Decoder::new(64 * 1024);
    bencher.bench_local(|| {
        assert!(matches!(decoder.next(&mut bytes), Ok(Decoded::Message(..))));
    });
}
