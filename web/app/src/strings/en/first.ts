// English: what the list and the conversations say; loaded at once.
import { conversation } from './conversation';
import { list } from './list';
import { page } from './page';
import { shell } from './shell';

export const first = { conversation, list, page, shell };
