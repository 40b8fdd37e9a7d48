import type { CommandWord, FlagWord, Vocabulary } from './completion-words.js';

/** The completion script for zsh, to be sourced, or saved as `_imgtool` in a folder of `fpath`. */
export function zshScript({ commands, steps }: Vocabulary): string {
  return `#compdef imgtool
# zsh completion for imgtool; made by: imgtool completion zsh

_imgtool() {
  local curcontext="$curcontext" state line
  typeset -A opt_args
  _arguments -C '1: :_imgtool_commands' '*:: :->rest'
  [[ $state == rest ]] || return 0
  local name="$words[1]"
  case "$name" in
${[...grouped(commands)].map(([first, group]) => (group.length === 1 && group[0]?.name === first ? single(group[0]) : several(first, group))).join('')}  esac
}

_imgtool_commands() {
  local -a commands=(
${[...grouped(commands)].map(([first, [command]]) => `    ${quote(`${first}:${plain(command?.description ?? '')}`)}\n`).join('')}  )
  _describe -t commands 'imgtool command' commands
}

# a step as far as it is written: the operation, then its parameters, then their values
_imgtool_steps() {
  local name key
  local -a words_here
  if compset -P 1 '*:'; then
    name="\${IPREFIX##*[ =]}"
    name="\${name%%:*}"
    compset -P '*,'
    if compset -P 1 '*='; then
      key="\${\${IPREFIX%=}##*[:,]}"
      case "$name:$key" in
${steps
  .flatMap(({ name, parameters }) =>
    parameters
      .filter(({ choices }) => choices.length > 0)
      .map((parameter) => `        ${name}:${parameter.name}) words_here=(${list(parameter.choices)}) ;;\n`),
  )
  .join('')}      esac
      compadd -- $words_here
      return
    fi
    case "$name" in
${steps.map(({ name, parameters }) => `      ${name}) words_here=(${list(parameters.map((parameter) => parameter.name))}) ;;\n`).join('')}    esac
    compadd -S = -- $words_here
    return
  fi
  # the space goes again when a colon follows
  compadd -S ' ' -r ':' -- ${list(steps.map(({ name }) => name))}
}

if [[ "$funcstack[1]" == _imgtool ]]; then
  _imgtool "$@"
else
  (( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
  compdef _imgtool imgtool
fi
`;
}

function grouped(commands: readonly CommandWord[]): Map<string, CommandWord[]> {
  const groups = new Map<string, CommandWord[]>();
  for (const command of commands) {
    const [first = command.name] = command.name.split(' ');
    groups.set(first, [...(groups.get(first) ?? []), command]);
  }
  return groups;
}

function single(command: CommandWord): string {
  return `    ${command.name})
      _arguments -s${specs(command)} ;;
`;
}

function several(first: string, group: readonly CommandWord[]): string {
  const cases = group.map(
    (command) => `        ${command.name.split(' ')[1] ?? "''"}) _arguments -s${specs(command)} ;;\n`,
  );
  const seconds = group.map(({ name }) => name.split(' ')[1] ?? '');
  return `    ${first})
      if (( CURRENT == 2 )); then compadd -- ${list(seconds)}; return; fi
      shift words; (( CURRENT-- ))
      case "$words[1]" in
${cases.join('')}      esac ;;
`;
}

function specs({ flags, argument, takesFiles }: CommandWord): string {
  const own =
    argument.length > 0 ? [`1:argument:(${argument.join(' ')})`] : takesFiles ? ['*:file:_files'] : [];
  return [...flags.flatMap(flagSpecs), ...own].map((spec) => ` \\\n        ${quote(spec)}`).join('');
}

function flagSpecs(flag: FlagWord): string[] {
  const others = flag.repeats ? '*' : flag.forms.length > 1 ? `(${flag.forms.join(' ')})` : '';
  return flag.forms.map((form) => {
    // a plus: the value of a letter may be joined to it; an equals sign: that of a word likewise
    const joint = flag.takes === 'nothing' ? '' : form.startsWith('--') ? '=' : '+';
    return `${others}${form}${joint}[${plain(flag.description)}]${action(flag)}`;
  });
}

function action({ takes, values }: FlagWord): string {
  switch (takes) {
    case 'nothing':
      return '';
    case 'step':
      return ':step:_imgtool_steps';
    case 'file':
      return ':file:_files';
    case 'folder':
      return ':folder:_files -/';
    case 'values':
      return `:value:(${values.map((value) => value.replaceAll(' ', '\\ ')).join(' ')})`;
    case 'text':
      return ':value: ';
  }
}

/** A description without what `_arguments` and `_describe` read as their own. */
function plain(text: string): string {
  return text
    .replaceAll(/[[\]:\\]/g, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim();
}

function list(words: readonly string[]): string {
  return words.map(quote).join(' ');
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
