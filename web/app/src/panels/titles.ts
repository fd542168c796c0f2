// The server's rules for a group's title, so that no form is refused.
import { countCharacters, staysOnTheLine } from '../entrance/rules';

/** Most characters (Unicode scalar values) of a title. */
const TITLE_CHARACTERS = 128;

/** Whether the server takes a title; an empty one is taken too. */
export function titleFits(typed: string): boolean {
  const title = typed.trim().normalize('NFC');
  return countCharacters(title) <= TITLE_CHARACTERS && staysOnTheLine(title);
}
