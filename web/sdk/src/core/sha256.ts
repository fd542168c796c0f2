/** SHA-256 (FIPS 180-4), for derived ids: the browser's own is absent on pages without HTTPS, and never synchronous. */

/** What the digest begins with, and what each round mixes in. */
interface Constants {
  initial: readonly number[];
  rounds: readonly number[];
}

/** Made when the first digest is: pages that need none do not wait for it. */
let constants: Constants | undefined;

/** The digest of a message, 32 bytes. */
export function sha256(message: Uint8Array): Uint8Array {
  const padded = new Uint8Array((((message.length + 8) >> 6) + 1) << 6);
  padded.set(message);
  padded[message.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(padded.length - 4, message.length * 8);
  constants ??= { initial: fractions(8, Math.sqrt), rounds: fractions(64, Math.cbrt) };
  const { initial, rounds } = constants;
  const state = Uint32Array.from(initial);
  for (let offset = 0; offset < padded.length; offset += 64) compress(state, view, offset, rounds);
  const digest = new DataView(new ArrayBuffer(32));
  state.forEach((word, index) => digest.setUint32(index * 4, word));
  return new Uint8Array(digest.buffer);
}

function compress(state: Uint32Array, view: DataView, offset: number, rounds: readonly number[]): void {
  const words = schedule(view, offset);
  let [a, b, c, d, e, f, g, h] = state as unknown as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  for (let round = 0; round < 64; round += 1) {
    const mixed = turned(e, 6) ^ turned(e, 11) ^ turned(e, 25);
    const first = (h + mixed + ((e & f) ^ (~e & g)) + (rounds[round] ?? 0) + (words[round] ?? 0)) | 0;
    const second = ((turned(a, 2) ^ turned(a, 13) ^ turned(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + first) | 0, c, b, a, (first + second) | 0];
  }
  [a, b, c, d, e, f, g, h].forEach((word, index) => (state[index] = ((state[index] ?? 0) + word) | 0));
}

function schedule(view: DataView, offset: number): Int32Array {
  const words = new Int32Array(64);
  for (let index = 0; index < 64; index += 1) {
    if (index < 16) {
      words[index] = view.getInt32(offset + index * 4);
      continue;
    }
    const [near, far] = [words[index - 15] ?? 0, words[index - 2] ?? 0];
    const small = turned(near, 7) ^ turned(near, 18) ^ (near >>> 3);
    const large = turned(far, 17) ^ turned(far, 19) ^ (far >>> 10);
    words[index] = (words[index - 16] ?? 0) + small + (words[index - 7] ?? 0) + large;
  }
  return words;
}

function turned(word: number, by: number): number {
  return (word >>> by) | (word << (32 - by));
}

/** The first 32 bits of the fractions of the first primes' roots. */
function fractions(count: number, rootOf: (prime: number) => number): number[] {
  return firstPrimes(count).map((prime) => {
    const root = rootOf(prime);
    return ((root - Math.floor(root)) * 2 ** 32) | 0;
  });
}

function firstPrimes(count: number): number[] {
  const primes: number[] = [];
  for (let candidate = 2; primes.length < count; candidate += 1) {
    if (primes.every((prime) => candidate % prime !== 0)) primes.push(candidate);
  }
  return primes;
}
