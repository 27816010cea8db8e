import { createHash, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { FastifyInstance } from 'fastify';
import { EXPLORER_PAGE, EXPLORER_SCRIPT, EXPLORER_STYLE } from '../shared/gate-paths.ts';

/** The page itself: the same for everybody, without any data; what it shows it asks the server for, with the token of who looks. */
export interface ExplorerPage {
  /** Markup and headers of the page. The nonce of its styles is new each time. */
  shell(): { readonly html: string; readonly headers: Readonly<Record<string, string>> };
}

interface Asset {
  readonly type: string;
  readonly plain: Buffer;
  readonly zipped: Buffer;
  readonly tag: string;
}

/** Where the build puts script and style, beside the bundled program. */
const ASSETS = new URL('./explorer/', import.meta.url);

const zip = promisify(gzip);

/** The explorer page; its files are read when somebody asks for them. */
export function openExplorer(): ExplorerPage {
  return {
    shell() {
      const nonce = randomBytes(16).toString('base64');
      return {
        html: shellHtml(nonce),
        headers: { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store', ...securityHeaders(nonce) },
      };
    },
  };
}

/** `GET /` and the two files that it loads. They need no token. `assets` = the directory of the files. */
export function explorerRoutes(page: ExplorerPage, assets: URL = ASSETS): (app: FastifyInstance) => Promise<void> {
  const loaded = new Map<string, Promise<Asset>>();
  const assetOf = (name: string, type: string): Promise<Asset> => {
    const known = loaded.get(name) ?? readAsset(new URL(name, assets), type);
    loaded.set(name, known);
    known.catch(() => loaded.delete(name));
    return known;
  };
  return async (app) => {
    app.get(EXPLORER_PAGE, async (_request, reply) => {
      const { headers, html } = page.shell();
      return reply.headers(headers).send(html);
    });
    for (const [path, name, type] of [
      [EXPLORER_SCRIPT, 'app.js', 'text/javascript; charset=utf-8'],
      [EXPLORER_STYLE, 'app.css', 'text/css; charset=utf-8'],
    ] as const) {
      app.get(path, async (request, reply) => {
        const { plain, tag, type: contentType, zipped } = await assetOf(name, type);
        reply.headers({
          'content-type': contentType,
          etag: tag,
          'cache-control': 'no-cache',
          vary: 'accept-encoding',
          'x-content-type-options': 'nosniff',
        });
        if (request.headers['if-none-match'] === tag) return reply.code(304).send();
        if (!/\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''))) return reply.send(plain);
        return reply.header('content-encoding', 'gzip').send(zipped);
      });
    }
  };
}

async function readAsset(url: URL, type: string): Promise<Asset> {
  const plain = await readFile(fileURLToPath(url));
  return {
    type,
    plain,
    zipped: await zip(plain, { level: 9 }),
    tag: `"${createHash('sha256').update(plain).digest('base64url').slice(0, 22)}"`,
  };
}

/** Nothing from elsewhere, no script but the page's own, no frames, no forms that leave. */
function securityHeaders(nonce: string): Record<string, string> {
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'self' 'nonce-${nonce}'`,
    "connect-src 'self'",
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ];
  return {
    'content-security-policy': policy.join('; '),
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
  };
}

const ICON =
  "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Cpath d='M1 12 5 6l3 4 3-7 4 9' fill='none' stroke='%231b5fc4' stroke-width='2'/%3E%3C/svg%3E";

function shellHtml(nonce: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="style-nonce" content="${nonce}">
<title>InfluxDB 3 explorer</title>
<link rel="icon" href="${ICON}">
<link rel="stylesheet" href="${EXPLORER_STYLE}">
<script type="module" src="${EXPLORER_SCRIPT}"></script>
</head>
<body>
<noscript><p>This page needs JavaScript. The command line does the same: influxdb3 --help</p></noscript>
</body>
</html>
`;
}
