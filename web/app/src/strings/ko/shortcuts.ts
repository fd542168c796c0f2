// Korean: keyboard shortcuts.
import type { Strings } from '../strings.svelte';

export const shortcuts: Strings['shortcuts'] = {
  title: '단축키',
  search: '대화 검색',
  new: '새 대화',
  next: '다음 대화',
  previous: '이전 대화',
  write: '메시지 쓰기',
  help: '이 목록',
  up: '대화나 메시지 사이 이동',
  enter: '선택한 메시지의 작업',
  r: '선택한 메시지에 답장',
  e: '선택한 메시지 수정',
  delete: '선택한 메시지 삭제',
  last: '빈 입력창에서: 마지막 내 메시지 수정',
  send: '보내기',
  line: '줄 바꿈',
  escape: '닫기, 수정이나 답장 취소',
  plain: '글자나 기호 하나로 된 단축키',
  plainHint: '음성으로 컴퓨터를 조작하거나 키를 잘못 누르는 일이 잦다면 끄세요. 이 브라우저에 저장됩니다.',
};
