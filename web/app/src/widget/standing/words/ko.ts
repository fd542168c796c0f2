// The widget's words in Korean.
import { conversation } from '../../../strings/ko/conversation';
import { list } from '../../../strings/ko/list';
import { problems } from '../../../strings/ko/problems';
import { shell } from '../../../strings/ko/shell';
import type { words as english } from './en';

export const words: typeof english = { conversation, list, problems, shell };
