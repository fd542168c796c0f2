// Korean: what concerns the page itself: notifications, installing, new versions.
import type { Strings } from '../strings.svelte';

export const page: Strings['page'] = {
  askNotifications: '알림 켜기',
  askNotificationsHint: '다른 일을 하는 동안 새 메시지를 알려 드립니다.',
  notificationsOn: '이 브라우저에서 알림이 켜져 있습니다.',
  notificationsDenied: '알림이 차단되어 있습니다. 브라우저의 사이트 설정에서 허용해 주세요.',
  notificationsMissing: '이 브라우저는 알림을 지원하지 않습니다.',
  later: '나중에',
  showText: '알림에 메시지 내용 표시',
  newMessage: '새 메시지',
  somebodyIn: (name, title) => `${title}의 ${name}`,
  newVersion: '새 버전이 준비되었습니다.',
  reload: '새로 고침',
  install: '앱 설치',
};
