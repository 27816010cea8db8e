/** Patterns on names of measurements, tags and fields. They are tried on the main thread, where one that never ends would stop the server. */
import { createContext, Script } from 'node:vm';
import { selectError } from './errors.ts';

/** Longer patterns take long to read. */
const PATTERN_CHARS_MAX = 32_768;

/** What takes longer on one name is tried again and again by a repeat in a repeat. */
const NAME_MS_MAX = 100;

/** Two repeats that are in no other one, on a name of so many characters, take less than the watch over them. */
const PLAIN_NAME_CHARS_MAX = 100;
const PLAIN_REPEATS_MAX = 2;

/** A regular expression that ends soon on every name, or throws a planning error. */
export interface NamePattern {
  test(name: string): boolean;
}

/** Throws a planning error for a pattern that cannot be read. */
export function namePattern(source: string): NamePattern {
  if (source.length > PATTERN_CHARS_MAX) {
    throw selectError(`regular expression of ${source.length} characters; names are compared with ${PATTERN_CHARS_MAX} at most`);
  }
  const pattern = read(source);
  const repeats = pattern.source.match(/[*+?{]/g)?.length ?? 0;
  const isPlain = repeats <= PLAIN_REPEATS_MAX && !/\)[*+?{]/.test(pattern.source);
  let watched: NamePattern | undefined;
  return {
    test(name) {
      if (repeats === 0 || (isPlain && name.length <= PLAIN_NAME_CHARS_MAX)) return pattern.test(name);
      watched ??= watchedPattern(pattern);
      return watched.test(name);
    },
  };
}

function read(source: string): RegExp {
  const inline = /^\(\?([ims]+)\)/.exec(source);
  try {
    return inline ? new RegExp(source.slice(inline[0].length), `${inline[1]}u`) : new RegExp(source, 'u');
  } catch (error) {
    throw selectError(`invalid regular expression: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function watchedPattern(pattern: RegExp): NamePattern {
  const context = createContext({ pattern, name: '' });
  const script = new Script('pattern.test(name)');
  return {
    test(name) {
      context['name'] = name;
      try {
        return script.runInContext(context, { timeout: NAME_MS_MAX }) as boolean;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
        throw selectError('regular expression takes too long: it has a repeat in a repeat');
      }
    },
  };
}
