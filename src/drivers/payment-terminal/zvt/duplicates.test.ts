import { expect, it } from "vitest";
import { fromHex } from "../../../kernel/bytes.js";
import { createDuplicateWatch } from "./duplicates.js";

const STATUS = fromHex("04ff0117");

it("the same block before our answer to it was taken is a duplicate; after that it is new", () => {
  const watch = createDuplicateWatch();
  expect(watch.received(STATUS)).toBe("new");
  expect(watch.received(fromHex("04ff0117"))).toBe("duplicate");
  expect(watch.received(STATUS)).toBe("duplicate");
  watch.acknowledged();
  expect(watch.received(STATUS)).toBe("new");
  expect(watch.received(fromHex("04ff010e"))).toBe("new");
  expect(watch.received(STATUS)).toBe("new");
});

it("remembers what it saw, not the memory it lay in", () => {
  const watch = createDuplicateWatch();
  const block = STATUS.slice();
  watch.received(block);
  block.fill(0);
  expect(watch.received(STATUS)).toBe("duplicate");
});
