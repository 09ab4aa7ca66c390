import { type Checks, type Finding, hasSystemd, linksOf, ok, type Station, skipped } from "./finding.js";
import type { Machine } from "./machine.js";

const SOCKET = "/run/pcscd/pcscd.comm";
const ACTIONS = "/usr/share/polkit-1/actions";
const RULES = ["/etc/polkit-1/rules.d", "/usr/share/polkit-1/rules.d"] as const;
const ACTION = "org.debian.pcsc-lite.access_pcsc";

/** The PC/SC service: it answers, and lets the agent's user in. */
export const checkCardService: Checks = async (machine, station) => {
  if (!linksOf(station).some(({ link }) => link.kind === "pcsc")) return [];
  return [await socketFinding(machine), await policyFinding(machine, station)];
};

async function socketFinding(machine: Machine): Promise<Finding> {
  const id = "pcscd.running";
  if (await machine.answers(SOCKET)) return ok(id, "pcscd answers");
  return {
    id,
    verdict: "failure",
    finding: `nothing answers at ${SOCKET}`,
    why: "Without pcscd no card reader can be seen.",
    mend: (await hasSystemd(machine))
      ? "systemctl enable pcscd.socket && systemctl restart pcscd.socket"
      : "systemctl enable --now pcscd.socket",
  };
}

/** Newer pcscd ask polkit, which by itself lets only people at a seat in. */
async function policyFinding(machine: Machine, { user }: Station): Promise<Finding> {
  const id = "pcscd.policy";
  const actions = (await Promise.all((await machine.list(ACTIONS)).map((name) => machine.text(`${ACTIONS}/${name}`)))).join("\n");
  const action = new RegExp(`<action id="${ACTION.replaceAll(".", "\\.")}">([\\s\\S]*?)</action>`).exec(actions)?.[1];
  if (action === undefined || /<allow_any>\s*yes\s*</.test(action)) return ok(id, "pcscd lets every user in");
  if (machine.uid !== 0 && (await machine.list(RULES[0])).length === 0) return skipped(id, `only root can read ${RULES[0]}`);
  const files = (await Promise.all(RULES.map(async (folder) => (await machine.list(folder)).map((name) => `${folder}/${name}`)))).flat();
  const rules = await Promise.all(files.map((file) => machine.text(file)));
  if (rules.some((text) => text?.includes("pcsc-lite") && text.includes(`"${user}"`))) return ok(id, `polkit lets ${user} in`);
  const rule = `polkit.addRule(function (action, subject) { if (/^org\\.debian\\.pcsc-lite\\./.test(action.id) && subject.user == "${user}") return polkit.Result.YES; });`;
  return {
    id,
    verdict: "failure",
    finding: `polkit keeps ${user} away from pcscd`,
    why: "By itself it lets only people at a screen use card readers.",
    mend: `echo '${rule}' > ${RULES[0]}/40-stationd.rules`,
  };
}
