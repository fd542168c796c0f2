// English: the frame around the screens, and words that many screens use.
import { everywhere } from './everywhere';

export const shell = {
  ...everywhere,
  name: 'Suda',
  conversations: 'Conversations',
  newConversation: 'New conversation',
  contacts: 'Contacts',
  settings: 'Settings',
  back: 'Back',
  ok: 'OK',
  save: 'Save',
  menu: 'Menu',
  more: 'More',
  retry: 'Try again',
  skipToContent: 'Skip to the conversation',
  choose: 'Choose a conversation',
  chooseHint: 'Pick one from the list, or start a new one.',
  offline: 'No connection. Messages are sent once you are back online.',
  connecting: 'Connecting…',
  waiting: 'Server not reachable. Trying again…',
  reload: 'Reload',
  notLoaded: 'This could not be loaded. There may be a newer version, or no connection.',
};
