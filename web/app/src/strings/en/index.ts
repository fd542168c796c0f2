// English: every string of the app. The other languages have the same keys, which the compiler checks.
import { conversation } from './conversation';
import { entrance } from './entrance';
import { list } from './list';
import { shell } from './shell';
import { shortcuts } from './shortcuts';

export const en = { shell, entrance, list, conversation, shortcuts };
