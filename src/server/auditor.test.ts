import { expect, it } from "vitest";
import type { AuditFact } from "../audit/entry.js";
import { manualClock } from "../kernel/clock.js";
import { systemRandom } from "../kernel/random.js";
import type { Call } from "../protocol/call.js";
import { createAuditor } from "./auditor.js";
import { HELLO, kindOf, ORIGIN, startFixture, TECHNICIAN_TOKEN } from "./fixture.js";
import type { Session } from "./session.js";

function sink(): { readonly facts: AuditFact[]; record(fact: AuditFact): number } {
  const facts: AuditFact[] = [];
  return { facts, record: (fact) => facts.push(fact) };
}
const caller = { session: "s", role: "technician", principal: "token:anna", client: "c 1" } as const;
const session = { caller } as unknown as Session;

it("nobody flushes the log: what comes faster than a hand works is counted, each person and action by itself", async () => {
  const clock = manualClock();
  const { facts, record } = sink();
  const auditor = createAuditor(clock, { record });
  const reset = auditor.watched("devices.reset", () => "done");
  const act = (by = caller.principal as string) =>
    reset(
      { device: "receipt" },
      { caller: { ...caller, principal: by } } as unknown as Call,
      {
        caller: { ...caller, principal: by },
      } as unknown as Session,
    );
  for (let index = 0; index < 1_000; index++) expect(act()).toBe("done");
  expect(facts).toHaveLength(60);
  act("token:bert");
  auditor.forbidden("agent.maintenance", session);
  expect(facts.slice(60)).toMatchObject([{ who: "token:bert" }, { what: "agent.maintenance", outcome: "forbidden" }]);
  await clock.advance(5_000);
  act();
  expect(facts.at(-1)).toMatchObject({ who: "token:anna", what: "devices.reset", more: 940 });
});

it("wrong tokens are written down with the user that tried them, and never the token", async () => {
  const { facts, record } = sink();
  await using fixture = await startFixture({ server: { audit: { record }, findPeerUid: async () => 33 } });
  const { hello } = await fixture.connect({ token: "wrong-token-4711" }, { origin: undefined });
  expect(kindOf(hello)).toBe("unauthorized");
  const metrics = await fetch(`${fixture.server.httpUrl}/metrics`, { headers: { authorization: "Bearer wrong-token-4711" } });
  expect(metrics.status).toBe(401);
  await fixture.connect({ token: TECHNICIAN_TOKEN }, { origin: undefined });
  expect(facts).toMatchObject([
    { who: "door:tcp", uid: 33, what: "auth.failed", detail: "bad_token" },
    { who: "door:tcp", what: "auth.failed", detail: "metrics_token" },
    { who: "token:anna", uid: 33, what: "auth.entered", detail: "technician", outcome: "ok" },
  ]);
  expect(JSON.stringify(facts)).not.toContain("4711");
});

it("whoever tried ten wrong tokens is not listened to for a while; another user is, and so is the page of the same user", async () => {
  const clock = manualClock();
  let uid = 33;
  await using fixture = await startFixture({ clock, server: { findPeerUid: async () => uid } });
  const tryToken = async (token: string): Promise<string | undefined> => {
    const { client, hello } = await fixture.connect({ token }, { origin: undefined });
    client.ws.close();
    return kindOf(hello);
  };
  const wrong = (): string => Buffer.from(systemRandom.bytes(16)).toString("hex");
  for (let index = 0; index < 10; index++) expect(await tryToken(wrong())).toBe("unauthorized");
  expect(await tryToken(TECHNICIAN_TOKEN)).toBe("rate_limited");
  const metrics = (): Promise<number> =>
    fetch(`${fixture.server.httpUrl}/metrics`, { headers: { authorization: `Bearer ${TECHNICIAN_TOKEN}` } }).then(({ status }) => status);
  expect(await metrics()).toBe(429);
  expect(fixture.meter.counted("stationd_refusals_total", { reason: "too_many_failures" })).toBe(2);
  const { hello } = await fixture.connect(HELLO, { origin: ORIGIN });
  expect(hello.result?.role).toBe("kiosk");
  uid = 1_000;
  expect(await tryToken(TECHNICIAN_TOKEN)).toBeUndefined();
  uid = 33;
  await clock.advance(10_000);
  expect(await tryToken(TECHNICIAN_TOKEN)).toBeUndefined();
  expect(await metrics()).toBe(200);
});
