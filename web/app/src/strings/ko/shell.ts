// Korean: the frame around the screens, and words that many screens use.
import type { Strings } from '../strings.svelte';
import { everywhere } from './everywhere';

export const shell: Strings['shell'] = {
  ...everywhere,
  name: '수다',
  conversations: '대화',
  newConversation: '새 대화',
  contacts: '연락처',
  settings: '설정',
  back: '뒤로',
  ok: '확인',
  save: '저장',
  menu: '메뉴',
  more: '더 보기',
  retry: '다시 시도',
  skipToContent: '대화로 건너뛰기',
  choose: '대화를 선택하세요',
  chooseHint: '목록에서 고르거나 새로 시작하세요.',
  offline: '연결이 끊겼습니다. 다시 연결되면 메시지를 보냅니다.',
  connecting: '연결 중…',
  waiting: '서버에 연결할 수 없습니다. 다시 시도하는 중…',
  reload: '새로고침',
  notLoaded: '불러오지 못했습니다. 새 버전이 있거나 연결이 끊겼을 수 있습니다.',
};
