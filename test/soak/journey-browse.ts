import type { Journey } from "./visit.js";

/** Nothing is done: a page looks, and shows what a slip would be like. */
export const browse: Journey = async (visit) => {
  const { client, cancel: signal } = visit;
  visit.uses("receipt", "imaging");
  const { devices } = await client.call("devices.list", {});
  visit.must(devices.length > 5, `${devices.length} devices are there`);
  await client.call("agent.describe", {});
  await client.call("jobs.list", { limit: 5 });
  const { id } = visit.pick(0, devices);
  visit.uses(id);
  visit.must((await client.call("devices.get", { device: id })).id === id, `another device than ${id}`);
  if (visit.chance(1, 0.5)) await client.call("devices.capabilities", { device: id });
  if (visit.chance(2, 0.5)) await client.call("printer.status", { device: "receipt" }, { signal });
  if (visit.chance(3, 0.5)) {
    const { image } = await client.call(
      "printer.preview",
      { device: "receipt", document: { blocks: [{ type: "text", text: "Xin chào" }] } },
      { signal },
    );
    visit.must(client.blob(image).size > 100, "an empty preview");
  }
};
