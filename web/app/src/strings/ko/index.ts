// Korean: every string of the app.
import type { Strings } from '../strings.svelte';
import { conversation } from './conversation';
import { entrance } from './entrance';
import { groups } from './groups';
import { list } from './list';
import { page } from './page';
import { people } from './people';
import { problems } from './problems';
import { settings } from './settings';
import { shell } from './shell';
import { shortcuts } from './shortcuts';

export const ko: Strings = {
  shell,
  entrance,
  list,
  conversation,
  people,
  groups,
  settings,
  page,
  problems,
  shortcuts,
};
