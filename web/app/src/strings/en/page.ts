// English: what concerns the page itself: notifications, installing, new versions.
export const page = {
  askNotifications: 'Turn on notifications',
  askNotificationsHint: 'Be told of new messages while you look elsewhere.',
  notificationsOn: 'Notifications are on in this browser.',
  notificationsDenied: 'Notifications are blocked. Allow them in the browser’s settings of this site.',
  notificationsMissing: 'This browser has no notifications.',
  later: 'Not now',
  showText: 'Show what messages say',
  newMessage: 'New message',
  somebodyIn: (name: string, title: string) => `${name} in ${title}`,
  newVersion: 'A new version is ready.',
  reload: 'Load it',
  install: 'Install app',
};
