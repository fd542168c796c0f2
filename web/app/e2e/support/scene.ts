// People who know each other and what they said: for pictures, and for tests that need a full list.
import { Account } from './account';

/** Who there is, and where they talk. */
export interface Scene {
  mina: Account;
  joon: Account;
  sora: Account;
  direct: string;
  group: string;
}

const NAMES: readonly [string, string][] = [
  ['hana', '박하나'],
  ['alex', 'Alex Morgan'],
  ['yusuf', 'يوسف العلي'],
  ['lea', 'Léa Fontaine'],
  ['taro', '田中 太郎'],
  ['nina', 'Nina Kowalczyk-Szymańska of the Department of Very Long Names'],
  ['emil', 'Emil Nyström'],
  ['minho', '강민호'],
  ['ruth', 'Ruth Adeyemi'],
  ['tom', 'Tom'],
];

/** Makes the scene on a fresh server. */
export async function makeScene(server: string): Promise<Scene> {
  const mina = await Account.signUp(server, 'mina', 'Mina Kim');
  const joon = await Account.signUp(server, 'joon', '이준호');
  const sora = await Account.signUp(server, 'sora', 'Sora Lindqvist');
  const others: Account[] = [];
  for (const [name, displayName] of NAMES) others.push(await Account.signUp(server, name, displayName));
  for (const [at, other] of others.entries()) {
    const conversation = await mina.direct(other);
    await other.send(conversation, LINES[at % LINES.length] ?? '');
    if (at % 3 === 0) await mina.send(conversation, 'Sounds good, thank you!');
  }
  const group = await mina.group('Design review', [joon, sora, ...others]);
  await talk({ mina, joon, sora, direct: '', group });
  const direct = await mina.direct(joon);
  await chat({ mina, joon, sora, direct, group });
  const hiking = await sora.group('Hiking 한라산 ⛰️', [mina, joon]);
  await sora.send(hiking, 'Who brings the *gimbap*?');
  await joon.send(hiking, '제가 가져갈게요!');
  return { mina, joon, sora, direct, group };
}

const LINES = [
  '내일 회의 시간 괜찮으세요?',
  'Draft is in the shared folder now.',
  'هل يمكننا أن نتحدث غدًا؟',
  'On se voit à 18 h devant la gare ?',
  '資料を送りました。ご確認ください。',
];

async function chat({ mina, joon, direct }: Scene): Promise<void> {
  await joon.send(direct, '미나 씨, 점심 먹었어요?');
  const first = await mina.send(direct, '아직이요! 같이 먹을래요?');
  await joon.send(direct, '좋아요. **12시 반**에 1층에서 봐요.', { target: first });
  await mina.send(direct, '네, 조금 이따 봐요 👋');
  await joon.send(direct, 'The menu: https://suda.chat/menu?day=sunday');
  await mina.send(direct, '😋');
}

async function talk({ mina, joon, sora, group }: Scene): Promise<void> {
  await mina.send(group, 'Morning everybody! The new *list of conversations* is ready for review.');
  await mina.send(
    group,
    'Two questions:\n1. Is `72px` a row too high?\n2. Should archived ones be searchable?',
  );
  const answer = await sora.send(
    group,
    'I like the height. ~~64~~ 72 gives the second line room to breathe.',
  );
  await sora.send(group, 'And yes, a search should look **everywhere**.');
  await joon.send(group, '저도 동의해요. 검색은 보관함까지 되는 게 자연스러워요.', { target: answer });
  const last = await mina.send(group, 'Great, then that is settled. Thank you both!');
  for (const [who, emoji] of [
    [sora, '🎉'],
    [joon, '🎉'],
    [mina, '👍'],
  ] as const) {
    await who.send(group, '', { kind: 'reaction', target: last, body: { emoji } });
  }
  await joon.send(group, 'مرحبا **بالجميع** and welcome to the left-to-right end of this line.');
  await sora.send(group, '@Mina Kim could you post the screenshots?', {
    mentions: [{ who: { account: mina.id }, start: 0, length: 9 }],
  });
}
