// Korean: every string of the app.
import type { Strings } from '../strings.svelte';
import { conversation } from './conversation';
import { entrance } from './entrance';
import { list } from './list';
import { shell } from './shell';
import { shortcuts } from './shortcuts';

export const ko: Strings = { shell, entrance, list, conversation, shortcuts };
