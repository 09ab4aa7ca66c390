import type { CompletedCommand, Values } from "./completion-tree.js";

/** Asked by every script; silent where nobody can tell. */
const DEVICES = "stationd completion devices 2>/dev/null";

/** Words of ours hold nothing that a shell would take for its own; this makes it certain. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

const pathText = ({ path }: CompletedCommand): string => path.join(" ");

/** A `case` that walks along the words which name a command; anything else (options, their values) is passed over. */
function bashPaths(tree: readonly CompletedCommand[]): string {
  return tree
    .filter(({ path }) => path.length > 0)
    .map(
      (command) =>
        `      ${quoted([command.path.slice(0, -1).join(" "), command.path.at(-1)].join(":"))}) at=${quoted(pathText(command))} ;;`,
    )
    .join("\n");
}

function bashValues(values: Values): string {
  if (values === "device") return `words=$(${DEVICES})`;
  if (values === "file") return "files=1";
  return values === "free" ? "words=" : `words=${quoted(values.join(" "))}`;
}

/** For bash 4 and newer, with or without the package bash-completion. */
export function bashScript(tree: readonly CompletedCommand[]): string {
  const options = tree.flatMap((command) =>
    command.options.flatMap(({ names, values }) =>
      values === undefined
        ? []
        : [`    ${names.map((name) => quoted(`${pathText(command)}:${name}`)).join("|")}) ${bashValues(values)}; taken=1 ;;`],
    ),
  );
  const flags = tree.map(
    (command) => `      ${quoted(pathText(command))}) words=${quoted(command.options.flatMap(({ names }) => names).join(" "))} ;;`,
  );
  const places = tree.map((command) => {
    const { children, values } = command;
    const what = children.length > 0 ? `words=${quoted(children.map(({ name }) => name).join(" "))}` : bashValues(values);
    return `      ${quoted(pathText(command))}) ${what} ;;`;
  });
  return `# Completion of stationd for bash: source <(stationd completion bash)
_stationd() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}"
  local at="" words="" files="" taken="" i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$at:\${COMP_WORDS[i]}" in
${bashPaths(tree)}
    esac
  done
  case "$at:$previous" in
${options.join("\n")}
  esac
  if [[ -z $taken && $current == -* ]]; then
    case "$at" in
${flags.join("\n")}
    esac
  elif [[ -z $taken ]]; then
    case "$at" in
${places.join("\n")}
    esac
  fi
  COMPREPLY=()
  if [[ -n $files ]]; then
    compopt -o filenames 2>/dev/null
    COMPREPLY=($(compgen -f -- "$current"))
  elif [[ -n $words ]]; then
    COMPREPLY=($(compgen -W "$words" -- "$current"))
  fi
}
complete -F _stationd stationd
`;
}

/** zsh runs functions of bash by itself. */
export function zshScript(tree: readonly CompletedCommand[]): string {
  const [, ...script] = bashScript(tree).split("\n");
  return [
    "# Completion of stationd for zsh: source <(stationd completion zsh)",
    "autoload -Uz compinit bashcompinit",
    "(( $+functions[compdef] )) || compinit",
    "bashcompinit",
    ...script,
  ].join("\n");
}

export function fishScript(tree: readonly CompletedCommand[]): string {
  const paths = tree
    .filter(({ path }) => path.length > 0)
    .map(
      (command) =>
        `      case ${quoted([command.path.slice(0, -1).join(" "), command.path.at(-1)].join(":"))}\n        set at ${quoted(pathText(command))}`,
    );
  const lines = tree.flatMap((command) => {
    const here = `complete -c stationd -n ${quoted(`test (__stationd_at) = "${pathText(command)}"`)}`;
    return [
      ...command.children.map(({ name, summary }) => `${here} -f -a ${quoted(name)} -d ${quoted(summary)}`),
      ...command.options.map(({ names, summary, values }) => {
        const named = names.map((name) => (name.startsWith("--") ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`)).join(" ");
        return `${here} ${named}${values === undefined ? "" : fishValues(values, true)} -d ${quoted(summary)}`;
      }),
      ...(command.children.length > 0 ? [] : [`${here}${fishValues(command.values, false)}`]),
    ];
  });
  return `# Completion of stationd for fish: stationd completion fish | source
function __stationd_at
  set -l at ''
  for word in (commandline -opc)[2..-1]
    switch "$at:$word"
${paths.join("\n")}
    end
  end
  echo $at
end
complete -c stationd -f
${lines.join("\n")}
`;
}

function fishValues(values: Values, ofOption: boolean): string {
  const takes = ofOption ? " -r" : "";
  if (values === "file") return `${takes} -F`;
  if (values === "device") return `${takes} -f -a ${quoted(`(${DEVICES})`)}`;
  return `${takes} -f${values === "free" ? "" : ` -a ${quoted(values.join(" "))}`}`;
}
