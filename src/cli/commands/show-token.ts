import { type CliIo, print, styled } from '../io.ts';

/** Prints a token that was just made, the only time that it is known. */
export async function showToken(token: string, format: 'json' | 'text', io: CliIo): Promise<void> {
  const header = `Authorization: Bearer ${token}`;
  if (format === 'json') {
    const help = `Store this token securely, as it will not be shown again. HTTP requests require the following header: "${header}"`;
    await print(io, JSON.stringify({ token, help_msg: help }, null, 2));
    return;
  }
  const bold = (text: string, codes: string): string => (styled(io, io.stdout) ? `\u001b[${codes}m${text}\u001b[0m` : text);
  const lines = [
    '',
    bold('New token created successfully!', '4'),
    '',
    `${bold('Token:', '1')} ${token}`,
    `${bold('HTTP Requests Header:', '1')} ${header}`,
    '',
    `${bold('IMPORTANT:', '1;31')} Store this token securely, as it will not be shown again.`,
    '',
  ];
  await print(io, lines.join('\n'));
}
