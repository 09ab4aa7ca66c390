# /usr/share/bash-completion/completions/stationd: read at the first Tab after the command's name.
eval "$(stationd completion bash)"
