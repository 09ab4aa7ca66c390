import type { PrintDocument } from "../protocol/printer.js";
import { type GreyPicture, ruler, wedge } from "../technician/test-drawings.js";
import { testPage } from "../technician/test-page.js";
import { packageVersion } from "../version.js";
import { greyPng } from "./test-device-drawing.js";

/** The test page for a printer of this width. */
export function testPageFor(device: string, widthDots: number): PrintDocument {
  const png = (picture: GreyPicture): string => Buffer.from(greyPng(picture)).toString("base64");
  const drawings = { ruler: png(ruler(widthDots)), wedge: png(wedge(widthDots)) };
  return testPage({ device, printedAt: new Date(), version: packageVersion(), ...drawings });
}
