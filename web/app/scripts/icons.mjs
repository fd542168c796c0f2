// Makes the icons in public/icons from icon.svg there, by Chromium: `npm run icons`. The results are checked in, so that a
// build needs no browser.
import { readFile, writeFile } from 'node:fs/promises';
import { chromium } from 'playwright-core';

const folder = new URL('../public/icons/', import.meta.url);
const sign = await readFile(new URL('icon.svg', folder), 'utf8');
// Systems cut maskable icons to a shape of theirs: the ground fills the whole square, the sign stays in the middle 80 %.
const maskable = sign
  .replace(' rx="116"', '')
  .replace('<g id="sign">', '<g id="sign" transform="translate(64 64) scale(.75)">');

const icons = [
  { name: 'icon-192.png', svg: sign, size: 192 },
  { name: 'icon-512.png', svg: sign, size: 512 },
  { name: 'apple-180.png', svg: sign.replace(' rx="116"', ''), size: 180 },
  { name: 'maskable-512.png', svg: maskable, size: 512 },
];

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
  ],
});
try {
  const page = await browser.newPage();
  for (const { name, svg, size } of icons) {
    await page.setViewportSize({ width: size, height: size });
    await page.setContent(
      `<style>body{margin:0}svg{display:block;width:${size}px;height:${size}px}</style>${svg}`,
    );
    await writeFile(new URL(name, folder), await page.screenshot({ omitBackground: true }));
  }
} finally {
  await browser.close();
}
