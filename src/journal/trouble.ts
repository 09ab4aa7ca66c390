import { DeviceError } from "../kernel/errors.js";
import { SQLITE, sqliteCode } from "./sqlite.js";

/** What a technician can do, by what SQLite or the file system said. */
function hintOf(thrown: unknown, file: string): string | undefined {
  switch (sqliteCode(thrown)) {
    case SQLITE.busy:
      return `Another agent works in this state folder: stop it, or give this one its own (${file})`;
    case SQLITE.corrupt:
    case SQLITE.notADatabase:
      return damagedHint(file);
    case SQLITE.full:
      return `The disk that holds ${file} is full: free some space`;
    case SQLITE.readonly:
    case SQLITE.cantOpen:
      return `The agent may not write ${file}: correct the owner and the mode of the state folder`;
    default:
      break;
  }
  const code = thrown instanceof Error && "code" in thrown ? thrown.code : undefined;
  if (code === "ENOSPC") return `The disk that holds ${file} is full: free some space`;
  if (code === "EACCES" || code === "EPERM" || code === "EROFS" || code === "ENOTDIR" || code === "EEXIST") {
    return `The agent may not write ${file}: correct the owner and the mode of the state folder`;
  }
  return undefined;
}

export function damagedHint(file: string): string {
  return `${file} is damaged: stop the agent, move it and its -wal file aside and keep them; jobs of before are then unknown to the agent`;
}

/** Whatever went wrong below the journal, as the one error that it rejects with. */
export function journalTrouble(thrown: unknown, file: string): DeviceError {
  if (thrown instanceof DeviceError) return thrown;
  const hint = hintOf(thrown, file);
  return new DeviceError("journal_unavailable", { cause: thrown, ...(hint === undefined ? {} : { hint }) });
}
