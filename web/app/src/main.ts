// Starts the app: theme and language first, so that nothing flashes, then the page.
import { mount } from 'svelte';

import App from './App.svelte';
import { isEntered, openEntered } from './chat';
import { install } from './pwa/installing';
import { firstLanguage, useLanguage } from './strings/strings.svelte';
import './styles/tokens.css';
import './styles/base.css';
import { restoreTheme } from './theme.svelte';

restoreTheme();
// The worker of whoever is logged in starts meanwhile.
const opening = isEntered() ? openEntered() : undefined;
// Whether that fails is for the app to say.
opening?.catch(() => undefined);
await useLanguage(firstLanguage());

const target = document.getElementById('app');
if (target === null) throw new Error('the page has no place for the app');
mount(App, { target, props: { ...(opening && { opening }) } });
// While somebody works on the app, a service worker would only keep old versions of it.
if (import.meta.env.PROD) void install();
