"""Generates the completions for bash, zsh and fish."""

import re


def _value_kind(flag):
    return "choice" if flag.choices else {"DIR": "directory", "FILE": "file"}.get(flag.type, "text")


def bash(help_):
    names = " ".join(
        [command.name for command in help_.commands] + [name for flag in help_.all_flags for name in flag.names]
    )
    replies = {
        "choice": "mapfile -t COMPREPLY < <(compgen -W '{choices}' -- \"$cur\")",
        "directory": "compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- \"$cur\")",
        "file": "compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- \"$cur\")",
        "text": ":",
    }
    cases = "".join(
        f"    {'|'.join(flag.names)})\n"
        f"      {replies[_value_kind(flag)].format(choices=' '.join(flag.choices))}\n"
        "      return ;;\n"
        for flag in help_.all_flags
        if flag.type
    )
    return f"""# bash completion for inetdiag_exporter
_inetdiag_exporter() {{
  local cur=${{COMP_WORDS[COMP_CWORD]}} prev=${{COMP_WORDS[COMP_CWORD - 1]}}
  # Bash splits --flag=value into three words.
  if [[ $cur == '=' ]]; then
    cur=
  elif [[ $prev == '=' ]]; then
    prev=${{COMP_WORDS[COMP_CWORD - 2]}}
  fi
  COMPREPLY=()
  case $prev in
{cases}  esac
  mapfile -t COMPREPLY < <(compgen -W '{names}' -- "$cur")
}}
complete -F _inetdiag_exporter inetdiag_exporter
"""


def zsh(help_):
    actions = {"directory": "_files -/", "file": "_files", "text": " "}

    def specs():
        commands = " ".join(command.name for command in help_.commands)
        yield f"'1::command:({commands})'"
        for flag in help_.all_flags:
            help_text = re.sub(r"([\\\[\]:])", r"\\\1", flag.help).replace("'", "'\\''")
            action = f"({' '.join(flag.choices)})" if flag.choices else actions.get(_value_kind(flag))
            value = f":{flag.type}:{action}" if flag.type else ""
            for name in flag.names:
                # `=`: the value is in the same word or in the next one.
                yield f"'*{name}{'=' if flag.type else ''}[{help_text}]{value}'"

    return "#compdef inetdiag_exporter\n\n_arguments \\\n  " + " \\\n  ".join(specs()) + "\n"


def fish(help_):
    actions = {"directory": "-xa '(__fish_complete_directories)'", "file": "-rF", "text": "-x"}

    def quoted(text):
        return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"

    def lines():
        yield "complete -c inetdiag_exporter -f"
        for command in help_.commands:
            yield (
                "complete -c inetdiag_exporter -n __fish_use_subcommand "
                f"-a {command.name} -d {quoted(command.help)}"
            )
        for flag in help_.all_flags:
            action = ""
            if flag.choices:
                action = " -xa " + quoted(" ".join(flag.choices))
            elif flag.type:
                action = " " + actions[_value_kind(flag)]
            for name in flag.names:
                dashes = "-l " if name.startswith("--") else "-s "
                yield f"complete -c inetdiag_exporter {dashes}{name.lstrip('-')}{action} -d {quoted(flag.help)}"

    return "\n".join(lines()) + "\n"
