// A long press of a finger, which is how menus open where there is no second button: Safari on phones tells of none itself.
import type { Point } from './menu';

/** As long as other apps take it for; browsers begin to select text at about the same time. */
const LONG_MILLISECONDS = 500;
/** A finger that moved further than this scrolls. */
const STILL_PIXELS = 10;

/** To attach to an element: calls `act` where a finger rested on it, but not on a link inside it. */
export function longPress(act: (at: Point) => void): (element: HTMLElement) => () => void {
  return (element) => {
    let press: Press | undefined;
    const onpointerdown = (event: PointerEvent): void => {
      press?.end();
      press = undefined;
      const link = event.target instanceof Element ? event.target.closest('a') : null;
      const isOther = link !== null && link !== element;
      if (event.pointerType === 'touch' && event.isPrimary && !isOther)
        press = new Press(element, event, act);
    };
    element.addEventListener('pointerdown', onpointerdown);
    return () => {
      press?.end();
      element.removeEventListener('pointerdown', onpointerdown);
    };
  };
}

/** One finger on an element, until the next one. */
class Press {
  private readonly listening = new AbortController();
  private readonly timer: ReturnType<typeof setTimeout>;
  private hasActed = false;
  private isHeld = true;

  constructor(
    element: HTMLElement,
    private readonly down: PointerEvent,
    private readonly act: (at: Point) => void,
  ) {
    this.timer = setTimeout(() => this.rested(), LONG_MILLISECONDS);
    const options = { signal: this.listening.signal, capture: true };
    element.addEventListener('pointermove', (event) => this.moved(event), options);
    element.addEventListener('pointerup', () => this.lifted(), options);
    element.addEventListener('pointercancel', () => this.lifted(), options);
    element.addEventListener('contextmenu', (event) => this.asked(event), options);
    element.addEventListener('click', (event) => this.clicked(event), options);
  }

  end(): void {
    clearTimeout(this.timer);
    this.listening.abort();
  }

  private rested(): void {
    clearTimeout(this.timer);
    if (this.hasActed) return;
    this.hasActed = true;
    const { clientX: x, clientY: y, pointerId } = this.down;
    this.act({ x, y, ...(this.isHeld && { heldBy: pointerId }) });
  }

  private lifted(): void {
    this.isHeld = false;
    clearTimeout(this.timer);
  }

  private moved({ pointerId, clientX, clientY }: PointerEvent): void {
    const { down } = this;
    if (pointerId !== down.pointerId) return;
    if (Math.hypot(clientX - down.clientX, clientY - down.clientY) > STILL_PIXELS) clearTimeout(this.timer);
  }

  /** Browsers that tell of a long press themselves do it at about the same time, also where a word was selected by it. */
  private asked(event: MouseEvent): void {
    event.preventDefault();
    event.stopPropagation();
    this.rested();
  }

  /** The finger that opened a menu presses nothing when it is lifted. Clicks of the keyboard have no detail. */
  private clicked(event: MouseEvent): void {
    if (!this.hasActed || event.detail === 0) return;
    event.preventDefault();
    event.stopPropagation();
  }
}
