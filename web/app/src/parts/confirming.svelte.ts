// Questions before something that cannot be undone: anybody asks, the dialog is shown in the place that they name.
import { APP, type Place } from './place';

/** What is asked. */
export interface Question {
  title: string;
  text: string;
  /** The word on the button that acts. */
  action: string;
  danger?: boolean;
}

let asked = $state.raw<{ question: Question; at: Place; answer: (yes: boolean) => void }>();

/** Asks; resolves with whether the user agreed. A second question answers the first with no. */
export function confirm(question: Question, at: Place = APP): Promise<boolean> {
  answer(false);
  return new Promise((resolve) => {
    asked = { question, at, answer: resolve };
  });
}

/** The question that is open in a place; reactive. */
export function openQuestion(at: Place): Question | undefined {
  return asked?.at === at ? asked.question : undefined;
}

/** Answers the open question. */
export function answer(yes: boolean): void {
  const before = asked;
  asked = undefined;
  before?.answer(yes);
}
