"""Generates the completions for bash, zsh and fish."""

import re


def _value_kind(flag):
    return "choice" if flag.choices else {"DIR": "directory", "FILE": "file"}.get(flag.type, "text")


def _names(flags):
    return " ".join(name for flag in flags for name in flag.names)


def bash(help_):
    replies = {
        "choice": "mapfile -t COMPREPLY < <(compgen -W '{choices}' -- \"$cur\")",
        "directory": "compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- \"$cur\")",
        "file": "compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- \"$cur\")",
        "text": ":",
    }

    def values(command, flags):
        for flag in flags:
            if flag.type:
                names = "|".join(f"'{command} {name}'" for name in flag.names)
                reply = replies[_value_kind(flag)].format(choices=" ".join(flag.choices))
                yield f"    {names})\n      {reply}\n      return ;;\n"

    commands = {"": (_names(help_.flags), help_.flags)}
    commands |= {each.name: (_names(help_.flags_of(each)), help_.flags_of(each)) for each in help_.commands}
    commands[""] = (" ".join(each.name for each in help_.commands) + " " + commands[""][0], help_.flags)
    cases = "".join(case for command, (_, flags) in commands.items() for case in values(command, flags))
    names = "".join(f"    '{command}') names='{words}' ;;\n" for command, (words, _) in commands.items())
    return f"""# bash completion for inetdiag_exporter
_inetdiag_exporter() {{
  local cur=${{COMP_WORDS[COMP_CWORD]}} prev=${{COMP_WORDS[COMP_CWORD - 1]}} command= names word
  # Bash splits --flag=value into three words.
  if [[ $cur == '=' ]]; then
    cur=
  elif [[ $prev == '=' ]]; then
    prev=${{COMP_WORDS[COMP_CWORD - 2]}}
  fi
  for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
    case $word in
    {'|'.join(each.name for each in help_.commands)}) command=$word ;;
    esac
  done
  COMPREPLY=()
  case "$command $prev" in
{cases}  esac
  case $command in
{names}  esac
  mapfile -t COMPREPLY < <(compgen -W "$names" -- "$cur")
}}
complete -F _inetdiag_exporter inetdiag_exporter
"""


def zsh(help_):
    actions = {"directory": "_files -/", "file": "_files", "text": " "}

    def specs(flags):
        for flag in flags:
            help_text = re.sub(r"([\\\[\]:])", r"\\\1", flag.help).replace("'", "'\\''")
            action = f"({' '.join(flag.choices)})" if flag.choices else actions.get(_value_kind(flag))
            value = f":{flag.type}:{action}" if flag.type else ""
            for name in flag.names:
                # `=`: the value is in the same word or in the next one.
                yield f"'*{name}{'=' if flag.type else ''}[{help_text}]{value}'"

    def arguments(flags, *more):
        return "_arguments \\\n    " + " \\\n    ".join((*more, *specs(flags)))

    commands = " ".join(each.name for each in help_.commands)
    cases = "".join(
        f"  {each.name})\n    {arguments(help_.flags_of(each))} ;;\n" for each in help_.commands
    )
    return f"""#compdef inetdiag_exporter

local command=${{words[(r)({commands.replace(' ', '|')})]}}
case $command in
{cases}  *)
    {arguments(help_.flags, f"'1::command:({commands})'")} ;;
esac
"""


def fish(help_):
    actions = {"directory": "-xa '(__fish_complete_directories)'", "file": "-rF", "text": "-x"}

    def quoted(text):
        return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"

    def lines(condition, flags):
        for flag in flags:
            action = ""
            if flag.choices:
                action = " -xa " + quoted(" ".join(flag.choices))
            elif flag.type:
                action = " " + actions[_value_kind(flag)]
            for name in flag.names:
                dashes = "-l " if name.startswith("--") else "-s "
                yield (
                    f"complete -c inetdiag_exporter -n {quoted(condition)} "
                    f"{dashes}{name.lstrip('-')}{action} -d {quoted(flag.help)}"
                )

    text = ["complete -c inetdiag_exporter -f"]
    for command in help_.commands:
        text.append(
            "complete -c inetdiag_exporter -n __fish_use_subcommand "
            f"-a {command.name} -d {quoted(command.help)}"
        )
    text += lines("__fish_use_subcommand", help_.flags)
    for command in help_.commands:
        text += lines(f"__fish_seen_subcommand_from {command.name}", help_.flags_of(command))
    return "\n".join(text) + "\n"
