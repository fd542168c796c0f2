// English: what the entrance and the panels say; loaded with the first of them.
import { entrance } from './entrance';
import { groups } from './groups';
import { people } from './people';
import { problems } from './problems';
import { settings } from './settings';
import { shortcuts } from './shortcuts';
import { stops } from './stops';

export const later = { entrance, groups, people, problems, settings, shortcuts, stops };
