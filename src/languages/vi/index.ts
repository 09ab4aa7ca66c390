import type { Catalogue } from "../translate.js";
import { commandLine } from "./command-line.js";
import { commands } from "./commands.js";
import { configuration } from "./configuration.js";
import { devices } from "./devices.js";
import { doctor } from "./doctor.js";
import { drivers } from "./drivers.js";
import { errors } from "./errors.js";
import { examples } from "./examples.js";
import { help } from "./help.js";
import { kinds } from "./kinds.js";
import { paymentTerminals } from "./payment-terminals.js";
import { terminalCodes } from "./terminal-codes.js";
import { transports } from "./transports.js";
import { words } from "./words.js";

/** Vietnamese, as technicians speak it: what commands, options and files are called stays as it is. */
export const vietnamese: Catalogue = {
  templates: commands,
  texts: {
    ...commandLine,
    ...configuration,
    ...devices,
    ...doctor,
    ...drivers,
    ...errors,
    ...examples,
    ...help,
    ...kinds,
    ...paymentTerminals,
    ...terminalCodes,
    ...transports,
    ...words,
  },
};
