/**
 * Runs an operation for each item, `atOnce` at the same time, in the order of the items. Rejects with the first failure when all
 * operations have settled; after a failure no other one begins.
 */
export async function inParallel<T>(items: readonly T[], atOnce: number, operation: (item: T) => Promise<void>): Promise<void> {
  let next = 0;
  let failure: { readonly error: unknown } | undefined;
  const worker = async (): Promise<void> => {
    while (next < items.length && failure === undefined) {
      try {
        await operation(items[next++] as T);
      } catch (error) {
        failure ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, worker));
  if (failure !== undefined) throw (failure as { readonly error: unknown }).error;
}
