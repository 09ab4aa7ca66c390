/** What was pushed, in order, for one reader. */
export interface Queue<T> extends AsyncIterableIterator<T> {
  push(value: T): void;
  /** The reader gets what is left, then the end, or this error. */
  end(error?: Error): void;
}

/** @param onDone called once when the reader leaves or the queue ends */
export function createQueue<T>(onDone: () => void): Queue<T> {
  const values: T[] = [];
  let wake: (() => void) | undefined;
  let ended = false;
  let fault: Error | undefined;
  const finish = (error?: Error): void => {
    if (ended) return;
    ended = true;
    fault = error;
    onDone();
    wake?.();
  };
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    push(value) {
      if (ended) return;
      values.push(value);
      wake?.();
    },
    end: finish,
    async next() {
      while (values.length === 0 && !ended) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      const [value] = values.splice(0, 1);
      if (value !== undefined) return { done: false, value };
      const error = fault;
      fault = undefined;
      if (error) throw error;
      return { done: true, value: undefined };
    },
    async return() {
      values.length = 0;
      finish();
      return { done: true, value: undefined };
    },
  };
}
