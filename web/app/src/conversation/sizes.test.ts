// Bytes of UTF-8, compared with what the platform encodes.
import { expect, it } from 'vitest';

import { utf8Bytes } from './sizes';

it.each(['', 'a', 'é', '한국어', '👍🏽', '\ud800', '\udc00a', 'a\ud83d', '\u07ff\u0800\uffff'])('%s', (text) =>
  expect(utf8Bytes(text)).toBe(new TextEncoder().encode(text).length),
);
