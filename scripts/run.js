/** `node scripts/run.js FILE …`: sets the clone up and runs FILE of it with the rest as its arguments; without FILE only the first. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { orSentence, ROOT, SetupFault, setUp } from "./setup.js";

orSentence(async () => {
  setUp();
  const [file, ...args] = process.argv.slice(2);
  if (!file) return;
  const whole = join(ROOT, file);
  if (!existsSync(whole)) throw new SetupFault(`there is no ${file}`);
  process.argv = [process.execPath, whole, ...args];
  await import(pathToFileURL(whole).href);
});
