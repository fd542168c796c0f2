// Korean: failures that happen on this side.
import type { Strings } from '../strings.svelte';

export const problems: Strings['problems'] = {
  offline: '서버에 연결되어 있어야 합니다.',
  unreachable: '서버에 연결할 수 없습니다.',
  bad_answer: '서버의 응답을 읽을 수 없습니다.',
  timed_out: '서버가 응답하지 않습니다.',
  outbox_full: '보낼 메시지가 너무 많이 쌓였습니다.',
  no_such_send: '수정할 수 없는 메시지입니다.',
  cache: '브라우저에 저장하지 못했습니다.',
  stopped: '로그인되어 있지 않습니다.',
};
