import { Argument, type Command } from 'commander';
import { describe } from '../help.ts';
import type { Session } from '../session.ts';

/** Each calls `orderctl __complete`, which prints a candidate per line; `:files` means that the shell completes files. */
const SCRIPTS = {
  bash: `_orderctl() {
  local IFS=$'\\n' current="\${COMP_WORDS[COMP_CWORD]}" found
  found=$(orderctl __complete "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
  if [ "$found" = ":files" ]; then
    COMPREPLY=($(compgen -f -- "$current"))
  else
    [ "$current" = "=" ] && current=""
    COMPREPLY=($(compgen -W "$found" -- "$current"))
  fi
}
complete -F _orderctl orderctl
`,
  zsh: `#compdef orderctl
_orderctl() {
  local -a found
  found=("\${(@f)$(orderctl __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ "\${found[1]}" == ":files" ]]; then
    _files
  else
    compadd -- "\${(@)found}"
  fi
}
compdef _orderctl orderctl
`,
  fish: `function __orderctl_complete
  set -l words (commandline -opc) (commandline -ct)
  set -l found (orderctl __complete $words[2..-1] 2>/dev/null)
  if test "$found" = ":files"
    __fish_complete_path (commandline -ct)
  else
    printf '%s\\n' $found
  end
end
complete -c orderctl -f -a '(__orderctl_complete)'
`,
} as const;

type Shell = keyof typeof SCRIPTS;
const SHELLS = Object.keys(SCRIPTS) as Shell[];

export function register(command: Command, session: Session): void {
  describe(command, {
    prose:
      'Prints a completion script for your shell. It completes commands and flags, and existing users, items, topics, ' +
      'groups and recent order ids. The script calls orderctl for each completion, so it is never out of date.',
    examples: [
      ['orderctl completion fish | source', 'in config.fish'],
      ['source <(orderctl completion bash)', 'in .bashrc'],
    ],
  })
    .addArgument(new Argument('<SHELL>', SHELLS.join(', ')).choices(SHELLS))
    .action(async (shell: Shell) => {
      await session.printer.data(SCRIPTS[shell]);
    });
}
