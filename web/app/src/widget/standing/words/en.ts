// The widget's words in English; other languages have the same keys, which the compiler checks.
import { conversation } from '../../../strings/en/conversation';
import { list } from '../../../strings/en/list';
import { problems } from '../../../strings/en/problems';
import { shell } from '../../../strings/en/shell';

export const words = { conversation, list, problems, shell };
