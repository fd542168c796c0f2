// What every part of an open conversation shares, so that it need not be handed through each of them.
import type { Conversation, Message } from '@suda/client';
import { createContext } from 'svelte';

/** The conversation on screen and what its parts can ask of the screen. */
export interface Screen {
  readonly conversation: Conversation;
  /** A group shows who wrote each message. */
  readonly isGroup: boolean;
  /** Up to where all others have read and received, sequences; reactive. */
  readonly marks: { readonly read: number; readonly delivered: number };
  /** Whether somebody can write here now; reactive. */
  readonly writable: boolean;
  /** What can be done to this message; reactive. */
  can(message: Message, act: 'edit' | 'delete' | 'reply' | 'react' | 'receipts'): boolean;
  reply(message: Message): void;
  edit(message: Message): void;
  /** Asks first. */
  remove(message: Message): Promise<void>;
  react(message: Message, emoji: string): Promise<void>;
  /** Shows the message with this sequence, loading what is around it. */
  jumpTo(seq: number): void;
  /** Opens a dialog about a message. */
  ask(about: 'receipts' | 'reactions', message: Message): void;
}

const [screen, provideScreen] = createContext<Screen>();

export {
  /** The open conversation; for parts of it. */
  screen,
  /** Gives it to everything below; for the screen itself. */
  provideScreen,
};
