import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DeviceError } from "../../../kernel/errors.js";
import { decodeCapabilities } from "./capabilities.js";
import { capabilitiesXml, HP_477, imageInfoXml, statusXml, utf8 } from "./documents.test.support.js";
import { decodeImageInfo, decodeStatus } from "./status.js";
import { child, count, descendants, line, readXml } from "./xml.js";

const SCAN = 'xmlns:a="http://schemas.hp.com/imaging/escl/2011/05/03"';
const refusal = (text: string | Uint8Array): DeviceError => {
  try {
    readXml(typeof text === "string" ? utf8(text) : text, "R");
  } catch (thrown) {
    if (thrown instanceof DeviceError && thrown.kind === "device_fault") return thrown;
    throw thrown;
  }
  throw new RangeError("not refused");
};

describe("documents", () => {
  it("are read by namespace, whatever the prefixes are", () => {
    const read = readXml(
      utf8(`\n<?xml version="1.0"?><R xmlns="http://schemas.hp.com/imaging/escl/2011/02/08" xmlns:q="http://www.pwg.org/schemas/2010/12/sm"
        xmlns:x="urn:other"><!-- no --><q:A n="1"> 12 <B>x</B></q:A><x:A>99</x:A><C><![CDATA[ 1 <2]]> &amp;&#x33;</C></R>`),
      "R",
    );
    expect(read.children.map(({ name }) => name)).toEqual(["A", "C"]);
    expect(count(read, "A")).toBe(12);
    expect(child(read, "A")?.attributes.get("n")).toBe("1");
    expect(line(read, "C")).toBe("1 <2 &3");
    expect(descendants(read, "B").map(({ text }) => text)).toEqual(["x"]);
    expect(line(read, "nothing")).toBeUndefined();
    expect(count(read, "nothing")).toBeUndefined();
  });

  it("are refused where they are none, or another's", () => {
    const refused = [
      "",
      "HTTP is fine",
      "<html><body>Log in</body></html>",
      "<R/>",
      `<a:R ${SCAN}>`,
      `<a:S ${SCAN}/>`,
      `<b:R ${SCAN}/>`,
      `<a:R ${SCAN}></a:S>`,
      `<a:R ${SCAN} b=c/>`,
      `<a:R ${SCAN}>&unknown;</a:R>`,
      `<a:R ${SCAN}/><a:R ${SCAN}/>`,
    ];
    for (const text of refused) expect(refusal(text).hint, text).toMatch(/address of the scanner/);
  });

  it("bring no entities", () => {
    const laughs = `<!DOCTYPE R [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><a:R ${SCAN}>&b;</a:R>`;
    expect(refusal(laughs).message).toMatch(/document type/);
    expect(refusal(`<!doctype R SYSTEM "file:///etc/passwd"><a:R ${SCAN}/>`).message).toMatch(/document type/);
  });

  it("are bounded in length, elements, attributes and depth", () => {
    const nested = (depth: number): string => `<a:R ${SCAN}>${"<a:x>".repeat(depth)}${"</a:x>".repeat(depth)}</a:R>`;
    expect(readXml(utf8(nested(30)), "R").name).toBe("R");
    expect(readXml(utf8(`<a:R ${SCAN}>${"<a:x/>".repeat(3_000)}</a:R>`), "R").children).toHaveLength(3_000);
    const much = [
      nested(33),
      "<a>".repeat(3_000),
      `<a:R ${SCAN}>${"<a:x/>".repeat(5_000)}</a:R>`,
      `<a:R ${SCAN}>${" ".repeat(300_000)}</a:R>`,
      `<a:R ${SCAN} ${Array.from({ length: 2_000 }, (_, at) => `n${at}="1"`).join(" ")}/>`,
    ];
    for (const text of much) expect(refusal(text).message).toMatch(/more than a scanner has to say/);
  });

  it("are refused without a word of what they say", () => {
    expect(JSON.stringify({ ...refusal("<a>NGUYEN VAN A"), stack: "" })).not.toContain("NGUYEN");
  });
});

describe("any bytes", () => {
  const decoders = [decodeCapabilities, decodeStatus, decodeImageInfo];
  const settles = (bytes: Uint8Array): void => {
    for (const decode of decoders) {
      try {
        decode(bytes);
      } catch (thrown) {
        expect(thrown).toBeInstanceOf(DeviceError);
        expect((thrown as DeviceError).kind).toBe("device_fault");
      }
    }
  };
  const real = [
    capabilitiesXml(HP_477),
    statusXml("Idle", "ScannerAdfLoaded", [{ uri: "/eSCL/ScanJobs/1", state: "Completed" }]),
    imageInfoXml(1, 2),
  ];

  it("are decoded or refused", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 2_000 }), settles));
    fc.assert(
      fc.property(fc.uint16Array({ maxLength: 500 }), (units) => settles(utf8(`<a:R ${SCAN}>${String.fromCharCode(...units)}</a:R>`))),
    );
  });

  it("are decoded or refused where a real document was cut, or had a part overwritten", () => {
    const place = fc.record({
      which: fc.nat(2),
      at: fc.nat(),
      by: fc.oneof(fc.string({ maxLength: 20 }), fc.constantFrom("<", ">", "&", "</", "]]>", '"')),
    });
    fc.assert(
      fc.property(place, ({ which, at, by }) => {
        const text = real[which] as string;
        const from = at % text.length;
        settles(utf8(text.slice(0, from)));
        settles(utf8(text.slice(0, from) + by + text.slice(from + by.length)));
      }),
    );
  });
});
