// The page's small icon, with the count of unread messages on it.
import { badgeText } from './notices';

const SIZE = 64;
const PLAIN = '/icons/icon.svg';

let sign: Promise<HTMLImageElement> | undefined;
let shown = 0;

/** Shows the icon with a count, or plain at 0. */
export async function showCount(count: number): Promise<void> {
  shown = count;
  if (count === 0) return setIcon(PLAIN, 'image/svg+xml');
  const image = await loadSign().catch(() => undefined);
  // A newer count may have come while the image was loading.
  if (shown === count) setIcon(draw(badgeText(count), image), 'image/png');
}

function loadSign(): Promise<HTMLImageElement> {
  sign ??= new Promise((resolve, reject) => {
    const image = new Image(SIZE, SIZE);
    image.onload = () => resolve(image);
    image.onerror = () => reject(new Error('The icon did not load.'));
    image.src = PLAIN;
  });
  return sign;
}

/** The sign with a red badge in its corner, as a data URL. */
function draw(text: string, image: HTMLImageElement | undefined): string {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = SIZE;
  const context = canvas.getContext('2d');
  if (context === null) return PLAIN;
  if (image !== undefined) context.drawImage(image, 0, 0, SIZE, SIZE);
  const width = text.length === 1 ? 36 : 12 + text.length * 16;
  context.fillStyle = '#d3302f';
  context.beginPath();
  context.roundRect(SIZE - width, SIZE - 36, width, 36, 18);
  context.fill();
  context.fillStyle = '#ffffff';
  context.font = 'bold 28px system-ui, sans-serif';
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  context.fillText(text, SIZE - width / 2, SIZE - 16);
  return canvas.toDataURL('image/png');
}

function setIcon(address: string, type: string): void {
  const link = document.querySelector<HTMLLinkElement>('link[rel="icon"]') ?? addLink();
  link.type = type;
  link.href = address;
}

function addLink(): HTMLLinkElement {
  const link = document.createElement('link');
  link.rel = 'icon';
  document.head.append(link);
  return link;
}
