/* Chromium, for tests of what only a browser does. */
import { chromium } from 'playwright-core';
import { atEnd } from './ending.js';

export async function launchChromium(t, { args = [], ...options } = {}) {
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium', args: ['--no-sandbox', ...args], ...options });
  atEnd(t, () => browser.close());
  return browser;
}
