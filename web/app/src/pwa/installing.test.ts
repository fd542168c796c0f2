// New versions: a page loads them when they take over, and only then.
import { describe, expect, it } from 'vitest';

import { followVersions } from './installing';

/** What a browser says of the service worker that a page is under. */
class Workers extends EventTarget {
  constructor(public controller: ServiceWorker | null) {
    super();
  }

  takeOver(): void {
    this.controller = {} as ServiceWorker;
    this.dispatchEvent(new Event('controllerchange'));
  }
}

describe('a page', () => {
  it.each([
    ['on the first visit', null, 1, 0],
    ['on the first visit, when a new version comes', null, 2, 1],
    ['on a later visit, when a new version comes', {} as ServiceWorker, 1, 1],
  ])('%s', (_, controller, times, expected) => {
    const workers = new Workers(controller);
    let reloads = 0;
    followVersions(workers, () => (reloads += 1));
    for (let time = 0; time < times; time += 1) workers.takeOver();
    expect(reloads).toBe(expected);
  });
});
