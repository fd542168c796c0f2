// Whether what is kept may be shown.
import { KEPT, LEAVING, LOGIN, type Glimpse } from './glimpse';

/** What this page may show; absent where nobody is logged in, somebody else is, or the page is of another version. */
export function readGlimpse(storage: Pick<Storage, 'getItem'>, page: string): Glimpse | undefined {
  const [kept, login] = [storage.getItem(KEPT), storage.getItem(LOGIN)];
  if (kept === null || login === null || storage.getItem(LEAVING) !== null) return undefined;
  try {
    const glimpse = JSON.parse(kept) as Glimpse;
    return glimpse.login === login && glimpse.page === page ? glimpse : undefined;
  } catch {
    return undefined;
  }
}
