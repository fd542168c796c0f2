// The widget's words in English; other languages have the same keys, which the compiler checks.
import { conversation } from '../../../strings/en/conversation';
import { everywhere } from '../../../strings/en/everywhere';

export const words = { conversation, shell: everywhere };
