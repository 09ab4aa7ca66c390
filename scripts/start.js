/** `npm start`: sets the clone up and runs the demo in this very process, so that signals and exit code are its own. */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { orSentence, ROOT, setUp } from "./setup.js";

orSentence(async () => {
  setUp();
  const cli = join(ROOT, "dist", "bundle", "stationd.js");
  process.argv = [process.execPath, cli, "demo", ...process.argv.slice(2)];
  await import(pathToFileURL(cli).href);
});
