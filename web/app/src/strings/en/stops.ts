// English: why the app has stopped, by the reason that the SDK gives; what the server refuses has its own sentences.
export const stops = {
  internal: 'Something broke in the app, and it has stopped. What waits to be sent is kept.',
  cache: 'This browser refused to store something, so the app has stopped.',
  replaced: 'Another tab or a newer version of the app has taken over.',
  another_account: 'Another account has logged in on this browser.',
  unknown: 'This page was disconnected.',
  loggedOut: 'You were logged out on this device.',
  logInAgain: 'Log in again',
};
