// English: words of the app's frame that the widget needs as well.
export const everywhere = {
  close: 'Close',
  cancel: 'Cancel',
  loading: 'Loading…',
  failed: 'That did not work. Try again.',
  deletedAccount: 'Deleted account',
  you: 'You',
  unnamedGroup: 'Group',
};
