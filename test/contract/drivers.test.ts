import { describe, expect, it } from "vitest";
import type { LinkKind } from "../../src/contracts/driver.js";
import { drivers } from "../../src/drivers/index.js";
import { z } from "../../src/kernel/schema.js";
import { realSerialStack } from "../../src/transports/testing/pty.js";
import { driverContract } from "./driver-contract.js";
import { farEnds } from "./far-ends.js";
import { wireKinds } from "./wires.js";

/** Says loudly what is missing, or fails where it must be there. */
const nativeStack = await realSerialStack();

/** Links that carry bytes as they are, as the wires of this suite do. */
const BYTE_LINKS: ReadonlySet<LinkKind> = new Set(["serial", "tcp", "usb", "file", "process", "pcsc"]);

describe.each(drivers)("driver $id", (driver) => {
  it("has an id of its own and says what it is for", () => {
    expect(drivers.filter(({ id }) => id === driver.id)).toHaveLength(1);
    expect(driver.id).toMatch(/^[a-z][a-z0-9-]*$/);
    expect(driver.summary.length).toBeGreaterThan(10);
    expect(driver.links.length).toBeGreaterThan(0);
  });

  it("takes no settings that it does not know, and describes those it knows in JSON Schema", () => {
    const refused = driver.config.safeParse({ nobodyKnowsThis: 1 });
    // Besides those that it cannot do without.
    const unknown = refused.error?.issues.filter(({ code }: { code: string }) => code === "unrecognized_keys");
    expect(unknown).toMatchObject([{ keys: ["nobodyKnowsThis"] }]);
    expect(z.toJSONSchema(driver.config, { io: "input" })).toMatchObject({ type: "object" });
  });

  // HTTPS, or no wire at all, or one that is there only while somebody looks: the driver's own tests have these rules.
  if (driver.class === "camera" || !driver.links.some((kind) => BYTE_LINKS.has(kind))) return;
  const farEnd = farEnds[driver.id];
  it("has a far end to be tried against, in test/contract/far-ends.ts", () => expect(farEnd).toBeDefined());
  if (!farEnd) return;

  describe.each(wireKinds)("over $name", (kind) => {
    describe.skipIf(kind.native && !nativeStack)("", () => driverContract(driver, farEnd, kind));
  });
});
