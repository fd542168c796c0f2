// Korean: what the entrance and the panels say; loaded with the first of them.
import type { Strings } from '../strings.svelte';
import { entrance } from './entrance';
import { groups } from './groups';
import { people } from './people';
import { problems } from './problems';
import { settings } from './settings';

export const later: Pick<Strings, 'entrance' | 'groups' | 'people' | 'problems' | 'settings'> = {
  entrance,
  groups,
  people,
  problems,
  settings,
};
