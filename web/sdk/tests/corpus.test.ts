/**
 * Plays the corpus that this SDK and the Rust SDK share. `BLESS=1` writes down what comes out here; the Rust SDK must
 * then agree (`cargo test -p suda-client --lib corpus`).
 */

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { describe, expect, test } from 'vitest';

import { players, type Do } from './corpus/players.js';

interface Case {
  name: string;
  given?: Do;
  steps: { do: Do; is?: unknown }[];
}

const folder = resolve(import.meta.dirname, '../../corpus');
const files = readdirSync(folder).filter((name) => name.endsWith('.json'));
const isBlessing = process.env['BLESS'] === '1';

test('every file has a player, and every player a file', () => {
  expect(files.map((name) => name.replace('.json', '')).sort()).toEqual(Object.keys(players).sort());
});

describe.each(files)('%s', (file) => {
  const path = join(folder, file);
  const { about, cases } = JSON.parse(readFileSync(path, 'utf8')) as { about: string; cases: Case[] };
  const player = players[file.replace('.json', '')];

  test.each(cases.map((one) => [one.name, one] as const))('%s', (_, one) => {
    const play = player?.(one.given ?? {});
    one.steps.forEach((step, index) => {
      const came: unknown = JSON.parse(JSON.stringify(play?.(step.do) ?? null));
      if (isBlessing) step.is = came;
      else expect(came, `step ${String(index)}: ${JSON.stringify(step.do)}`).toEqual(step.is);
    });
  });

  test.runIf(isBlessing)('is written down', () => writeFileSync(path, written(about, cases)));
});

/** One step a line, so that a change can be reviewed. */
function written(about: string, cases: Case[]): string {
  const all = cases.map(({ name, given, steps }) => {
    const head = `"name": ${JSON.stringify(name)}${given ? `, "given": ${JSON.stringify(given)}` : ''}`;
    const lines = steps.map((step) => `    ${JSON.stringify(step)}`);
    return `  {${head}, "steps": [\n${lines.join(',\n')}\n  ]}`;
  });
  return `{"about": ${JSON.stringify(about)}, "cases": [\n${all.join(',\n')}\n]}\n`;
}
