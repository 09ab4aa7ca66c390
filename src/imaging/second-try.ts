import { DeviceError } from "../kernel/errors.js";

/**
 * Work of a child. One that died may have been killed for another's sake or for lack of memory: the work is done again, and only what ends
 * it twice is to blame, as `blame` says. No device is absent then.
 */
export async function secondTry<T>(work: () => Promise<T>, blame: (cause: DeviceError) => DeviceError): Promise<T> {
  const childDied = (thrown: unknown): thrown is DeviceError => thrown instanceof DeviceError && thrown.kind === "device_absent";
  try {
    return await work().catch((thrown: unknown) => {
      if (childDied(thrown)) return work();
      throw thrown;
    });
  } catch (thrown) {
    throw childDied(thrown) ? blame(thrown) : thrown;
  }
}
