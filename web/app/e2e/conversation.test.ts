// A conversation between two people in two browsers: everything that can be said, changed, seen and undone.
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';

import { Account } from './support/account';
import { bubble, composer, messages, say, seen } from './support/page';
import { at, direct, joon, mina, server, setUpPair } from './support/pair';

setUpPair();

describe('two people', () => {
  it('write to each other, see each other type, and see that it was read', async () => {
    const [minas, joons] = [await at(mina), await at(joon)];
    await say(minas, 'Hello **Joon**');
    await seen(joons, 'Hello Joon');
    expect(await bubble(joons, 'Hello Joon').locator('strong').textContent()).toBe('Joon');
    await bubble(minas, 'Hello Joon').locator('[data-stage=read]').waitFor();
    await composer(joons).pressSequentially('Hi');
    await minas.locator('.subtitle.typing').waitFor();
    await joons.keyboard.press('Enter');
    await seen(minas, 'Hi');
    await minas.locator('.subtitle:not(.typing)').waitFor();
  });

  it('send in order without waiting', async () => {
    const [minas, joons] = [await at(mina), await at(joon)];
    for (let count = 1; count <= 20; count += 1) await say(minas, `number ${count}`);
    await seen(joons, 'number 20');
    const wanted = Array.from({ length: 20 }, (_, count) => `number ${count + 1}`);
    expect(await messages(joons)).toEqual(wanted);
    expect(await messages(minas)).toEqual(wanted);
  });

  it('reply, and jump to what was replied to', async () => {
    const first = await mina.send(direct, 'the very first');
    for (let count = 1; count <= 300; count += 1) await mina.send(direct, `filler ${count}`);
    await joon.send(direct, 'an answer', { target: first });
    const minas = await at(mina);
    const quote = bubble(minas, 'an answer').locator('button.quote');
    await quote.getByText('the very first').waitFor();
    await quote.click();
    await minas.locator('article.marked', { hasText: 'the very first' }).waitFor();
    expect(await messages(minas)).not.toContain('an answer');
    await minas.locator('button.newest').click();
    await seen(minas, 'an answer');

    await bubble(minas, 'an answer').hover();
    await minas.getByRole('button', { name: 'Reply', exact: true }).click();
    await say(minas, 'and back');
    await bubble(minas, 'and back').locator('.quote', { hasText: 'an answer' }).waitFor();
  });

  it('edit: with the arrow up in an empty box, and by the menu', async () => {
    const [minas, joons] = [await at(mina), await at(joon)];
    await say(minas, 'teh text');
    await bubble(minas, 'teh text').locator('[data-stage=read]').waitFor();
    await composer(minas).press('ArrowUp');
    await expect.poll(() => composer(minas).inputValue()).toBe('teh text');
    await composer(minas).fill('the text');
    await minas.keyboard.press('Enter');
    await seen(joons, 'the text');
    await bubble(joons, 'the text').getByText('edited').waitFor();
    expect(await composer(minas).inputValue()).toBe('');

    await bubble(minas, 'the text').click({ button: 'right' });
    await minas.getByRole('menuitem', { name: 'Edit' }).click();
    await minas.keyboard.press('Escape');
    expect(await composer(minas).inputValue()).toBe('');
  });

  it('delete, after a question', async () => {
    const [minas, joons] = [await at(mina), await at(joon)];
    await say(minas, 'a secret');
    await seen(joons, 'a secret');
    await bubble(minas, 'a secret').click({ button: 'right' });
    await minas.getByRole('menuitem', { name: 'Delete' }).click();
    const dialog = minas.getByRole('dialog', { name: 'Delete this message?' });
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    expect(await messages(minas)).toEqual(['a secret']);
    await bubble(minas, 'a secret').click({ button: 'right' });
    await minas.getByRole('menuitem', { name: 'Delete' }).click();
    await dialog.getByRole('button', { name: 'Delete' }).click();
    await seen(minas, 'You deleted this message.');
    await seen(joons, 'This message was deleted.');
    await expect.poll(() => joons.content()).not.toContain('a secret');
  });

  it('react, with any emoji, and take it back', async () => {
    const [minas, joons] = [await at(mina), await at(joon)];
    await say(minas, 'what do you think?');
    await seen(joons, 'what do you think?');
    await bubble(joons, 'what do you think?').hover();
    await joons.getByRole('button', { name: 'React', exact: true }).click();
    await joons.getByRole('button', { name: 'React with 👍' }).click();
    await bubble(minas, 'what do you think?').getByRole('button', { name: 'React with 👍' }).click();
    await bubble(joons, 'what do you think?').getByText('2', { exact: true }).waitFor();

    await bubble(joons, 'what do you think?').hover();
    await joons.getByRole('button', { name: 'React', exact: true }).click();
    await joons.getByRole('textbox', { name: 'Another emoji' }).fill('🦦');
    await joons.keyboard.press('Enter');
    await bubble(minas, 'what do you think?').getByRole('button', { name: 'React with 🦦' }).waitFor();
    await bubble(minas, 'what do you think?').getByRole('button', { name: 'Who reacted' }).click();
    const dialog = minas.getByRole('dialog', { name: 'Reactions' });
    await dialog.getByText('Joon').waitFor();
    expect(await dialog.locator('li').count()).toBe(2);
    await minas.keyboard.press('Escape');
    await bubble(joons, 'what do you think?').getByRole('button', { name: 'Take back 🦦' }).click();
    await bubble(minas, 'what do you think?')
      .getByRole('button', { name: 'React with 🦦' })
      .waitFor({ state: 'detached' });
  });

  it('copy a text as it was typed', async () => {
    const minas = await at(mina);
    await say(minas, 'as **typed**');
    await bubble(minas, 'as typed').click({ button: 'right' });
    await minas.getByRole('menuitem', { name: 'Copy text' }).click();
    await minas.getByText('Copied').waitFor();
    expect(await minas.evaluate(() => navigator.clipboard.readText())).toBe('as **typed**');
  });
});

describe('whoever does not look', () => {
  /** The page has or has not somebody's attention, as when another window is in front. */
  const attend = (page: Page, isThere: boolean): Promise<void> =>
    page.evaluate((there) => {
      document.hasFocus = () => there;
      dispatchEvent(new Event(there ? 'focus' : 'blur'));
    }, isThere);

  it('has not read what came meanwhile, and goes on where they were', async () => {
    for (let count = 1; count <= 30; count += 1) await joon.send(direct, `before ${count}`);
    await mina.read(direct, 31);
    const minas = await at(mina);
    await seen(minas, 'before 30');
    await attend(minas, false);
    for (let count = 1; count <= 60; count += 1) await joon.send(direct, `meanwhile ${count}`);
    const left = minas.locator('button.newest .badge');
    await left.filter({ hasText: /^60$/u }).waitFor();
    expect(await bubble(minas, 'before 30').isVisible()).toBe(true);
    await attend(minas, true);
    await minas.getByRole('log').hover();
    await minas.mouse.wheel(0, 200);
    await left.filter({ hasText: /^5\d$/u }).waitFor();
    await minas.locator('button.newest').click();
    await left.waitFor({ state: 'detached' });
  });

  it('finds the place again after the conversation was hidden', async () => {
    for (let count = 1; count <= 50; count += 1) await joon.send(direct, `line ${count}`);
    await mina.read(direct, 51);
    const minas = await at(mina);
    await seen(minas, 'line 50');
    const log = minas.getByRole('log');
    await log.hover();
    await minas.mouse.wheel(0, -600);
    const toEnd = (): Promise<number> =>
      log.evaluate((at) => at.scrollHeight - at.clientHeight - at.scrollTop);
    await expect.poll(toEnd).toBeGreaterThan(500);
    const main = minas.locator('main');
    const frames = (): Promise<void> =>
      minas.evaluate(async () => {
        for (let count = 0; count < 3; count += 1) await new Promise((done) => requestAnimationFrame(done));
      });
    await frames();
    const before = await toEnd();
    await main.evaluate((element) => (element.style.display = 'none'));
    await frames();
    await main.evaluate((element) => element.style.removeProperty('display'));
    await frames();
    expect(Math.abs((await toEnd()) - before)).toBeLessThan(2);
  });
});

describe('a group', () => {
  it('mentions with completion by the keyboard', async () => {
    const group = await mina.group('Team', [joon]);
    const [minas, joons] = [await at(mina, group), await at(joon, group)];
    await composer(minas).pressSequentially('hey @jo');
    await minas.getByRole('option', { name: /Joon/ }).waitFor();
    await minas.keyboard.press('Enter');
    expect(await composer(minas).inputValue()).toBe('hey @Joon ');
    await composer(minas).pressSequentially('look');
    await minas.keyboard.press('Enter');
    await seen(joons, 'hey @Joon look');
    expect(await bubble(joons, 'hey @Joon look').locator('.mention.mine').textContent()).toBe('@Joon');
  });

  it('shows who has read and who has received', async () => {
    const sora = await Account.signUp(server.address, 'sora', 'Sora');
    const group = await mina.group('Team', [joon, sora]);
    const minas = await at(mina, group);
    await say(minas, 'who reads this?');
    await bubble(minas, 'who reads this?').locator('[data-stage=sent]').waitFor();
    await joon.read(group, 2);
    await bubble(minas, 'who reads this?').click({ button: 'right' });
    await minas.getByRole('menuitem', { name: 'Delivered and read' }).click();
    const dialog = minas.getByRole('dialog', { name: 'Delivered and read' });
    await dialog.getByText('Read by 1').waitFor();
    await dialog.getByText('Not delivered yet 1').waitFor();
    await minas.keyboard.press('Escape');
    await sora.read(group, 2);
    await bubble(minas, 'who reads this?').locator('[data-stage=read]').waitFor();
  });

  it('says what happened in words, and closes when one is removed', async () => {
    const group = await mina.group('Team', [joon]);
    const joons = await at(joon, group);
    await mina.rest('PATCH', `/v1/groups/${group}`, { title: 'New name' });
    await joons.getByRole('log').getByText('named the group').waitFor();
    await joons.getByRole('heading', { name: 'New name' }).waitFor();
    await mina.rest('DELETE', `/v1/groups/${group}/members/${joon.id}`);
    await joons.getByText('You are no longer a member of this conversation.').waitFor();
    expect(await composer(joons).count()).toBe(0);
  });
});

describe('reading', () => {
  it('begins at the line of the unread, and counts as read only what was on screen', async () => {
    for (let count = 1; count <= 120; count += 1) await joon.send(direct, `line ${count}`);
    await mina.read(direct, 41);
    const minas = await at(mina);
    await minas.getByText('Unread messages', { exact: true }).waitFor();
    await seen(minas, 'line 41');
    expect(await messages(minas)).not.toContain('line 120');
    const unread = async (): Promise<number> =>
      (await mina.request<{ row: { unread: number } }>('conversation', { conversation: direct })).row.unread;
    await expect.poll(unread).toBeLessThan(80);
    expect(await unread()).toBeGreaterThan(40);
    await minas.getByRole('button', { name: /new messages/ }).click();
    await seen(minas, 'line 120');
    await expect.poll(unread).toBe(0);
  });

  it('keeps its place exactly while earlier pages are put in above', async () => {
    for (let count = 1; count <= 400; count += 1)
      await joon.send(direct, `line ${count} ${'word '.repeat(count % 40)}`);
    await mina.read(direct, 401);
    const minas = await at(mina);
    await minas.locator('article', { hasText: 'line 400 ' }).waitFor();
    const log = minas.getByRole('log');
    for (let turn = 0; turn < 12; turn += 1) {
      // Whatever is in the middle of the screen may move only as far as the wheel says.
      const moved = await log.evaluate(async (scroller) => {
        const frame = (): Promise<unknown> => new Promise((done) => requestAnimationFrame(done));
        const box = scroller.getBoundingClientRect();
        const row = document.elementFromPoint(box.left + box.width / 2, box.top + 60)?.closest('li');
        const before = row?.getBoundingClientRect().top ?? NaN;
        scroller.scrollTop -= 500;
        for (let count = 0; count < 30; count += 1) await frame();
        return row?.isConnected === true ? row.getBoundingClientRect().top - before : 500;
      });
      expect(Math.abs(moved - 500)).toBeLessThanOrEqual(1);
    }
  });

  it('sticks to the end only when there', async () => {
    for (let count = 1; count <= 60; count += 1) await joon.send(direct, `line ${count}`);
    await mina.read(direct, 61);
    const minas = await at(mina);
    await seen(minas, 'line 60');
    await joon.send(direct, 'while at the end');
    await expect.poll(() => messages(minas).then((all) => all.at(-1))).toBe('while at the end');
    await minas.getByRole('button', { name: 'Go to the newest message' }).waitFor({ state: 'detached' });
    await minas.getByRole('log').evaluate((scroller) => (scroller.scrollTop -= 400));
    await minas.getByRole('button', { name: 'Go to the newest message' }).waitFor();
    const place = async (): Promise<number> => (await bubble(minas, 'line 50').boundingBox())?.y ?? NaN;
    const before = await place();
    await joon.send(direct, 'while away');
    await minas.getByRole('button', { name: '1 new message' }).waitFor();
    expect(Math.abs((await place()) - before)).toBeLessThanOrEqual(1);
  });
});
