// Whether somebody is logged in on this browser. The cookie itself is out of reach of scripts, so a mark stands for it.

import { LOGIN } from './glimpse/glimpse';

/** The mark of one page: it knows its own login from one that another tab has made since. */
export class Entered {
  /** What stood there when this page took up its login; null without one. */
  private own: string | null = null;

  /** `storage` is shared by all tabs of the browser. */
  constructor(private readonly storage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>) {}

  /** Somebody logged in on this browser and did not log out. */
  get isMarked(): boolean {
    return this.storage.getItem(LOGIN) !== null;
  }

  /** The mark of this page's login; null without one. */
  get present(): string | null {
    return this.own;
  }

  /** This page goes on with the login that is there. */
  takeUp(): void {
    this.own = this.storage.getItem(LOGIN);
  }

  /** This page has logged `account` in at `now`, milliseconds: no two logins have the same mark. */
  mark(account: string, now: number): void {
    this.own = `${account} ${now}`;
    this.storage.setItem(LOGIN, this.own);
  }

  /** This page's login is over. Tells whether nobody is logged in now: false where another tab has logged in since. */
  forget(): boolean {
    const present = this.storage.getItem(LOGIN);
    if (present !== null && present !== this.own) return false;
    this.storage.removeItem(LOGIN);
    this.own = null;
    return true;
  }
}
