import { createHash } from "node:crypto";
import { PDFDocument, PDFHexString, PDFName, type PDFRef, PDFString } from "pdf-lib";
import sharp from "sharp";
import type { PreparedPage } from "../contracts/imaging.js";

export type PdfPage = Pick<PreparedPage, "mediaType" | "bytes" | "widthPx" | "heightPx" | "resolutionDpi">;

const POINTS_PER_INCH = 72;

/**
 * One page for each picture, of its true size. Nothing of a citizen is in its metadata: no title, no author. The same pages at the same
 * time give the same bytes. What PDF/A-2b (ISO 19005-2) asks of a file of pictures only is kept; the test beside this file lists it.
 */
export async function writePdf(pages: readonly PdfPage[], createdAt: number): Promise<Uint8Array> {
  const document = await PDFDocument.create({ updateMetadata: false });
  for (const picture of pages) {
    const { widthPx, heightPx, resolutionDpi } = picture;
    const [width, height] = [(widthPx / resolutionDpi) * POINTS_PER_INCH, (heightPx / resolutionDpi) * POINTS_PER_INCH];
    const page = document.addPage([width, height]);
    page.node.setXObject(PDFName.of("Scan"), await addPicture(document, picture));
    const drawing = `q ${width.toFixed(3)} 0 0 ${height.toFixed(3)} 0 0 cm /Scan Do Q`;
    page.node.set(PDFName.of("Contents"), document.context.register(document.context.stream(drawing)));
  }
  await addArchivalFacts(document, createdAt);
  const digest = createHash("sha256").update(String(createdAt));
  for (const { bytes } of pages) digest.update(bytes);
  const id = PDFHexString.of(digest.digest("hex").slice(0, 32));
  document.context.trailerInfo.ID = document.context.obj([id, id]);
  // Only few objects: packing them saves nothing, and old viewers open the plain form.
  return await document.save({ useObjectStreams: false, addDefaultPage: false, updateFieldAppearances: false });
}

/** JPEG and the compressed rows of a PNG are what PDF calls DCTDecode and FlateDecode with PNG's predictor (ISO 32000-1, 7.4.4.4). */
async function addPicture(document: PDFDocument, { mediaType, bytes, widthPx, heightPx }: PdfPage): Promise<PDFRef> {
  const base = { Type: "XObject", Subtype: "Image", Width: widthPx, Height: heightPx };
  if (mediaType === "image/jpeg") {
    const ColorSpace = (await sharp(bytes).metadata()).channels === 1 ? "DeviceGray" : "DeviceRGB";
    return document.context.register(document.context.stream(bytes, { ...base, ColorSpace, BitsPerComponent: 8, Filter: "DCTDecode" }));
  }
  const rows = { Predictor: 15, Colors: 1, BitsPerComponent: 1, Columns: widthPx };
  const dictionary = { ...base, ColorSpace: "DeviceGray", BitsPerComponent: 1, Filter: "FlateDecode", DecodeParms: rows };
  return document.context.register(document.context.stream(pngRows(bytes), dictionary));
}

/** Of a PNG of our own: its one IDAT chunk. */
function pngRows(png: Uint8Array): Uint8Array {
  const at = Buffer.from(png.buffer, png.byteOffset, png.byteLength).indexOf("IDAT", 0, "latin1");
  const length = new DataView(png.buffer, png.byteOffset + at - 4, 4).getUint32(0);
  return png.subarray(at + 4, at + 4 + length);
}

/** ISO 19005-2, 6.2.3 (output intent) and 6.6.4 (version and conformance level). */
async function addArchivalFacts(document: PDFDocument, createdAt: number): Promise<void> {
  const { context, catalog } = document;
  const profile = context.register(context.flateStream(await sRgbProfile(), { N: 3 }));
  const intent = {
    Type: "OutputIntent",
    S: "GTS_PDFA1",
    OutputConditionIdentifier: PDFString.of("sRGB"),
    Info: PDFString.of("sRGB"),
    DestOutputProfile: profile,
  };
  catalog.set(PDFName.of("OutputIntents"), context.obj([intent]));
  const metadata = context.stream(Buffer.from(xmp(createdAt), "utf8"), { Type: "Metadata", Subtype: "XML" });
  catalog.set(PDFName.of("Metadata"), context.register(metadata));
}

/** The library's own profile, as it puts it into files. */
async function sRgbProfile(): Promise<Uint8Array> {
  const dot = { create: { width: 1, height: 1, channels: 3, background: "white" } } as const;
  const { icc } = await sharp(await sharp(dot).withIccProfile("srgb").png().toBuffer()).metadata();
  return icc ?? new Uint8Array();
}

function xmp(createdAt: number): string {
  const created = `${new Date(createdAt).toISOString().slice(0, 19)}Z`;
  return `<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/" xmlns:xmp="http://ns.adobe.com/xap/1.0/">
<pdfaid:part>2</pdfaid:part>
<pdfaid:conformance>B</pdfaid:conformance>
<xmp:CreateDate>${created}</xmp:CreateDate>
<xmp:CreatorTool>stationd</xmp:CreatorTool>
</rdf:Description>
</rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>`;
}
