/**
 * Writes src/wire.ts and src/sentences.ts from schema/wire.json, which the server's tests write from its own types.
 * `--check` writes nothing and fails where a file is old.
 */

import { readFile, writeFile } from 'node:fs/promises';
import { format, resolveConfig } from 'prettier';

const schemaFile = new URL('../schema/wire.json', import.meta.url);

/** Names that would hide something that TypeScript knows already. */
const renamed = {
  Event: 'ServerEvent',
  History: 'HistorySetting',
  OutgoingRequest: 'RequestFrame',
  Range: 'HistoryRange',
  Send: 'SendBody',
  Set: 'SetValue',
  Window: 'ConversationWindow',
};
/** Stand as maps, so that a name leads to its types. */
const mapped = ['Event', 'Request', 'OutgoingRequest', 'Any'];

const nameOf = (name) => renamed[name] ?? name;

/** A doc comment, without the paths of the language that it was written in. */
function comment(text) {
  if (!text) return '';
  const plain = text.replace(/\[`(?:\w+::)*(\w+)`\]/g, (_, name) => `\`${nameOf(name)}\``);
  return `/** ${plain.split('\n').join('\n * ')} */\n`;
}

/** The type of a schema. An absent member says what `null` would, so `null` is left out of optional ones. */
function typeOf(schema) {
  if (schema.$ref) {
    const name = schema.$ref.replace('#/$defs/', '');
    return name === 'Any' ? 'unknown' : nameOf(name);
  }
  if ('const' in schema) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((one) => JSON.stringify(one)).join(' | ');
  const variants = schema.oneOf ?? schema.anyOf;
  if (variants) return union(variants.filter((one) => one.type !== 'null').map(typeOf));
  if (Array.isArray(schema.type)) {
    return union(schema.type.filter((one) => one !== 'null').map((type) => typeOf({ ...schema, type })));
  }
  switch (schema.type) {
    case 'string':
      return 'string';
    case 'integer':
    case 'number':
      return 'number';
    case 'boolean':
      return 'boolean';
    case 'array':
      return `Array<${typeOf(schema.items)}>`;
    case 'object':
      return members(schema);
    default:
      throw new Error(`no type for ${JSON.stringify(schema)}`);
  }
}

const union = (types) => [...new Set(types)].join(' | ');

function members(schema) {
  const required = new Set(schema.required ?? []);
  const lines = Object.entries(schema.properties ?? {}).map(
    ([name, member]) =>
      `${comment(member.description)}${name}${required.has(name) ? '' : '?'}: ${typeOf(member)};`,
  );
  return lines.length === 0 ? 'Record<string, never>' : `{\n${lines.join('\n')}\n}`;
}

function definition([name, schema]) {
  const head = comment(schema.description);
  if (schema.oneOf?.every((one) => 'const' in one)) {
    const variants = schema.oneOf.map((one) => `\n${comment(one.description)}| ${typeOf(one)}`);
    return `${head}export type ${nameOf(name)} =${variants.join('')};`;
  }
  return `${head}export type ${nameOf(name)} = ${typeOf(schema)};`.replace(
    /export type (\w+) = (\{[^]*\});$/,
    (whole, named, body) => (schema.type === 'object' ? `export interface ${named} ${body}` : whole),
  );
}

/** An interface that leads from names to types. */
function map(name, about, entries) {
  const lines = entries.map(([key, description, type]) => `${comment(description)}'${key}': ${type};`);
  return `${comment(about)}export interface ${name} {\n${lines.join('\n')}\n}`;
}

function maps(schema) {
  const requests = Object.entries(schema.requests).map(([name, { description, body, reply }]) => [
    name,
    description,
    `{ body: ${typeOf(body)}; reply: ${typeOf(reply)} }`,
  ]);
  const events = Object.entries(schema.events).map(([name, { description, body }]) => [
    name,
    description,
    typeOf(body),
  ]);
  const bodies = Object.entries(schema.bodies).map(([kind, body]) => [kind, '', typeOf(body)]);
  const calls = Object.entries(schema.rest)
    .filter(([, { reply }]) => reply)
    .map(([call, { description, ...parts }]) => {
      const types = Object.entries(parts).map(([part, one]) => `${part}: ${typeOf(one)}`);
      return [call, description, `{ ${types.join('; ')} }`];
    });
  return [
    map('Requests', 'Every request by its name, with its body and its reply.', requests),
    '/** The name of a request. */\nexport type RequestName = keyof Requests;',
    "/** A request as it travels. */\nexport type RequestFrame = { [N in RequestName]: { id: number; type: N; body: Requests[N]['body'] } }[RequestName];",
    map('Events', 'Every event by its name, with its body.', events),
    '/** An event as it travels. */\nexport type ServerEvent = { [N in keyof Events]: { event: N; body: Events[N] } }[keyof Events];',
    map('EntryBodies', 'The bodies of entries by kind; kinds that are missing have none.', bodies),
    map(
      'RestCalls',
      'Every REST call: its JSON body, its query and its JSON reply. Those without a JSON reply of their own are missing.',
      calls,
    ),
  ];
}

function constant(name, about, value, type) {
  return `/** ${about} */\nexport const ${name} = ${JSON.stringify(value)} as const satisfies ${type};`;
}

/** The constants. */
function tables(schema) {
  const codes = {};
  for (const [code, { status, retry_after_ms: retryAfterMs, closes }] of Object.entries(schema.errors)) {
    codes[code] = { status, retryAfterMs, closes };
  }
  return [
    `/** The version of the wire, as \`hello\` states it. */\nexport const protocol = ${schema.protocol};`,
    constant(
      'errorCodes',
      'Error codes: HTTP status, after how many milliseconds the same may succeed (absent where it cannot), and the close code that follows in the answer to `hello`.',
      codes,
      'Record<string, { status: number; retryAfterMs?: number; closes?: number }>',
    ),
    '/** A code that this version knows. */\nexport type ErrorCode = keyof typeof errorCodes;',
    '/** What a client does after a close: resume at once, resume after a growing pause, log in again, or stop. */\nexport type AfterClose = "resume" | "pause" | "log_in" | "stop";',
    constant(
      'closeCodes',
      'WebSocket close codes of the server.',
      schema.closes,
      'Record<number, { reason: string; then: AfterClose }>',
    ),
    constant(
      'closeRanges',
      'What the ranges of close codes mean, for codes that this version does not know; everything else means `resume`.',
      schema.close_ranges,
      'ReadonlyArray<{ from: number; to: number; then: AfterClose }>',
    ),
    constant('defaultLimits', 'The limits where the server has said nothing else.', schema.limits, 'Limits'),
  ];
}

/** What to tell people stands in a file of its own, so that pages that show none of it do not load it. */
function sentences(schema) {
  const all = {};
  for (const [code, { english, korean }] of Object.entries(schema.errors))
    all[code] = { en: english, ko: korean };
  const about = 'What to tell people, by error code and language.';
  return [
    "/** The server's errors in sentences. Written by: npm run types */",
    "import type { ErrorCode } from './wire.js';",
    constant('errorSentences', about, all, 'Record<ErrorCode, { en: string; ko: string }>'),
  ];
}

const schema = JSON.parse(await readFile(schemaFile, 'utf8'));
const definitions = Object.entries(schema.$defs)
  .filter(([name]) => !mapped.includes(name))
  .map(definition);
const head = [
  '/** The types of the wire, as docs/protocol.md describes it. Written by: npm run types */',
  '/* eslint-disable max-lines -- one generated file */',
];
const files = [
  { name: 'wire.ts', parts: [...head, ...definitions, ...maps(schema), ...tables(schema)] },
  { name: 'sentences.ts', parts: sentences(schema) },
];
for (const { name, parts } of files) {
  const file = new URL(`../src/${name}`, import.meta.url);
  const written = await format(parts.join('\n\n'), { ...(await resolveConfig(file)), parser: 'typescript' });
  if (!process.argv.includes('--check')) {
    await writeFile(file, written);
  } else if ((await readFile(file, 'utf8').catch(() => '')) !== written) {
    process.stderr.write(`src/${name} is old: npm run types\n`);
    process.exitCode = 1;
  }
}
