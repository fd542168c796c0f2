// Korean: words of the app's frame that the widget needs as well.
import type { everywhere as english } from '../en/everywhere';

export const everywhere: typeof english = {
  close: '닫기',
  cancel: '취소',
  loading: '불러오는 중…',
  failed: '실패했습니다. 다시 시도해 주세요.',
  deletedAccount: '삭제된 계정',
  you: '나',
  unnamedGroup: '그룹',
};
