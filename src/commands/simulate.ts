import { InvalidArgumentError } from "commander";
import { type AddCommand, type JsonFlag, withExamples, withJson } from "./command.js";
import { EXIT_CODES } from "./exit-codes.js";

interface SimulateFlags extends JsonFlag {
  readonly listen?: string;
  readonly pty?: string;
  readonly connect?: string;
  readonly gadget?: string;
  readonly uhid?: string;
  readonly paper?: string;
  readonly caOut?: string;
  readonly set: Readonly<Record<string, unknown>>;
}

export const addSimulate: AddCommand = (program, act) => {
  const command = program
    .command("simulate")
    .summary("run a simulated device by itself")
    .description("Runs a simulated device at the far end of a wire, for any program that speaks to the real one. Needs no agent.")
    .argument("<kind>", "receipt-printer, barcode-scanner, chip-card, …; list shows all")
    .option("-l, --listen <address>", "tcp:HOST:PORT")
    .option("--pty <path>", "serial line (pseudo-terminal, needs socat) at this path")
    .option("--connect <address>", "tcp:HOST:PORT of a virtual reader that listens (vsmartcard's vpcd), for cards")
    .option(
      "--gadget <serial>",
      "be a USB device with this serial number, at a device controller of this machine (root; dummy_hcd, or a Raspberry Pi's)",
    )
    .option("--uhid <serial>", "be a HID device of this machine's kernel, with no USB (root)")
    .option("--paper <png>", "keep a picture of the paper in this file")
    .option("--ca-out <pem>", "write the certificate authority of a device that speaks TLS to this file")
    .option("-s, --set <knob=value>", "set a knob; may be repeated", knob, {});
  withExamples(withJson(command), [
    ["stationd simulate receipt-printer --listen tcp:127.0.0.1:9100 --paper p.png", "a network printer"],
    ["stationd simulate barcode-scanner --pty /tmp/scanner", "a serial scanner"],
    ["stationd simulate chip-card --connect tcp:127.0.0.1:40059 -s inserted=true", "a card for pcscd"],
    ["stationd simulate nexo-terminal --listen tcp:127.0.0.1:8443 --ca-out ca.pem", "a payment terminal over HTTPS"],
    ["sudo stationd simulate zvt-terminal --gadget T1", "a terminal at USB, unplugged when it ends"],
    ["stationd simulate list", "what can be simulated, with its knobs"],
  ]).action(
    act(async (terminal, kind: string, flags: SimulateFlags) => {
      const { listSimulators, simulate } = await import("./standalone-simulator.js");
      if (kind === "list") {
        terminal.out(listSimulators(flags.json === true, terminal.columns));
        return EXIT_CODES.ok.code;
      }
      const { listen, pty, connect, gadget, uhid } = flags;
      const wires = [listen, pty && `pty:${pty}`, connect, gadget && `gadget:${gadget}`, uhid && `uhid:${uhid}`];
      const [wire, another] = wires.filter((given) => given !== undefined);
      if (wire === undefined || another !== undefined)
        return command.error("error: one of --listen, --pty, --connect, --gadget and --uhid is needed");
      await simulate(terminal, {
        kind,
        wire,
        connect: connect !== undefined,
        paperFile: flags.paper,
        authorityFile: flags.caOut,
        options: flags.set,
        json: flags.json === true,
      });
      return EXIT_CODES.ok.code;
    }),
  );
};

/** Values are JSON where they can be: numbers, true, false; else text. */
export function knob(text: string, before: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const [, name, value] = /^([A-Za-z][A-Za-z0-9]*)=(.*)$/s.exec(text) ?? [];
  if (name === undefined || value === undefined) throw new InvalidArgumentError("expected name=value");
  let parsed: unknown = value;
  try {
    parsed = JSON.parse(value);
  } catch {
    // Plain text.
  }
  return { ...before, [name]: parsed };
}
