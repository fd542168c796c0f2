// The draft of one conversation: stored while somebody writes, taken over when another device changed it.
/** A pause in typing after which the draft is stored. */
const PAUSE_MILLISECONDS = 800;
/** Somebody who typed this recently is still typing: nothing is put into the box then. */
const TYPING_MILLISECONDS = 4_000;

/** Keeps box and stored draft together. `store` keeps a draft for all devices, `null` none; `show` puts a text into the box. */
export class Drafting {
  /** What stands in the box apart from edits. */
  text = '';
  /** What is stored, as far as this page knows. */
  private stored = '';
  private typedAt = 0;
  /** A draft of another device that came while somebody typed here. */
  private refused: string | undefined;
  /** How many drafts of this page are on their way to the store. */
  private underWay = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly store: (text: string | null) => Promise<void>,
    private readonly show: (text: string) => void,
    private readonly clock: () => number = Date.now,
  ) {}

  /** The stored draft is this now, wherever it was changed. */
  takeOver(draft: string | undefined, composing: boolean): void {
    // Until the own draft is stored, what is told is older than that: a sent text would come back.
    if (this.underWay > 0) return;
    const next = draft ?? '';
    if (next === this.stored) return;
    this.stored = next;
    this.refused = undefined;
    if (next === this.text) return;
    if (composing || this.isTyping()) this.refused = next;
    else this.put(next);
  }

  /** Somebody typed. */
  typed(text: string): void {
    this.text = text;
    this.typedAt = this.clock();
    // Whoever goes on typing has the last word.
    this.refused = undefined;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.flush(), PAUSE_MILLISECONDS);
  }

  /** The text was sent: there is no draft any more. */
  sent(): void {
    this.text = '';
    this.typedAt = 0;
    this.refused = undefined;
    this.flush();
  }

  /** Stores now what is not stored yet. */
  flush(): void {
    clearTimeout(this.timer);
    const next = this.text.trim() === '' ? '' : this.text;
    if (next === this.stored) return;
    const before = this.stored;
    this.stored = next;
    // What is stored now is the newest of all devices.
    this.refused = undefined;
    this.underWay += 1;
    this.store(next === '' ? null : next)
      .catch(() => {
        // A draft that could not be stored stays in the box and is tried again with the next one.
        if (this.stored === next) this.stored = before;
      })
      .finally(() => (this.underWay -= 1));
  }

  /** The box lost the focus: what was refused while somebody typed is shown now. */
  rest(): void {
    this.typedAt = 0;
    if (this.refused === undefined) this.flush();
    else this.put(this.refused);
  }

  private put(text: string): void {
    clearTimeout(this.timer);
    this.refused = undefined;
    this.text = text;
    this.show(text);
  }

  private isTyping(): boolean {
    return this.text !== '' && this.clock() - this.typedAt < TYPING_MILLISECONDS;
  }
}
