// What the server asks of names and passwords, checked while somebody types: the same rules, so that no form is refused.

/** Fewest and most characters of a name. */
export const NAME_CHARACTERS = { least: 2, most: 32 } as const;
/** Fewest and most characters (Unicode scalar values) of a password. */
export const PASSWORD_CHARACTERS = { least: 8, most: 256 } as const;
/** Most characters (Unicode scalar values) of a display name. */
export const DISPLAY_NAME_CHARACTERS = 64;

/** What is wrong with a name. */
export type NameProblem = 'too_short' | 'too_long' | 'characters';

/** What somebody typed as a name, as the server wants it: without space around it, in lower case. */
export function tidyName(typed: string): string {
  return typed.trim().toLowerCase();
}

/** What is wrong with a tidied name, if anything. Characters come first: they are wrong at once, lengths only at the end. */
export function nameProblem(name: string): NameProblem | undefined {
  if (/[^a-z0-9_.]/.test(name)) return 'characters';
  if (name.length < NAME_CHARACTERS.least) return 'too_short';
  if (name.length > NAME_CHARACTERS.most) return 'too_long';
  return undefined;
}

/** The length of a text as the server counts it, in Unicode scalar values. */
export function countCharacters(text: string): number {
  return [...text].length;
}

/** Whether the server takes a password of this length. */
export function passwordFits(password: string): boolean {
  const count = countCharacters(password);
  return count >= PASSWORD_CHARACTERS.least && count <= PASSWORD_CHARACTERS.most;
}

/**
 * How long a password is, in steps of the meter: 0 is none, 1 is refused as too short, 2 to 4 are taken. Length alone
 * counts, since rules about kinds of characters make people choose worse passwords.
 */
export function passwordStep(password: string): 0 | 1 | 2 | 3 | 4 {
  const count = countCharacters(password);
  if (count === 0) return 0;
  if (count < PASSWORD_CHARACTERS.least) return 1;
  if (count < 12) return 2;
  return count < 16 ? 3 : 4;
}

/** Whether a display name is taken: 1 to 64 characters, none of which breaks or turns the line. */
export function displayNameFits(typed: string): boolean {
  const name = typed.trim().normalize('NFC');
  const count = countCharacters(name);
  return count >= 1 && count <= DISPLAY_NAME_CHARACTERS && staysOnTheLine(name);
}

/** Whether a text holds no control characters, and none that change the direction of what follows. */
export function staysOnTheLine(text: string): boolean {
  return !/[\p{Cc}\u202a-\u202e\u2066-\u2069]/u.test(text);
}
