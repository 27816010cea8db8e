/** Runs an operation for each item, `atOnce` at the same time. Rejects with the first failure; then no other one begins. */
export async function inParallel<T>(items: readonly T[], atOnce: number, operation: (item: T) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    try {
      while (next < items.length) await operation(items[next++] as T);
    } catch (error) {
      next = items.length;
      throw error;
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, worker));
}
