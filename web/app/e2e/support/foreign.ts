// Somebody else's site that uses the widget: pages of an origin of its own, and users whom its backend vouches for.
import { createHmac, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A site with a key of its own. */
export class ForeignSite {
  private constructor(
    private readonly http: HttpServer,
    private readonly page: { body: string },
    private readonly folder: string,
    private readonly key: Buffer,
    /** Its address, such as `http://127.0.0.1:40000`. */
    readonly origin: string,
  ) {}

  /** Starts one. */
  static async start(): Promise<ForeignSite> {
    const page = { body: '' };
    const http = createServer((request, response) => {
      const found = request.url === '/';
      response.writeHead(found ? 200 : 404, { 'content-type': 'text/html; charset=utf-8' });
      response.end(found ? `<!doctype html><html lang="en"><title>Shop</title><body>${page.body}` : '');
    });
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    const { port } = http.address() as AddressInfo;
    const folder = await mkdtemp(join(tmpdir(), 'suda-site-'));
    const site = new ForeignSite(http, page, folder, randomBytes(32), `http://127.0.0.1:${port}`);
    const keys = { keys: [{ kty: 'oct', kid: 'shop', alg: 'HS256', k: site.key.toString('base64url') }] };
    await writeFile(site.keysFile, JSON.stringify(keys));
    return site;
  }

  /** Changes what stands on its one page. */
  show(body: string): void {
    this.page.body = body;
  }

  /** The site's key as a JWK set, for the server. */
  get keysFile(): string {
    return join(this.folder, 'keys.json');
  }

  /** A token of the site's backend for one of its users. */
  token(user: string, name: string): string {
    const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const expires = Math.floor(Date.now() / 1_000) + 600;
    const head = part({ alg: 'HS256', kid: 'shop' });
    const claims = part({ sub: user, aud: 'suda', exp: expires, name, display_name: name });
    const signature = createHmac('sha256', this.key).update(`${head}.${claims}`).digest('base64url');
    return `${head}.${claims}.${signature}`;
  }

  /** Ends it. */
  async stop(): Promise<void> {
    this.http.closeAllConnections();
    await new Promise((resolve) => this.http.close(resolve));
    await rm(this.folder, { recursive: true, force: true });
  }
}
