import { traceText } from "./card-text.js";
import { type AddCommand, withExamples, withJson } from "./command.js";
import { withConnection, withStation } from "./connection.js";
import { EXIT_CODES } from "./exit-codes.js";
import { type CardFlags, read, withCardAccess } from "./read-card.js";
import { json } from "./terminal.js";

export const addCard: AddCommand = (program, act) => {
  const card = program
    .command("card")
    .summary("look at a card's conversation")
    .description("Looks at what passes between a reader and a card.");
  const trace = withCardAccess(
    card
      .command("trace")
      .summary("read a card and list its APDUs")
      .description("Reads a card and lists the APDUs with their times. Headers and lengths only: nothing of the citizen's data."),
  );
  withExamples(withConnection(withJson(trace)), [["stationd card trace --can 004321", "where the time goes"]]).action(
    act(async (terminal, flags: CardFlags) =>
      withStation(terminal, flags, async (client, signal) => {
        const { reading } = await read(client, terminal, flags, signal, true);
        const apdus = reading.trace ?? [];
        terminal.out(flags.json ? json({ device: reading.device, access: reading.access, apdus }) : traceText(apdus, terminal));
        return EXIT_CODES.ok.code;
      }),
    ),
  );
};
