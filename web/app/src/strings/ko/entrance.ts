// Korean: signing up, logging in, recovering an account.
import type { Strings } from '../strings.svelte';

export const entrance: Strings['entrance'] = {
  name: '이름',
  password: '비밀번호',
  logIn: '로그인',
};
