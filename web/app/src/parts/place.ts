// Where questions and notices are shown: once in the app, once in each widget of somebody else's page.
import { createContext } from 'svelte';

/** A place where dialogs and notices stand; told apart by being another object. */
export interface Place {
  /** There is a list of conversations beside it to go back to. */
  readonly hasList: boolean;
}

/** The app's own: for whatever is asked or said without naming another one. */
export const APP: Place = { hasList: true };

const [place, providePlace] = createContext<Place>();

export {
  /** The place of a component; to be called while it is made. */
  place,
  /** Gives a place to everything below. */
  providePlace,
};
