// The shapes of all icons: paths on a grid of 24, drawn as lines of width 2 in the colour of the text.
import { ICONS as CONVERSATION } from './conversationIcons';

export const ICONS = {
  ...CONVERSATION,
  back: 'M15 5l-7 7 7 7',
  forward: 'M9 5l7 7-7 7',
  search: 'M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13zM15.5 15.5L20 20',
  plus: 'M12 5v14M5 12h14',
  pin: 'M9 4h6l-1 6 3 3v2H7v-2l3-3-1-6zM12 15v5',
  bell: 'M6 16V11a6 6 0 0 1 12 0v5l1.5 2h-15L6 16zM10 21h4',
  muted: 'M6 16V11c0-1.2.4-2.4 1-3.3M9.5 5.6A6 6 0 0 1 18 11v3M4.5 18H17M10 21h4M4 4l16 16',
  archive: 'M4 5h16v4H4zM5.5 9v10h13V9M10 13h4',
  read: 'M4 6h16v11h-9l-4 3v-3H4zM8.5 11.5l2.5 2.5 4.5-5',
  chat: 'M4 5h16v12h-9l-4 3v-3H4z',
  addPerson: 'M10 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM2.5 20a7.5 7.5 0 0 1 12-6M18 13v6M15 16h6',
  settings:
    'M12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM19 12l2-1.5-2-3.5-2.3.8a7 7 0 0 0-1.7-1L14.5 4h-5L9 6.800a7 7 0 0 0-1.7 1L5 7 3 10.5 5 12l-2 1.500L5 17l2.3-.8a7 7 0 0 0 1.7 1l.5 2.800h5l.5-2.800a7 7 0 0 0 1.7-1L19 17l2-3.500z',
  devices: 'M3 5h13v9H3zM1.5 18H13M17 9h5v10h-5zM19.5 16.500h.01',
  lock: 'M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3M12 15v2',
  globe: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM3 12h18M12 3c5 5 5 13 0 18M12 3c-5 5-5 13 0 18',
  theme: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 3v18M12 8h7M12 13h8.500M12 18h5',
  keyboard: 'M3 6h18v12H3zM7 10h.01M11 10h.01M15 10h.01M18 10h.01M7 14h10',
  logOut: 'M14 5V4H5v16h9v-1M10 12h11M17 8l4 4-4 4',
  shield: 'M12 3l8 3v6c0 5-3.5 8-8 9-4.5-1-8-4-8-9V6l8-3z',
  eye: 'M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12zM12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6z',
  eyeOff:
    'M4 4l16 16M9.5 5.9A9.5 9.5 0 0 1 12 5.5c6 0 9.5 6.5 9.5 6.5a17 17 0 0 1-2.7 3.4M6 7.5A16 16 0 0 0 2.5 12S6 18.5 12 18.5a9.5 9.5 0 0 0 4-.9M10 10a3 3 0 0 0 4 4',
  download: 'M12 4v11M7 10.5l5 5 5-5M4.5 20h15',
  print: 'M7 9V4h10v5M7 17H4V9h16v8h-3M7 14h10v6H7z',
} as const;

/** The name of an icon. */
export type IconName = keyof typeof ICONS;
