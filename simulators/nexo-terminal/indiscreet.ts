import { additional, type Body } from "./messages.js";

/** Nobody's card, made up: what an indiscreet terminal tells of whichever card it is. */
export const SECRETS = {
  pan: "9704365471150018",
  spacedPan: "9704 3654 7115 0018",
  /** Of the magnetic stripe (ISO/IEC 7813). */
  track1: "B9704365471150018^LE THI NOBODY^30122011234567890123",
  track2: "9704365471150018=30122011234567890123",
  track3: "019704365471150018=70412345678901234567",
  pin: "PIN 4711",
} as const;

const { pan, spacedPan, track1, track2, track3, pin } = SECRETS;

/** For everything that has room for words. */
export const INDISCREET_TEXT = `${pan} ${pin} ;${track2}?`;

/** Fields of a card that a sale system has no use for, and text with all of them. */
const CARD = {
  MaskedPan: pan,
  PAN: pan,
  PaymentAccountRef: pan,
  TrackData: [track1, track2, track3].map((TrackValue, index) => ({ TrackNumb: index + 1, TrackFormat: "ISO", TrackValue })),
  SensitiveCardData: {
    PAN: pan,
    ExpiryDate: "1230",
    CardSeqNumb: "01",
    CVV: "4711",
    TrackData: [{ TrackNumb: 2, TrackFormat: "ISO", TrackValue: track2 }],
  },
};

const LINES: readonly string[] = [
  additional({ key: "pan", name: "Card No", value: pan }),
  additional({ key: "pan", name: "Card No", value: spacedPan }),
  additional({ key: "track2", name: "Track", value: `;${track2}?` }),
  additional({ key: "track1", name: `%${track1}?` }),
  additional({ key: "pin", name: "PIN", value: "4711" }),
  // No form: printed as it stands.
  `${spacedPan.replaceAll(" ", "-")} ${pin}`,
  `Track 3 ;${track3}?`,
];

type Fields = Readonly<Record<string, unknown>>;
interface Talkative {
  readonly PaymentResult?: { readonly PaymentInstrumentData: { readonly CardData: Fields } };
  readonly PaymentReceipt?: readonly { readonly OutputContent: { readonly OutputText: readonly unknown[] } }[];
  readonly RepeatedMessageResponse?: { readonly RepeatedResponseMessageBody: Readonly<Record<string, Body>> };
}

/** The same answer, with everything that nobody should be told; what it repeats, too. */
export function indiscreet(body: Body): Body {
  const { PaymentResult: result, PaymentReceipt: receipts, RepeatedMessageResponse: repeated } = body as Talkative;
  const { AdditionalResponse: said } = body.Response;
  const facts = additional({ message: INDISCREET_TEXT, refusalReason: INDISCREET_TEXT, pan, track2, pin });
  const instrument = result?.PaymentInstrumentData;
  return {
    ...body,
    Response: { ...body.Response, AdditionalResponse: said === undefined ? facts : `${said}&${facts}` },
    ...(instrument && {
      PaymentResult: {
        ...result,
        PaymentInstrumentData: {
          ...instrument,
          CardData: { ...instrument.CardData, ...CARD, PaymentBrand: `${instrument.CardData.PaymentBrand} ${pan}` },
        },
      },
    }),
    ...(receipts && {
      PaymentReceipt: receipts.map((receipt) => ({
        ...receipt,
        OutputContent: {
          ...receipt.OutputContent,
          OutputText: [...receipt.OutputContent.OutputText, ...LINES.map((Text) => ({ Text, EndOfLineFlag: true }))],
        },
      })),
    }),
    ...(repeated && {
      RepeatedMessageResponse: {
        ...repeated,
        RepeatedResponseMessageBody: Object.fromEntries(
          Object.entries(repeated.RepeatedResponseMessageBody).map(([name, inside]) => [name, indiscreet(inside)]),
        ),
      },
    }),
  };
}

/** Beside a display notification's own content. */
export const INDISCREET_DISPLAY = {
  OutputText: [{ Text: INDISCREET_TEXT }, { Text: spacedPan }],
  OutputXHTML: Buffer.from(`<p>${INDISCREET_TEXT}</p>`).toString("base64"),
} as const;
