/** What an engine makes of a server that refuses, of answers that break off, and of its own end. */

import { expect, test, vi } from 'vitest';

import { ConversationHandle } from '../src/client/conversation.js';
import { Mirror } from '../src/client/mirror.js';
import { timeOrderedId } from '../src/core/ids.js';
import type { Desk } from '../src/engine/desk.js';
import type { Composed } from '../src/engine/sending.js';
import { Host } from '../src/engine/host.js';
import { traceOf } from '../src/errors.js';
import { Asking } from '../src/share/asking.js';
import type { FromOwner, FromPage, Way } from '../src/share/messages.js';
import { MemoryStore } from '../src/store/memory.js';
import type { OwnAccount } from '../src/wire.js';
import { ME, Stage, settled, type PlayedSocket } from './support/stage.js';

const conversation = 'e507be39-fa9f-8268-856b-b29a8e996e27';

function message(text: string, more: object = {}): Composed {
  const client_id = timeOrderedId(1_000, crypto.getRandomValues(new Uint8Array(10)));
  return { client_id, conversation, kind: 'message', body: { type: 'text', text, ...more } };
}

async function online(limits = {}): Promise<{ stage: Stage; desk: Desk; socket: PlayedSocket }> {
  const stage = new Stage();
  const { desk } = await stage.open();
  const [socket] = stage.sockets;
  if (!socket) throw new Error('no line is tried');
  socket.welcome(limits);
  await settled(desk);
  return { stage, desk, socket };
}

test('sends that are only out of turn do not shorten the pause that the server asked for', async () => {
  const { stage, desk, socket } = await online();
  for (const text of ['one', 'two', 'three']) await desk.compose(message(text));
  const [first, ...behind] = socket.take('send');
  expect(behind).toHaveLength(2);
  if (first) socket.refuse(first, { code: 'rate_limited', message: '', retry_after_ms: 1_000 });
  for (const asked of behind) {
    socket.refuse(asked, { code: 'out_of_turn', message: '', retry_after_ms: 50 });
  }
  await settled(desk);
  stage.pass(900);
  await settled(desk);
  expect(socket.take('send')).toEqual([]);
  stage.pass(200);
  await settled(desk);
  expect(socket.take('send')).toHaveLength(3);
});

test('what is too large for the server is refused at once, and stops nothing', async () => {
  const { desk, socket } = await online({ frame_bytes: 2_000, text_bytes: 1_000 });
  await expect(desk.compose(message('한'.repeat(334)))).rejects.toMatchObject({ code: 'text_too_long' });
  const data = 'x'.repeat(2_000);
  await expect(desk.compose(message('', { data }))).rejects.toMatchObject({ code: 'frame_too_large' });
  await expect(desk.setValue('app/note', data)).rejects.toMatchObject({ code: 'frame_too_large' });
  await desk.compose(message('x'.repeat(1_000)));
  expect(socket.take('send')).toHaveLength(1);
  expect(socket.take('set')).toEqual([]);
});

test('what waits and is too large for the server of today fails, and what is behind it goes out', async () => {
  const stage = new Stage();
  const { desk } = await stage.open();
  const [large, small] = [message('x'.repeat(3_000)), message('small')];
  await desk.compose(large);
  await desk.compose(small);
  await desk.setValue('app/note', 'x'.repeat(3_000));
  const [socket] = stage.sockets;
  socket?.welcome({ frame_bytes: 2_000 });
  await settled(desk);
  expect(socket?.take('set')).toEqual([]);
  expect(socket?.take('send').map(({ body }) => body['client_id'])).toEqual([small.client_id]);
  // Only what failed can be discarded.
  await desk.discard(large.client_id);
});

test('what is no JSON fails by itself, and stops nothing', async () => {
  const { stage, desk, socket } = await online();
  const handle = new ConversationHandle(conversation, desk, new Mirror({} as OwnAccount, desk), stage);
  await expect(handle.sendCustom({ count: 1n })).rejects.toMatchObject({ code: 'bad_request' });
  await handle.sendCustom({ count: 1, act: () => 1 });
  expect(socket.take('send').map(({ body }) => body['body'])).toEqual([
    { type: 'custom', data: { count: 1 } },
  ]);
});

test('a call that cannot travel fails by itself, also when another engine takes over', async () => {
  const travelled: FromPage[] = [];
  const way: Way<FromPage, FromOwner> = {
    send: (said) => travelled.push(structuredClone(said)),
    onmessage: () => undefined,
    close: () => undefined,
  };
  const opening = { server: '', key: { kind: 'cookie' }, device: { name: '', platform: 'web' } } as const;
  const listening = { told: () => undefined, taken: () => undefined };
  const asking = new Asking('page', { ...opening, storage: 'memory' }, () => Promise.resolve(''), listening);
  const early = asking.calls.rest('PATCH', '/v1/account', { data: () => 1 });
  asking.attach(way);
  way.onmessage({ say: 'opened', me: {} as OwnAccount });
  await expect(early).rejects.toMatchObject({ code: 'bad_request' });
  const late = asking.calls.rest('PATCH', '/v1/account', { data: () => 1 });
  await expect(late).rejects.toMatchObject({ code: 'bad_request' });
  way.onmessage({ say: 'opened', me: {} as OwnAccount });
  expect(travelled.map(({ say }) => say)).toEqual(['open']);
});

test('calls that wait when the engine ends are told so', async () => {
  const { desk } = await online();
  const calls = (): Promise<unknown>[] => [
    desk.refresh(conversation),
    desk.moreConversations(),
    desk.reactions(conversation, 1),
    desk.read(conversation, { at: 'newest' }, 10),
  ];
  const ending = desk.logOut(true);
  const waiting = calls();
  await ending;
  for (const call of [...waiting, ...calls()]) await expect(call).rejects.toMatchObject({ code: 'stopped' });
});

test('an answer that breaks off, or is no answer, does not end the tries for a line', async () => {
  const cutOff = (): Response =>
    new Response(new ReadableStream({ start: (body) => body.error(new Error()) }));
  for (const answer of [cutOff, () => Response.json({})]) {
    const stage = new Stage();
    const { desk } = await stage.open();
    stage.answers.set('/v1/gateways', answer);
    stage.sockets[0]?.onerror?.();
    await vi.waitFor(async () => {
      stage.pass(60_000);
      await settled(desk);
      expect(stage.sockets.length).toBeGreaterThan(1);
    });
  }
});

test('a new group appears although its row was read before a message that came first', async () => {
  const { stage, desk, socket } = await online();
  const say = (seq: number, kind: string, body: object): void => {
    const entry = { seq, at: 1_000, kind, author: ME, client_id: `${String(seq)}`, ordinal: seq, body };
    socket.tell('entries', { conversation, epoch: 1, entries: [entry] });
  };
  const detail = (head: number): object => ({
    row: {
      conversation,
      kind: 'group',
      epoch: 1,
      head,
      floor: 1,
      ordinal: 1,
      at: 1,
      members: 1,
      role: 'owner',
    },
    members: [],
  });
  say(1, 'created', { members: [ME] });
  await settled(desk);
  const [first] = socket.take('conversation');
  say(2, 'message', { type: 'text', text: 'hello' });
  if (first) socket.answer(first, detail(1));
  await settled(desk);
  const doubt = socket.take('history').find(({ body }) => body['conversation'] === conversation);
  if (doubt) socket.answer(doubt, { epoch: 1, head: 2, from: 2, to: 2, entries: [] });
  await settled(desk);
  const [second] = socket.take('conversation');
  if (second) socket.answer(second, detail(2));
  await settled(desk);
  stage.pass(100);
  expect(stage.told.flatMap(({ rows }) => rows ?? []).map((row) => row.conversation)).toContain(conversation);
});

test('a mistake in the engine ends it with a reason and a trace, and without what was said', async () => {
  const errors = vi.spyOn(console, 'error').mockImplementation(() => undefined);
  const { stage, desk, socket } = await online();
  socket.tell('marks', null);
  socket.tell('marks', null);
  await expect(settled(desk)).rejects.toMatchObject({ code: 'stopped' });
  expect(stage.told.at(-1)?.connection).toEqual({ state: 'stopped', reason: 'internal' });
  expect(errors.mock.calls).toEqual([
    [expect.any(String), expect.stringMatching(/^TypeError\n.*marks\.ts:/u)],
  ]);
  errors.mockRestore();
});

test('what the browser refuses to store ends the engine as such', async () => {
  const errors = vi.spyOn(console, 'error').mockImplementation(() => undefined);
  const write = vi.spyOn(MemoryStore.prototype, 'write');
  const { stage, desk } = await online();
  write.mockRejectedValue(new DOMException('full of secrets', 'QuotaExceededError'));
  await expect(desk.compose(message('secret'))).rejects.toThrow();
  await expect(settled(desk)).rejects.toMatchObject({ code: 'stopped' });
  expect(stage.told.at(-1)?.connection).toEqual({ state: 'stopped', reason: 'cache' });
  expect(errors.mock.calls).toEqual([[expect.any(String), expect.stringMatching(/^QuotaExceededError/u)]]);
  expect(JSON.stringify(errors.mock.calls)).not.toContain('secret');
  write.mockRestore();
  errors.mockRestore();
});

test('a trace holds nothing of a message, however long it is', () => {
  const trace = traceOf(new SyntaxError('secret\n    at secret (file:1:1)\nsecret'));
  expect(trace).toMatch(/^SyntaxError\n.*engine\.test\.ts/u);
  expect(trace).not.toContain('secret');
  expect(traceOf('secret')).toBe('string');
});

test("a log-out logs an app's user out, although the server ends the line before it answers", async () => {
  const stage = new Stage();
  let logIns = 0;
  stage.answers.set('/v1/login/app', () => {
    logIns += 1;
    return Response.json({ account: { account: ME }, device: ME, token: `token ${String(logIns)}` });
  });
  const opening = {
    server: 'http://stage',
    key: { kind: 'app' },
    device: { name: '', platform: 'web' },
    storage: 'memory',
  } as const;
  const host = await Host.open(stage, opening, () => Promise.resolve('signed'));
  const desk = host.desk(() => undefined);
  await settled(desk);
  const [socket] = stage.sockets;
  socket?.welcome();
  await settled(desk);
  stage.answers.set('/v1/logout', () => {
    socket?.onclose?.({ code: 4200 });
    return new Response(null, { status: 204 });
  });
  expect(await desk.logOut(false)).toBe(true);
  expect(host.isOver).toBe(true);
  expect(logIns).toBe(1);
});
