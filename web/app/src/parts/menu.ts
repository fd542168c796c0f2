// What a menu holds, and where it opens.
import type { IconName } from './icons';

/** One line of a menu. */
export interface MenuItem {
  label: string;
  icon?: IconName;
  danger?: boolean;
  /** Present where the line is one of a choice. */
  checked?: boolean;
  run: () => void;
}

/** Pixels of the viewport. */
export interface Point {
  x: number;
  y: number;
  /** The pointer that is still held down there. */
  heldBy?: number;
}

/** The point below an element, for a menu that belongs to a button. */
export function below(element: Element): Point {
  const box = element.getBoundingClientRect();
  return { x: box.left, y: box.bottom + 4 };
}
