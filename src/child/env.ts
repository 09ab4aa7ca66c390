const PASSED_ON = [
  "PATH",
  "HOME",
  "LANG",
  "LC_ALL",
  "TZ",
  "TMPDIR",
  "LD_LIBRARY_PATH",
  "XDG_RUNTIME_DIR",
  // Where pcsc-lite's library finds its service (SCardEstablishContext).
  "PCSCLITE_CSOCK_NAME",
];

/** The few variables that a child process gets: nothing of the agent's tokens, credentials or debugger flags. */
export function childEnv(added: Readonly<Record<string, string>> = {}): Record<string, string> {
  const env: Record<string, string> = {};
  for (const name of PASSED_ON) {
    const value = process.env[name];
    if (value !== undefined) env[name] = value;
  }
  return { ...env, ...added };
}
