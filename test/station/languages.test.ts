import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { said as stationd } from "../../src/commands/testing/said.js";
import { startStation, type TestStation } from "../../src/testing.js";
import { inAFolder } from "./station-in-a-folder.js";

let station: TestStation;
let folder: string;

beforeAll(async () => {
  station = await startStation({ seed: 71 });
  folder = await mkdtemp(join(tmpdir(), "stationd-lang-"));
  await writeFile(join(folder, "token"), station.tokens.technician);
});
afterAll(async () => {
  await station.stop();
  await rm(folder, { recursive: true, force: true });
});
const asTechnician = (): string[] => ["--url", station.url, "--token-file", join(folder, "token")];

test("an agent's error is told in the technician's language, and to programs in English", async () => {
  const scan = ["scan", "--timeout", "0.2", ...asTechnician()];
  const vietnamese = await stationd({ LANG: "vi_VN.UTF-8" }, ...scan);
  expect(vietnamese).toMatchObject({ code: 4, out: "" });
  expect(vietnamese.note).toContain("  Hết thời gian mà không có gì xảy ra: kiểm tra thiết bị, hoặc cho chờ lâu hơn bằng --timeout\n");
  const english = await stationd({}, ...scan);
  expect(english.note).toContain("  Nothing happened in this time: check the device, or allow more time with --timeout\n");
  expect(await stationd({ LANG: "vi_VN.UTF-8" }, ...scan, "--json")).toEqual(await stationd({}, ...scan, "--json"));
  const unknown = await stationd({ STATIOND_LANG: "vi" }, "test", "nobody", "--yes", ...asTechnician());
  expect(unknown.note).toContain("không có thiết bị nobody");
});

test("devices and status are told in Vietnamese, and to programs as ever", async () => {
  await station.act("receipt", "paperOut");
  const client = await station.connect("technician");
  for await (const update of client.events(["devices"])) {
    const devices = update.kind === "state" ? update.state : [update.data];
    if (devices.some(({ id, state }) => id === "receipt" && state === "attention")) break;
  }
  const { out } = await stationd({}, "--lang", "vi", "status", ...asTechnician());
  expect(out).toContain("đang phục vụ, chế độ thử");
  expect(out).toMatch(/^receipt +printer +cần xử lý .*\[mô phỏng\]/m);
  expect(out).toMatch(/hết giấy\.\s+Lắp\s+giấy\s+và\s+đóng\s+nắp\./);
  const [asked, english] = [
    await stationd({ LANG: "vi" }, "devices", "--json", ...asTechnician()),
    await stationd({}, "devices", "--json", ...asTechnician()),
  ];
  expect(asked).toEqual(english);
});

test("who is let in by the service's socket only is told so, once", async () => {
  const runtime = join(folder, "runtime");
  await mkdir(runtime);
  const service = await inAFolder({ serviceSocket: join(runtime, "service.sock") });
  try {
    // It is there and nobody answers: what a dead agent leaves behind.
    const technicianSocket = join(runtime, "technician.sock");
    await writeFile(technicianSocket, "");
    const env = { RUNTIME_DIRECTORY: runtime, XDG_STATE_HOME: runtime };
    const told = await stationd(env, "devices");
    expect(told).toMatchObject({ code: 0, out: expect.stringContaining("scanner") });
    expect(told.note.match(/asked as a local service, which may do less/g)).toHaveLength(1);
    expect(told.note).toContain(technicianSocket);
    const json = await stationd(env, "devices", "--json");
    expect(json.note).toContain(technicianSocket);
    expect(JSON.parse(json.out)).toMatchObject({ devices: [{ id: "scanner" }] });
    // Who means the local service is told nothing; nor is anybody where there is no other socket.
    expect((await stationd(env, "scan", "--timeout", "0.1")).note).not.toContain("technician");
    await rm(technicianSocket);
    expect((await stationd(env, "devices")).note).toBe("");
  } finally {
    await service.stop();
  }
});
