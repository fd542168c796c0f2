// English: keyboard shortcuts.
export const shortcuts = {
  title: 'Keyboard shortcuts',
  search: 'Search conversations',
  new: 'New conversation',
  next: 'Next conversation',
  previous: 'Previous conversation',
  write: 'Write a message',
  help: 'This list',
  up: 'Between conversations or messages',
  enter: 'Actions of the focused message',
  r: 'Reply to the focused message',
  e: 'Edit the focused message',
  delete: 'Delete the focused message',
  last: 'In the empty box: edit the last own message',
  send: 'Send',
  line: 'New line',
  escape: 'Close, stop editing or replying',
  plain: 'Shortcuts of a single letter or sign',
  plainHint:
    'Turn them off if you control the computer by voice, or often press keys by mistake. This browser remembers it.',
};
