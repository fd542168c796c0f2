/** Two clients and the real server: everything that people do, once. */

import { afterAll, beforeAll, expect, test } from 'vitest';

import type { Client, ConversationId } from '../src/node.js';
import { another, join, texts } from './support/people.js';
import { Server } from './support/server.js';
import { event, until } from './support/waiting.js';

let server: Server;
let mina: Client;
let joon: Client;
let direct: ConversationId;

beforeAll(async () => {
  server = await Server.start();
  [mina, joon] = await Promise.all([join(server, 'mina'), join(server, 'joon')]);
  direct = await mina.openDirect(joon.me.value.account);
}, 60_000);

afterAll(async () => {
  mina.close();
  joon.close();
  await server.remove();
});

test('a message is pending, then stored, and arrives', async () => {
  const [here, there] = [mina.conversation(direct).timeline(), joon.conversation(direct).timeline()];
  const added = event(joon, 'messages_added', ({ messages }) => texts(messages).includes('Hello Joon'));
  await mina.conversation(direct).send('Hello Joon');
  const view = await until(here, ({ messages }) => messages.at(-1)?.state.state === 'sent');
  expect(texts(view.messages)).toEqual(['Hello Joon']);
  const came = await until(there, ({ messages }) => texts(messages).includes('Hello Joon'));
  expect(came.messages.at(-1)?.author).toBe(mina.me.value.account);
  expect((await added).messages.map((one) => one.seq)).toEqual([came.messages.at(-1)?.seq]);
  here.close();
  there.close();
});

test('many messages keep their order on both sides', async () => {
  const group = await mina.createGroup({ title: 'Lunch' }, [joon.me.value.account]);
  const [here, there] = [mina.conversation(group).timeline(), joon.conversation(group).timeline()];
  const expected = Array.from({ length: 120 }, (_, index) => `message ${String(index)}`);
  await Promise.all(expected.map((text) => mina.conversation(group).send(text)));
  const isAll = ({ messages }: { messages: readonly unknown[] }): boolean => messages.length === 121;
  const [own, came] = await Promise.all([until(here, isAll), until(there, isAll)]);
  expect(texts(own.messages)).toEqual(expected);
  expect(texts(came.messages)).toEqual(expected);
  here.close();
  there.close();
});

test('history comes in pages, and a jump lands where it should', async () => {
  const group = await mina.createGroup({ title: 'Long' }, [joon.me.value.account]);
  const total = 400;
  for (let index = 0; index < total; index += 1) await mina.conversation(group).send(`line ${String(index)}`);
  await until(mina.conversation(group).summary, (row) => row?.unsent === 0);
  const late = await another(server, 'joon');
  const timeline = late.conversation(group).timeline({ pageSize: 50 });
  await until(timeline, ({ messages, hasEarlier }) => messages.length >= 50 && hasEarlier);
  while (await timeline.loadEarlier());
  expect(texts(timeline.value.messages)).toEqual(
    Array.from({ length: total }, (_, index) => `line ${String(index)}`),
  );
  expect(timeline.value.hasEarlier).toBe(false);
  await timeline.jumpTo(100);
  expect(timeline.value.messages.some((message) => message.seq === 100)).toBe(true);
  expect(timeline.value.hasLater).toBe(true);
  while (await timeline.loadLater());
  expect(timeline.value.hasLater).toBe(false);
  expect(texts(timeline.value.messages).at(-1)).toBe(`line ${String(total - 1)}`);
  timeline.close();
  late.close();
}, 60_000);

test('edits, deletions, replies and reactions reach the other', async () => {
  const [own, other] = [mina.conversation(direct), joon.conversation(direct)];
  const [here, there] = [own.timeline(), other.timeline()];
  await own.send('Frist');
  const stored = await until(there, ({ messages }) => texts(messages).at(-1) === 'Frist');
  const seq = stored.messages.at(-1)?.seq ?? 0;
  await own.edit(seq, 'First');
  const edited = await until(there, ({ messages }) => texts(messages).at(-1) === 'First');
  expect(edited.messages.at(-1)?.edited).toBe(true);
  await other.react(seq, '👍');
  const find = (view: typeof edited): (typeof edited)['messages'][number] | undefined =>
    view.messages.find((message) => message.seq === seq);
  const liked = await until(here, (view) => find(view)?.reactions.length === 1);
  expect(find(liked)?.reactions).toEqual([{ emoji: '👍', count: 1, mine: false }]);
  const mine = await until(there, (view) => find(view)?.reactions[0]?.mine === true && !find(view)?.changing);
  expect(find(mine)?.reactions).toEqual([{ emoji: '👍', count: 1, mine: true }]);
  expect(await own.reactions(seq)).toEqual([{ account: joon.me.value.account, emoji: '👍' }]);
  await other.react(seq, '🎉');
  await until(here, (view) => find(view)?.reactions[0]?.emoji === '🎉');
  await other.send('A reply', { replyTo: seq });
  await until(here, ({ messages }) => messages.at(-1)?.replyTo === seq);
  await own.delete(seq);
  await until(there, (view) => find(view)?.content.type === 'deleted');
  here.close();
  there.close();
});

test('marks, unread counts, typing and presence are told', async () => {
  const [own, other] = [mina.conversation(direct), joon.conversation(direct)];
  const here = own.timeline();
  const stop = own.details.subscribe(() => undefined);
  await own.send('Read this');
  const row = await until(other.summary, (summary) => (summary?.unread ?? 0) > 0);
  expect(joon.unread.value.unread).toBeGreaterThan(0);
  const there = other.timeline();
  await other.markRead(row?.head ?? 0);
  expect(other.summary.value?.unread).toBe(0);
  const isRead = (details: typeof own.details.value): boolean =>
    details?.members.some(
      (member) => member.account !== mina.me.value.account && member.read >= (row?.head ?? 0),
    ) ?? false;
  await until(own.details, isRead);
  await until(own.presence, ({ peer }) => peer?.state === 'online');
  other.typing(true);
  await until(own.presence, ({ typing }) => typing.includes(joon.me.value.account));
  other.typing(false);
  await until(own.presence, ({ typing }) => typing.length === 0);
  await until(mina.presence(joon.me.value.account), ({ state }) => state === 'online');
  stop();
  here.close();
  there.close();
});

test('drafts, pins, mutes and contacts agree on all devices', async () => {
  const second = await another(server, 'mina');
  const [here, there] = [mina.conversation(direct), second.conversation(direct)];
  await here.setDraft('not yet');
  await here.setPin(3);
  await here.setMute({ until: null, except_mentions: true });
  await here.setArchived(true);
  const row = await until(
    there.summary,
    (summary) => summary?.archived === true && summary.draft === 'not yet',
  );
  expect(row?.pin).toBe(3);
  expect(row?.mute).toEqual({ until: null, except_mentions: true });
  await here.setArchived(false);
  await here.setMute(null);
  await here.setDraft(null);
  await until(there.summary, (summary) => summary?.archived === false && summary.draft === undefined);
  await mina.requestContact(joon.me.value.account);
  await until(joon.contacts, (contacts) => contacts[0]?.relation === 'asked');
  await joon.requestContact(mina.me.value.account);
  await until(second.contacts, (contacts) => contacts[0]?.relation === 'contact');
  await mina.setAppValue('theme', { dark: true });
  await until(second.appValue('theme'), (value) => JSON.stringify(value) === '{"dark":true}');
  second.close();
});

test('names come by themselves, and groups change', async () => {
  expect((await until(mina.conversation(direct).summary, (row) => row?.title === 'JOON'))?.peer).toBe(
    joon.me.value.account,
  );
  const profile = await until(joon.profile(mina.me.value.account), (one) => one !== undefined);
  expect(profile?.display_name).toBe('MINA');
  const group = await mina.createGroup({ title: 'Before' }, []);
  await mina.conversation(group).addMembers([joon.me.value.account]);
  await until(joon.conversation(group).summary, (row) => row?.role === 'member');
  await mina.conversation(group).changeGroup({ title: 'After' });
  await until(joon.conversation(group).summary, (row) => row?.title === 'After');
  await mina.conversation(group).changeRole(joon.me.value.account, 'admin');
  await until(joon.conversation(group).summary, (row) => row?.role === 'admin');
  await joon.conversation(group).leave();
  await until(joon.conversation(group).summary, (row) => row !== undefined && row.role === undefined);
  await until(mina.conversation(group).summary, (row) => row?.members === 1);
});

test('a message that the server refuses stays visible as failed, and can be given up', async () => {
  await joon.block(mina.me.value.account);
  const own = mina.conversation(direct);
  const here = own.timeline();
  const failed = event(mina, 'send_failed');
  const clientId = await own.send('Can you hear me?');
  expect((await failed).error.code).toBe('blocked');
  const view = await until(here, ({ messages }) => messages.at(-1)?.state.state === 'failed');
  expect(view.messages.at(-1)?.clientId).toBe(clientId);
  await own.discard(clientId);
  await until(here, ({ messages }) => messages.every((message) => message.clientId !== clientId));
  await joon.unblock(mina.me.value.account);
  here.close();
});
