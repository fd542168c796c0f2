/** The server's errors in sentences. Written by: npm run types */

import type { ErrorCode } from './wire.js';

/** What to tell people, by error code and language. */
export const errorSentences = {
  account_disabled: { en: 'The account is disabled.', ko: '사용이 중지된 계정입니다.' },
  already_member: { en: 'The account is a member already.', ko: '이미 참여 중입니다.' },
  bad_display_name: {
    en: 'A display name has 1 to 64 visible characters.',
    ko: '표시 이름은 1~64자여야 합니다.',
  },
  bad_frame: {
    en: 'The frame is not a JSON object with id, type and body.',
    ko: '프레임 형식이 올바르지 않습니다.',
  },
  bad_invite: { en: 'The invitation is missing, used or expired.', ko: '초대장이 올바르지 않습니다.' },
  bad_mention: { en: 'A mention lies outside the text or names no member.', ko: '멘션이 올바르지 않습니다.' },
  bad_name: {
    en: 'A name has 2 to 32 characters of a-z, 0-9, _ and dot.',
    ko: '이름은 2~32자의 a-z, 0-9, _, 점이어야 합니다.',
  },
  bad_request: { en: "The request's fields do not fit.", ko: '요청 내용이 올바르지 않습니다.' },
  bad_token: { en: 'The signed token is not accepted.', ko: '서명된 토큰을 확인할 수 없습니다.' },
  beyond_head: {
    en: 'The position lies beyond the head: reset the conversation.',
    ko: '대화를 다시 불러와 주세요.',
  },
  binary_frame: { en: 'Frames must be text.', ko: '텍스트 프레임만 보낼 수 있습니다.' },
  blocked: { en: 'One of you has blocked the other.', ko: '차단된 상대입니다.' },
  client_id_reused: { en: 'This client id belongs to another act.', ko: '이미 사용된 식별자입니다.' },
  data_too_large: { en: 'The data is larger than the limit.', ko: '데이터가 너무 큽니다.' },
  dissolved: { en: 'The group was dissolved.', ko: '해산된 그룹입니다.' },
  draining: {
    en: 'The server is shutting down; connect again.',
    ko: '서버가 종료 중입니다. 다시 연결해 주세요.',
  },
  edit_too_late: {
    en: 'The time for editing this message is over.',
    ko: '수정할 수 있는 시간이 지났습니다.',
  },
  empty_text: { en: 'The text is empty.', ko: '내용이 비어 있습니다.' },
  frame_too_large: { en: 'The frame or body is larger than the limit.', ko: '프레임이 너무 큽니다.' },
  group_full: { en: 'The group has as many members as it may.', ko: '그룹 인원이 가득 찼습니다.' },
  hello_first: { en: 'Say hello before anything else, and only once.', ko: '먼저 hello를 보내야 합니다.' },
  internal: { en: 'Something failed inside the server; the log tells more.', ko: '서버 내부 오류입니다.' },
  method_not_allowed: { en: 'The path exists, but not for this method.', ko: '허용되지 않은 메서드입니다.' },
  name_taken: { en: 'The name is taken.', ko: '이미 사용 중인 이름입니다.' },
  no_such_account: { en: 'There is no such account.', ko: '계정을 찾을 수 없습니다.' },
  no_such_conversation: { en: 'There is no such conversation.', ko: '대화를 찾을 수 없습니다.' },
  no_such_device: { en: 'There is no such device.', ko: '기기를 찾을 수 없습니다.' },
  no_such_message: { en: 'There is no such message, or it was deleted.', ko: '메시지를 찾을 수 없습니다.' },
  no_such_route: { en: 'There is nothing at this path.', ko: '경로를 찾을 수 없습니다.' },
  not_accepting: {
    en: 'This account does not accept that from you.',
    ko: '상대가 받지 않도록 설정했습니다.',
  },
  not_allowed: { en: 'Your role does not allow this.', ko: '권한이 없습니다.' },
  not_member: { en: 'You are not a member of this conversation.', ko: '대화 참여자가 아닙니다.' },
  not_utf8: { en: 'The text is not UTF-8.', ko: 'UTF-8 텍스트가 아닙니다.' },
  origin_refused: { en: 'Pages of this origin may not connect.', ko: '허용되지 않은 출처입니다.' },
  out_of_turn: {
    en: 'The preceding send is not committed; send both again, in order.',
    ko: '앞선 메시지가 아직 저장되지 않았습니다.',
  },
  overloaded: {
    en: 'The server is busy; try again shortly.',
    ko: '서버가 바쁩니다. 잠시 후 다시 시도해 주세요.',
  },
  rate_limited: {
    en: 'Too many requests; wait a little.',
    ko: '요청이 너무 많습니다. 잠시 후 다시 시도해 주세요.',
  },
  signup_closed: { en: 'This server takes no new accounts.', ko: '가입을 받지 않습니다.' },
  stale_base: {
    en: 'The base lies too far back: read from there on, drop what was committed, send the rest again with a newer base.',
    ko: '오래된 기준입니다. 다시 동기화해 주세요.',
  },
  storage_full: { en: "The server's disk is full; nothing was stored.", ko: '서버 저장 공간이 부족합니다.' },
  text_too_long: { en: 'The text is longer than the limit.', ko: '메시지가 너무 깁니다.' },
  timed_out: {
    en: 'The outcome is not known yet; send the same again.',
    ko: '결과를 아직 알 수 없습니다. 다시 보내 주세요.',
  },
  too_many_contacts: { en: 'The account has as many contacts as it may.', ko: '연락처가 너무 많습니다.' },
  too_many_conversations: {
    en: 'The account is in as many conversations as it may.',
    ko: '대화가 너무 많습니다.',
  },
  too_many_devices: {
    en: 'The account has as many devices as it may; log one out.',
    ko: '기기가 너무 많습니다. 하나를 로그아웃해 주세요.',
  },
  too_many_requests: {
    en: 'Too many unanswered requests on this session.',
    ko: '처리 중인 요청이 너무 많습니다.',
  },
  unauthenticated: { en: 'The token is missing or not valid; log in again.', ko: '다시 로그인해 주세요.' },
  unknown_kind: { en: 'Entries of this kind cannot be sent.', ko: '보낼 수 없는 종류의 항목입니다.' },
  unknown_request: { en: 'There is no such request.', ko: '알 수 없는 요청입니다.' },
  unsupported_body: {
    en: 'This server does not take bodies of this type yet.',
    ko: '아직 지원하지 않는 형식입니다.',
  },
  unsupported_protocol: {
    en: 'The server speaks another protocol version; update the app.',
    ko: '앱을 업데이트해 주세요.',
  },
  weak_password: { en: 'A password has 8 to 256 characters.', ko: '비밀번호는 8~256자여야 합니다.' },
  wrong_password: { en: 'Name or password is wrong.', ko: '이름 또는 비밀번호가 올바르지 않습니다.' },
} as const satisfies Record<ErrorCode, { en: string; ko: string }>;
