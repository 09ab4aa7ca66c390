import fc from "fast-check";
import { expect, it } from "vitest";
import { Secret } from "../../../kernel/secret.js";
import { deriveKey } from "./envelope.js";
import { createStages, readNotice } from "./notices.js";
import { approval, createRig, KEY, POI, type Rig, SETTINGS } from "./rig.test.support.js";

/** A payment during which the terminal tells these, in this order. */
async function during(rig: Rig, tell: () => void): Promise<void> {
  rig.script.Payment = async () => {
    await rig.clock.sleep(1_000);
    tell();
    return { body: approval() };
  };
  expect(await rig.pay()).toMatchObject({ state: "approved" });
}

it("shows how a payment goes, and knows by it that the terminal has the order", async () => {
  const rig = await createRig();
  await during(rig, () => {
    for (const event of ["TENDER_CREATED", "CARD_INSERTED", "WAIT_FOR_APP_SELECTION", "WAIT_FOR_PIN", "PIN_DIGIT_ENTERED", "PIN_ENTERED"]) {
      expect(rig.notice(event)).toBe(200);
      rig.notice(event);
    }
    for (const event of ["TENDER_FINAL", "CARD_REMOVED", "SOMETHING_NEW"]) rig.notice(event);
  });
  expect(rig.record.stages).toEqual(["checking", "present_card", "present_card", "authorising", "enter_pin", "authorising", "remove_card"]);
  expect(rig.events).toEqual(["> Diagnosis", "> Diagnosis", "armed", "> Payment", "sent", "held", "answering"]);
});

it("believes no notice of anyone else, or of another order", async () => {
  const rig = await createRig();
  const foreign = await deriveKey(new Secret("another passphrase"), SETTINGS);
  await during(rig, () => {
    rig.notice("WAIT_FOR_PIN", { serviceId: "0123456789" });
    rig.notice("WAIT_FOR_PIN", { key: foreign });
    rig.notice("WAIT_FOR_PIN", { key: { ...KEY, keyVersion: 9 } });
    rig.notice("WAIT_FOR_PIN", { poiId: "V400m-1" });
    rig.notify(new TextEncoder().encode('{"SaleToPOIRequest":{"DisplayRequest":{"DisplayOutput":[]}}}'));
  });
  expect(rig.record.stages).toEqual(["checking", "present_card"]);
  expect(rig.events).not.toContain("sent");
  // And none at all when no order is under way.
  expect(rig.notice("WAIT_FOR_PIN")).toBe(200);
  expect(rig.record.stages).toEqual(["checking", "present_card"]);
});

it("takes a second question for the PIN as the sign that the first one was wrong", () => {
  const stages = createStages();
  const shown = ["WAIT_FOR_PIN", "PIN_ENTERED", "WAIT_FOR_PIN", "WAIT_FOR_PIN", "PIN_ENTERED", "TENDER_FINAL"].map(stages);
  expect(shown).toEqual(["enter_pin", "authorising", "wrong_pin", "enter_pin", "authorising", undefined]);
  expect(["toString", "__proto__", ""].map(stages)).toEqual([undefined, undefined, undefined]);
});

it("takes any notice", async () => {
  const rig = await createRig();
  fc.assert(
    fc.property(fc.anything(), (message) => {
      expect(readNotice(message, { poiId: POI })).toBeUndefined();
    }),
  );
  rig.script.Payment = () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(rig.notify(bytes)).toBe(200);
      }),
    );
    return { body: approval() };
  };
  expect(await rig.pay()).toMatchObject({ state: "approved" });
  expect(rig.record.stages).toEqual(["checking", "present_card"]);
});
