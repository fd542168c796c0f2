// The widget's words in Korean.
import { conversation } from '../../../strings/ko/conversation';
import { everywhere } from '../../../strings/ko/everywhere';
import type { words as english } from './en';

export const words: typeof english = { conversation, shell: everywhere };
