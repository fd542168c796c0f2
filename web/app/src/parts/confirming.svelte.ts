// Questions before something that cannot be undone: anybody asks, the shell shows the dialog.

/** What is asked. */
export interface Question {
  title: string;
  text: string;
  /** The word on the button that acts. */
  action: string;
  danger?: boolean;
}

let asked = $state.raw<{ question: Question; answer: (yes: boolean) => void }>();

/** Asks; resolves with whether the user agreed. A second question answers the first with no. */
export function confirm(question: Question): Promise<boolean> {
  answer(false);
  return new Promise((resolve) => {
    asked = { question, answer: resolve };
  });
}

/** The question that is open; reactive. */
export function openQuestion(): Question | undefined {
  return asked?.question;
}

/** Answers the open question. */
export function answer(yes: boolean): void {
  const before = asked;
  asked = undefined;
  before?.answer(yes);
}
