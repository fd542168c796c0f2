/** Chat with a Suda server: the package's public face. */

export type * from './api.js';
export type * from './model.js';
export * from './wire.js';
export { errorSentences } from './sentences.js';
export { open, signUp, logIn, recover, endLogin } from './entrance.js';
export { mentionOf, mentionedUnits } from './core/mentions.js';
