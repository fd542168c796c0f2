// Stands in for `chat` in the widget: its clients are opened by `clients`, and nothing of it knows the app's own logins.
import type { Client } from '@suda/client';
import { createContext } from 'svelte';

const [client, provideClient] = createContext<Client>();

export {
  /** The client; for components of a widget. */
  client,
  /** Gives the client to everything below; for the widget itself. */
  provideClient,
};
