/** Whether a plugin's file is TypeScript. */
export function isTypescript(name: string): boolean {
  return /\.m?ts$/i.test(name);
}

/** Whether this Node.js loads TypeScript files by itself. */
export function loadsTypescript(): boolean {
  const { typescript } = process.features as { readonly typescript?: string | false };
  return typescript !== undefined && typescript !== false;
}

/**
 * The text without its types, as Node.js itself removes them: every other character stays in its place, so lines and columns of
 * errors are those of the file. Throws `SyntaxError` for what is no TypeScript, and for syntax that is more than types (enums, namespaces,
 * parameter properties).
 */
export async function stripTypes(source: string, file: string): Promise<string> {
  const { default: swc } = await import('@swc/wasm-typescript');
  try {
    return swc.transformSync(source, { mode: 'strip-only', module: true, filename: file }).code;
  } catch (error) {
    throw new SyntaxError(problemText(error, file));
  }
}

function problemText(error: unknown, file: string): string {
  const { message, startColumn, startLine } = error as {
    readonly message?: unknown;
    readonly startLine?: unknown;
    readonly startColumn?: unknown;
  };
  const text = typeof message === 'string' ? message : String(error);
  return typeof startLine === 'number' && typeof startColumn === 'number' ? `${text} (${file}:${startLine}:${startColumn + 1})` : text;
}
