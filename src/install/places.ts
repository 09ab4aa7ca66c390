/** A file of `systemd/` and where it belongs. */
export interface Place {
  readonly file: string;
  readonly to: string;
  readonly mode: number;
  readonly what: string;
}

/** The package itself: all that its tarball holds, `node_modules`, and a Node in `node/bin`. The unit names it so. */
export const HOME = "/usr/lib/stationd";

/** The package's own files outside its folder: a new version replaces them, and they go with it. */
export const PLACES: readonly Place[] = [
  { file: "stationd", to: "/usr/bin/stationd", mode: 0o755, what: "the command, with the package's own Node" },
  {
    file: "completion.bash",
    to: "/usr/share/bash-completion/completions/stationd",
    mode: 0o644,
    what: "completion of commands in bash",
  },
  {
    file: "stationd.sysusers.conf",
    to: "/usr/lib/sysusers.d/stationd.conf",
    mode: 0o644,
    what: "the agent's user and the two groups of its sockets",
  },
  {
    file: "stationd.tmpfiles.conf",
    to: "/usr/lib/tmpfiles.d/stationd.conf",
    mode: 0o644,
    what: "folders, with the permissions that tell the sockets apart",
  },
  {
    file: "70-stationd.rules",
    to: "/usr/lib/udev/rules.d/70-stationd.rules",
    mode: 0o644,
    what: "devices for the agent; no autosuspend, no probing",
  },
  { file: "stationd.service", to: "/usr/lib/systemd/system/stationd.service", mode: 0o644, what: "the agent, hardened" },
  {
    file: "stationd-pcscd.path",
    to: "/usr/lib/systemd/system/stationd-pcscd.path",
    mode: 0o644,
    what: "the agent's requests to start pcscd anew",
  },
  {
    file: "stationd-pcscd.service",
    to: "/usr/lib/systemd/system/stationd-pcscd.service",
    mode: 0o644,
    what: "starts pcscd anew when it is stuck",
  },
];

/** What the station's people edit. debian/postinst makes them where they are missing; no upgrade touches them. */
export const KEPT: readonly Place[] = [
  { file: "stationd.toml", to: "/etc/stationd/stationd.toml", mode: 0o640, what: "sample configuration" },
  {
    file: "chromium-policy.json",
    to: "/etc/chromium/policies/managed/stationd.json",
    mode: 0o644,
    what: "lets the kiosk page reach the agent without a prompt",
  },
];
