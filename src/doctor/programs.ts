import { type Checks, type Finding, linksOf, ok, skipped } from "./finding.js";
import type { Machine } from "./machine.js";

/** Programs beside the agent: do they run at all, and know what is wanted of them. */
export const checkPrograms: Checks = async (machine, station) => {
  const links = linksOf(station).map(({ link }) => link);
  return [
    ...(links.some(({ kind }) => kind === "sane") ? [await scanimage(machine)] : []),
    ...(links.some(({ kind }) => kind === "video") ? [await ffmpeg(machine)] : []),
  ];
};

async function scanimage(machine: Machine): Promise<Finding> {
  const id = "sane.runs";
  const ran = await machine.run("scanimage", "--version");
  const version = /backend version (\S+)/.exec(ran?.out ?? "")?.[1];
  if (ran === undefined) return skipped(id, "there is no scanimage");
  return version === undefined
    ? {
        id,
        verdict: "failure",
        finding: "scanimage does not run",
        why: "No paper can be scanned.",
        mend: "apt-get update && apt-get install -y --reinstall sane-utils libsane1",
      }
    : ok(id, `scanimage runs (SANE ${version})`);
}

async function ffmpeg(machine: Machine): Promise<Finding> {
  const id = "ffmpeg.runs";
  const ran = await machine.run("ffmpeg", "-hide_banner", "-loglevel", "error", "-devices");
  if (ran === undefined) return skipped(id, "there is no ffmpeg");
  if (/^ *D.*\bvideo4linux2\b/m.test(ran.out)) return ok(id, "ffmpeg runs and knows cameras");
  return {
    id,
    verdict: "failure",
    finding: "ffmpeg cannot open cameras (v4l2)",
    why: "Another build than Debian's was put in its place.",
    mend: "apt-get update && apt-get install -y --reinstall ffmpeg",
  };
}
