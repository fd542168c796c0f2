// Korean: why the app has stopped.
import type { Strings } from '../strings.svelte';

export const stops: Strings['stops'] = {
  internal: '앱에 오류가 발생해 멈췄습니다. 보내지 않은 메시지는 보관되어 있습니다.',
  cache: '브라우저가 저장을 거부해 앱이 멈췄습니다.',
  replaced: '다른 탭이나 새 버전의 앱이 대신 연결되었습니다.',
  another_account: '이 브라우저에서 다른 계정으로 로그인했습니다.',
  unknown: '이 페이지의 연결이 해제되었습니다.',
  loggedOut: '이 기기에서 로그아웃되었습니다.',
  logInAgain: '다시 로그인',
};
